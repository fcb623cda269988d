"""The work on one audit: taking its items in, analysing them, storing results as they come.

Everything here may be interrupted at any moment and done again: results are stored behind those that are
there, a bundle in one transaction, and work goes on behind the last one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final, cast

from service.analysis import AnalysisOptions
from service.analysis_models import Analysis, CheckName
from service.articles import ArticleInput
from service.audits.items import AuditKind, AuditOptions, Item, pack, pack_item, unpack_item
from service.audits.runner import Audited, LocalRunner
from service.audits.sources import SourceFormat, SourceLimits, read_items
from service.errors import InvalidInput, NotFound, NotReady, TamgaError
from service.serving.worker import ModelWorker
from service.settings import Settings
from service.store import Store
from service.store.audits import AuditRun, SqlAuditRepository, StoredResult

log = logging.getLogger(__name__)

# Items that are written, and results that are stored, in one transaction; or what came in so many seconds.
PART: Final = 200
BUNDLE: Final = 32
BUNDLE_SECONDS: Final = 2.0
# After a start results are stored one by one, so that an item that ends the process shows itself.
CAREFUL: Final = BUNDLE
MAX_ATTEMPTS: Final = 5
_LOOK_SECONDS: Final = 0.2
_BEAT_SECONDS: Final = 20.0


class Interrupted(BaseException):
    """The service is stopping: the work is to be taken up again at its next start.

    No `Exception`, so that nobody takes it for the failure of an item, or of the audit.
    """


class AuditWork:
    """Works on audits in the threads that call it; the models' part is done in theirs, in the background."""

    def __init__(self, store: Store, worker: ModelWorker, settings: Settings) -> None:
        self._audits = store.audits
        self._worker = worker
        self._settings = settings
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Let all work end at its next step, with `Interrupted`."""
        self._stopping.set()

    def take_in(self, audit_id: str) -> None:
        """Read the items of an audit from its path, if it has one. Raises what reading raises."""
        run = self._audits.begin(audit_id, _now())
        if run is None or run.path is None:
            return
        # A part may be there from a time before: the file is read from its beginning.
        self._audits.drop_items(audit_id)
        path = inside(self._settings.audit_folder, run.path)
        with path.open("rb") as file:
            kind, form = cast(AuditKind, run.kind), cast(SourceFormat, run.format)
            total = take_in(
                self._audits,
                audit_id,
                self._until_stopped(read_items(file, form, kind, limits_of(self._settings))),
            )
        if total == 0:
            raise InvalidInput("The file holds no items.")
        self._audits.all_taken_in(audit_id, total)

    def analyse(self, audit_id: str) -> None:
        """Analyse the items that have no result yet, and end the audit. Raises StoreError, Interrupted."""
        run = self._audits.begin(audit_id, _now())
        if run is None:
            return
        if run.total is not None and run.done < run.total and not self._go_through(run):
            # Cancelled, or somebody else was faster and ends it.
            return
        self._audits.finish(audit_id, _now())

    def fail(self, audit_id: str, error: str) -> None:
        """End an audit that cannot be carried out."""
        self._audits.finish(audit_id, _now(), error)

    def _go_through(self, run: AuditRun) -> bool:
        options = AuditOptions(tuple(cast(list[CheckName], run.checks)), run.target_fpr)
        runner = LocalRunner(lambda article, asked: self._served(run.id, article, asked))
        attempts = self._audits.attempt(run.id, run.done)
        given_up = run.done if attempts > MAX_ATTEMPTS else None
        bundle: list[Audited] = []
        since = time.monotonic()
        for audited in runner.run(self._inputs(run, given_up), options):
            bundle.append(audited)
            elapsed = time.monotonic() - since
            careful = audited.number < run.done + CAREFUL
            if careful or len(bundle) == BUNDLE or elapsed >= BUNDLE_SECONDS:
                if not self._keep(run.id, bundle, elapsed):
                    return False
                bundle, since = [], time.monotonic()
        return not bundle or self._keep(run.id, bundle, time.monotonic() - since)

    def _keep(self, audit_id: str, bundle: list[Audited], seconds: float) -> bool:
        results = [
            StoredResult(item.number, pack(item.result), item.facts, item.refused, item.reused)
            for item in bundle
        ]
        return self._audits.keep(audit_id, results, seconds, _now())

    def _inputs(self, run: AuditRun, given_up: int | None) -> Iterator[Item]:
        first = run.done
        while part := self._audits.items(run.id, first, PART):
            for number, packed in part:
                self._look()
                item = unpack_item(number, packed)
                if number == given_up:
                    log.error("audit %s: item %d is given up", run.id, number)
                    error = TamgaError(f"The service ended {MAX_ATTEMPTS} times while it was at this item.")
                    item = Item(number, item.id, None, error.as_error())
                yield item
            first = part[-1][0] + 1

    def _served(self, audit_id: str, article: ArticleInput, options: AnalysisOptions) -> Analysis:
        """An Analysis by way of the model thread, in the background; waits while the models are loading."""
        died = 0
        seen = time.monotonic()
        length = len(article.text or article.html or "")
        while True:
            self._look()
            if time.monotonic() - seen > _BEAT_SECONDS:
                self._audits.seen(audit_id, _now())
                seen = time.monotonic()
            try:
                future = self._worker.submit(
                    lambda runtime: runtime.analyser.analyse(article, options),
                    characters=length,
                    background=True,
                )
            except NotReady:
                self._stopping.wait(_LOOK_SECONDS)
                continue
            while not future.done():
                try:
                    future.exception(_LOOK_SECONDS)
                except TimeoutError:
                    if self._stopping.is_set():
                        future.cancel()
                        raise Interrupted from None
                    if time.monotonic() - seen > _BEAT_SECONDS:
                        self._audits.seen(audit_id, _now())
                        seen = time.monotonic()
            try:
                return future.result()
            except NotReady:
                # The model thread died of it, or the service is stopping.
                died += 1
                if died == MAX_ATTEMPTS:
                    raise
                self._stopping.wait(_LOOK_SECONDS)

    def _look(self) -> None:
        if self._stopping.is_set():
            raise Interrupted

    def _until_stopped(self, items: Iterable[Item]) -> Iterator[Item]:
        for item in items:
            self._look()
            yield item


def take_in(audits: SqlAuditRepository, audit_id: str, items: Iterator[Item]) -> int:
    """Write items into the database, part by part, so that others who write need not wait for all of them.
    Returns how many there were.
    """
    first = 0
    while part := list(islice(items, PART)):
        audits.add_items(audit_id, first, [pack_item(item) for item in part], _now())
        first += len(part)
    return first


def limits_of(settings: Settings) -> SourceLimits:
    """How much one audit may hold."""
    # Eight bytes a character: more than any escaping in JSON takes but for that of every single one.
    line = min(settings.audit_max_bytes, 8 * settings.max_text_chars + 1_000_000)
    return SourceLimits(settings.audit_max_items, settings.audit_max_bytes, line)


def inside(folder: Path | None, path: str) -> Path:
    """The file that `path` names in the folder for audits, links followed.

    Raises NotFound alike for what is not there and for what lies elsewhere, so that nobody learns what does.
    """
    missing = NotFound("The folder for audits has no such file.")
    if folder is None:
        raise NotFound("This service reads no files of its own for audits: TAMGA_AUDIT_FOLDER is not set.")
    try:
        root = folder.resolve(strict=True)
        found = (root / path).resolve(strict=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise missing from error
    if not found.is_relative_to(root) or not found.is_file():
        raise missing
    return found


def _now() -> datetime:
    return datetime.now(UTC)
