"""`kill -9` of a service that adds, changes and deletes records over HTTP, writes snapshots all the time and
outgrows its engine, while `tamga index rebuild` runs beside it, on both databases: the snapshot left is
whole, and a search finds what the database holds, which is what was acknowledged.

The encoder is stood in for; everything else is the service as it is. CRASH_KILLS sets the number of kills.
"""

from __future__ import annotations

import functools
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx2
import numpy as np
import pytest
from forks import ForkedService, Forks
from hash_encoder import HashEncoder

import service.vectors as vectors
from index.records import VerifiedRecord
from index.snapshot import SnapshotFolder
from index.stores.policy import read_store
from service.library import Library, open_library
from service.settings import Settings
from service.store import Store, open_store

KILLS = int(os.environ.get("CRASH_KILLS", "2"))
WRITERS: Final = 3
# The default is more than a test writes: here vectors outgrow exact search within the first rounds.
EXACT_LIMIT: Final = 300

CODE = f"""
import functools, sys, threading
import service.app, service.commands.index, service.commands.serve, service.library, service.vectors, uvicorn
import sqlalchemy.dialects.postgresql.psycopg
from hash_encoder import HashEncoder
from service.cli import run as tamga
from service.runtime import Runtime

Runtime.encoder = Runtime.search_encoder = property(lambda self: HashEncoder())
Runtime.load = lambda self: getattr(self, "library")
service.app.SAVE_EVERY_SECONDS = 0.02
service.vectors.PassageIndex = functools.partial(service.vectors.PassageIndex, exact_limit={EXACT_LIMIT})

def run(port):
    if port != "rebuild":
        return tamga(["serve", "--port", port])
    while True:
        code = tamga(["index", "rebuild"])
        if code:
            return code
"""


class Records:
    """What was sent, by id: the states that a record may be in (a claim; None: not there), one for each
    record whose last change was acknowledged.
    """

    def __init__(self) -> None:
        self.possible: dict[str, set[str | None]] = {}
        self.fresh: set[str] = set()
        self.acknowledged = 0
        self.errors: list[str] = []

    def sending(self, changes: dict[str, str | None]) -> None:
        for name, claim in changes.items():
            self.possible.setdefault(name, {None}).add(claim)
            self.fresh.add(name)

    def done(self, changes: dict[str, str | None]) -> None:
        for name, claim in changes.items():
            self.possible[name] = {claim}
        self.acknowledged += 1


class Writer(threading.Thread):
    """A newsroom's program: each has its own records, one change after the other."""

    def __init__(self, address: str, records: Records, prefix: str, ending: threading.Event) -> None:
        super().__init__()
        self._client = httpx2.Client(base_url=address, timeout=30)
        self._records = records
        self._prefix = prefix
        self._ending = ending
        self._draw = random.Random(prefix)
        self._mine: list[str] = []
        self._number = 0

    def run(self) -> None:
        with self._client:
            while not self._ending.is_set():
                try:
                    self._change()
                except httpx2.TransportError:
                    return

    def _change(self) -> None:
        choice = self._draw.random()
        if not self._mine or choice < 0.4:
            names = [f"{self._prefix}/{self._next()}" for _ in range(self._draw.randint(1, 12))]
            changes: dict[str, str | None] = {name: self._claim() for name in names}
            self._mine += names
            self._send("POST", "/v1/records", changes, [record(*change) for change in changes.items()])
        elif choice < 0.8:
            name = self._draw.choice(self._mine)
            changed = self._claim()
            self._send("PUT", f"/v1/records/{name}", {name: changed}, record(name, changed))
        else:
            name = self._mine.pop(self._draw.randrange(len(self._mine)))
            self._send("DELETE", f"/v1/records/{name}", {name: None}, None)

    def _send(self, method: str, path: str, changes: dict[str, str | None], body: Any) -> None:
        self._records.sending(changes)
        answer = self._client.request(method, path, json=body)
        if answer.is_success:
            self._records.done(changes)
        else:
            self._records.errors.append(f"{method} {path}: {answer.status_code} {answer.text}")

    def _claim(self) -> str:
        return f"Statement {self._next()} of {self._prefix} in the register."

    def _next(self) -> int:
        self._number += 1
        return self._number


def record(name: str, claim: str | None) -> dict[str, Any]:
    return {"id": name, "claim": claim, "language": "en"}


@contextmanager
def writing(address: str, records: Records, round_name: str) -> Iterator[None]:
    ending = threading.Event()
    writers = [Writer(address, records, f"{round_name}-{n}", ending) for n in range(WRITERS)]
    for writer in writers:
        writer.start()
    try:
        yield
    finally:
        ending.set()
        for writer in writers:
            writer.join()


@pytest.mark.timeout(3_600)
def test_snapshots_and_searches_equal_the_database(
    database_url: str, tmp_path: Path, kills: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        vectors, "PassageIndex", functools.partial(vectors.PassageIndex, exact_limit=EXACT_LIMIT)
    )
    home, draw, records = tmp_path / "home", random.Random(), Records()
    settings = Settings(home=home, database_url=database_url)
    environment = {"TAMGA_HOME": str(home), "TAMGA_DATABASE_URL": database_url}
    with Forks(CODE, tmp_path / "log", **environment) as forks:
        service = ForkedService(forks)
        service.start("/readyz")
        for number in range(KILLS):
            before = records.acknowledged
            rebuilding = forks.start("rebuild")
            with writing(service.address, records, f"r{number}"):
                deadline = time.monotonic() + 120
                while records.acknowledged == before:
                    assert time.monotonic() < deadline, (records.errors, forks.said())
                    time.sleep(0.005)
                time.sleep(draw.uniform(0, 1.0))
                # Sometimes only the one that rebuilds is killed, in the middle of the other's writes.
                assert forks.end(rebuilding) == signal.SIGKILL, forks.said()
                if draw.random() < 0.3:
                    rebuilding = forks.start("rebuild")
                    time.sleep(draw.uniform(0, 0.5))
                    assert forks.end(rebuilding) == signal.SIGKILL, forks.said()
                assert service.end() == signal.SIGKILL
            kills.settle()
            assert records.errors == []
            check(settings, records)
            service.start("/readyz")
        assert service.end(signal.SIGTERM) in (0, signal.SIGTERM), forks.said()
    assert " ERROR " not in (tmp_path / "log").read_text()
    assert (settings.index_folder / "records" / "CURRENT").exists()
    check(settings, records)
    # All of them now, those of the first rounds too.
    records.fresh = set(records.possible)
    check(settings, records)
    assert records.acknowledged >= KILLS


def check(settings: Settings, records: Records) -> None:
    store = open_store(settings.database)
    try:
        stored = {found.id: found for found in store.records.list(limit=1_000_000)}
        for name, possible in records.possible.items():
            found = stored.get(name)
            assert (None if found is None else found.claim) in possible, name
            # From now on it is known.
            records.possible[name] = {None if found is None else found.claim}
        assert stored.keys() <= records.possible.keys()
        assert store.audit_log.verify().broken_at is None
        check_snapshot(settings, store)
        library = open_library(settings, HashEncoder(), store=store)
        check_search(library, stored, records)
    finally:
        # Not by closing the library, which would write a snapshot: the service starts from what was left.
        store.close()
    records.fresh.clear()


def check_snapshot(settings: Settings, store: Store) -> None:
    """The current generation is whole, and of a moment of this database."""
    folder = settings.index_folder / store.records.collection
    loaded = SnapshotFolder(folder).load(read_store)
    if loaded is not None:
        _, manifest = loaded
        assert manifest.store_id == store.records.store_id()
        assert manifest.revision <= store.records.revision()


def check_search(library: Library, stored: dict[str, VerifiedRecord], records: Records) -> None:
    assert library.notices == ()
    assert library.records.generation == library.store.records.revision()
    assert len(library.records) == library.store.records.count_passages() == len(stored)
    present = sorted(name for name in records.fresh if name in stored)
    hits = library.records.search([stored[name].claim for name in present], 1)
    assert [found[0].record.id for found in hits] == present
    assert np.allclose([found[0].cosine for found in hits], 1, atol=5e-4)
    # The words as well, which have an index of their own.
    for name in present[:20]:
        nearest = library.records.search([stored[name].claim], 1)[0][0]
        assert nearest.record == stored[name]
        assert nearest.score == pytest.approx(1, abs=0.02)
