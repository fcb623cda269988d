"""Where audits are begun, looked up and cancelled."""

from __future__ import annotations

import contextlib
import logging
import secrets
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from service.analysis_models import CheckName
from service.audits.items import AuditKind, unpack
from service.audits.report import ReportHead, Tally
from service.audits.sources import SourceFormat, format_of, read_items
from service.audits.work import AuditWork, inside, limits_of, take_in
from service.auth.actor import current_actor
from service.errors import InvalidInput
from service.policy import PolicyDesk
from service.serving.worker import ModelWorker
from service.settings import Settings
from service.store import Store
from service.store.audits import AuditRun

if TYPE_CHECKING:
    from service.audits.durable import DurableEngine

log = logging.getLogger(__name__)

_PART = 200
_FACTS_PART = 5_000


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """What is to be looked at, and how. `format` None: the name of the file tells it."""

    kind: AuditKind
    checks: tuple[CheckName, ...]
    target_fpr: float | None = None
    format: SourceFormat | None = None


class AuditDesk:
    """The audits of a service. The engine that carries them out starts when there is something to do, so that
    a service without audits pays nothing for it. Methods block; safe to use from threads.
    """

    def __init__(self, store: Store, worker: ModelWorker, settings: Settings) -> None:
        self._store = store
        self._worker = worker
        self._settings = settings
        self._starting = threading.Lock()
        self._engine: DurableEngine | None = None
        self._closed = False

    def resume(self) -> None:
        """Go on with what a process before this one began."""
        if self._store.audits.unfinished():
            self._started()

    def close(self) -> None:
        """Interrupt what runs; it goes on at the next start."""
        with self._starting:
            self._closed = True
            engine, self._engine = self._engine, None
        if engine is not None:
            engine.stop()

    def upload(self, request: AuditRequest, file: BinaryIO, name: str) -> AuditRun:
        """Accept an audit of an uploaded file: all its items are in the database when this returns.

        Raises:
            InvalidInput, InvalidCompression, TooLarge, UnsupportedMediaType: see `sources`.
            StoreError: nothing was accepted.
        """
        source_format = request.format or format_of(name)
        run = self._new(request, source=_shown(name), source_format=source_format)
        audits = self._store.audits
        audits.add(run)
        try:
            items = read_items(file, source_format, request.kind, limits_of(self._settings))
            total = take_in(audits, run.id, items)
            if total == 0:
                raise InvalidInput("The file holds no items.", pointer="#/file")
        except BaseException:
            # What is left by a process that dies here is removed by retention.
            with contextlib.suppress(Exception):
                audits.remove(run.id)
            raise
        return self._accept(run, total)

    def from_path(self, request: AuditRequest, path: str) -> AuditRun:
        """Accept an audit of a file in the folder for audits; its items are read when its turn comes.

        Raises NotFound, UnsupportedMediaType.
        """
        found = inside(self._settings.audit_folder, path)
        source_format = request.format or format_of(found.name)
        run = self._new(request, source=_shown(found.name), source_format=source_format, path=path)
        self._store.audits.add(run)
        return self._accept(run, None)

    def get(self, audit_id: str) -> AuditRun:
        """One audit. Raises NotFound."""
        return self._store.audits.get(audit_id)

    def list(self, after: str | None, limit: int) -> Sequence[AuditRun]:
        """The newest audits first, those behind `after`."""
        return self._store.audits.list(after, limit)

    def cancel(self, audit_id: str) -> AuditRun:
        """End an audit where it is. Raises NotFound, Conflict."""
        return self._store.audits.cancel(audit_id, datetime.now(UTC))

    def results(self, audit_id: str) -> Iterator[dict[str, object]]:
        """The results so far, in the order of the items."""
        first = 0
        while part := self._store.audits.results(audit_id, first, _PART):
            for _, packed in part:
                yield unpack(packed)
            first = part[-1][0] + 1

    def tally(self, audit_id: str) -> Tally:
        """The counts of the results so far."""
        tally = Tally()
        first = 0
        while part := self._store.audits.facts(audit_id, first, _FACTS_PART):
            for _, facts in part:
                tally.add(facts)
            first = part[-1][0] + 1
        return tally

    def head(self, run: AuditRun) -> ReportHead:
        """What stands above the report of an audit."""
        title = "Audit of chat assistants" if run.kind == "chat_answers" else "Archive audit"
        return ReportHead(
            title=title,
            source=run.source,
            made_at=run.finished_at or datetime.now(UTC),
            checks=tuple(run.checks),
            target_fpr=run.target_fpr if run.target_fpr is not None else self._settings.target_fpr,
            complete=run.state == "done",
            total=run.total,
        )

    def _new(
        self, request: AuditRequest, *, source: str, source_format: SourceFormat, path: str | None = None
    ) -> AuditRun:
        now = datetime.now(UTC)
        return AuditRun(
            id="aud_" + secrets.token_hex(12),
            state="receiving",
            kind=request.kind,
            source=source,
            format=source_format,
            path=path,
            checks=list(request.checks),
            # One rate from its first item to its last, whatever becomes of the settings meanwhile.
            target_fpr=self._target_fpr(request),
            created_by=current_actor(),
            created_at=now,
            seen_at=now,
        )

    def _target_fpr(self, request: AuditRequest) -> float:
        if request.target_fpr is not None:
            return request.target_fpr
        return PolicyDesk(self._settings, self._store).target_fpr()

    def _accept(self, run: AuditRun, total: int | None) -> AuditRun:
        accepted = self._store.audits.queue(run.id, total)
        # From here on it is carried out whatever happens: at the latest at the next start.
        try:
            self._started().submit(run.id)
        except Exception:
            log.exception("audit %s could not be handed on; it is tried again", run.id)
        return accepted

    def _started(self) -> DurableEngine:
        with self._starting:
            if self._closed:
                raise RuntimeError("the service is stopping")
            if self._engine is None:
                # Loaded when it is needed: most starts of the service do without.
                from service.audits.durable import DurableEngine

                work = AuditWork(self._store, self._worker, self._settings)
                engine = DurableEngine(self._store, self._settings, work)
                engine.start()
                self._engine = engine
            return self._engine


def _shown(name: str) -> str:
    """The name of a file, fit to be shown."""
    plain = Path(name.replace("\\", "/")).name
    return "".join(c if c.isprintable() else "\ufffd" for c in plain)[:200] or "upload"
