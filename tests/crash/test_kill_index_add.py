"""`kill -9` while `tamga index add` takes in records and newer versions of them, on both databases: what was
acknowledged stays, nothing is half.

The encoder is stood in for: this test is about writes. CRASH_KILLS sets the number of kills.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from forks import Forks
from hash_encoder import HashEncoder

from index.records import VerifiedRecord
from service.library import Library, open_library
from service.records import CHUNK_SIZE
from service.settings import Settings

KILLS = int(os.environ.get("CRASH_KILLS", "3"))
LINES = 1_200
LOOKED_UP = 100
SYLLABLES = ["ba", "de", "gi", "ko", "lu", "ma", "ne", "ri", "şo", "ğü", "ні", "ұл", "ың", "эр", "ця"]

ADD = """
import os
import service.records, service.store, service.commands.index, sqlalchemy.dialects.postgresql.psycopg
from hash_encoder import HashEncoder
from service.cli import run as tamga
from service.runtime import Runtime
Runtime.search_encoder = property(lambda self: HashEncoder())

def run(source, output):
    os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
    return tamga(["index", "add", source])
"""


@pytest.fixture
def tamga(tmp_path: Path, database_url: str) -> Iterator[Forks]:
    environment = {"TAMGA_HOME": str(tmp_path / "home"), "TAMGA_DATABASE_URL": database_url}
    with Forks(ADD, tmp_path / "log", **environment) as forks:
        yield forks


class Opener:
    """Opens the killed process's home anew, as the next start does; one library at a time."""

    def __init__(self, settings: Settings, kills: Any) -> None:
        self._settings, self._kills = settings, kills
        self._opened: Library | None = None

    def __call__(self) -> Library:
        self.close()
        self._kills.settle()
        self._opened = open_library(self._settings, HashEncoder())
        return self._opened

    def close(self) -> None:
        """Closing saves: a home that is to be thrown away is closed before."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None


@pytest.fixture
def library(tmp_path: Path, database_url: str, kills: Any) -> Iterator[Opener]:
    opener = Opener(Settings(home=tmp_path / "home", database_url=database_url), kills)
    yield opener
    opener.close()


class Sent:
    """Every state of every record that was sent, in order, and the newest of them that was acknowledged."""

    def __init__(self) -> None:
        self.states: dict[str, list[VerifiedRecord]] = {}
        self.acknowledged: dict[str, int] = {}
        self._draw = random.Random(11)

    def next_lines(self, round_number: int) -> list[VerifiedRecord]:
        """Records of a new round: some are newer versions of what is there, some as it is there."""
        known = sorted(self.acknowledged)
        lines = []
        for number in range(LINES):
            choice = self._draw.random()
            if known and choice < 0.2:
                name = known.pop(self._draw.randrange(len(known)))
                record = self.states[name][self.acknowledged[name]]
                lines.append(record if choice < 0.05 else self._made(name, f"{round_number}.{number}"))
            else:
                lines.append(self._made(f"r{round_number:02}-{number:04}", f"{round_number}.{number}"))
        return lines

    def send(self, lines: list[VerifiedRecord], printed: list[dict[str, Any]]) -> None:
        """Note what a run has read, of which it has printed the first lines."""
        for record in lines:
            states = self.states.setdefault(record.id, [])
            if record not in states:
                states.append(record)
        for line, record in zip(printed, lines, strict=False):
            self.acknowledged[line["record_id"]] = self.states[record.id].index(record)

    def _made(self, name: str, mark: str) -> VerifiedRecord:
        words = ["".join(self._draw.choices(SYLLABLES, k=self._draw.randint(2, 4))) for _ in range(8)]
        title = " ".join(words[6:]) if self._draw.random() < 0.3 else None
        claim = f"{' '.join(words[:6])} {mark}."
        return VerifiedRecord(id=name, claim=claim, title=title, language="kk")


def check(library: Library, sent: Sent, kills: int, looked_up: set[str]) -> None:
    stored = {record.id: record for record in library.store.records.list(limit=1_000_000)}
    assert sent.acknowledged.keys() <= stored.keys()
    # The newest acknowledged state, or one that was sent after it: what a killed run had committed and not
    # yet printed, which is no more than a chunk each time.
    beyond = {
        name: sent.states[name].index(record) - sent.acknowledged.get(name, -1)
        for name, record in stored.items()
    }
    assert all(by >= 0 for by in beyond.values())
    assert sum(by > 0 for by in beyond.values()) <= CHUNK_SIZE * kills
    # Nothing half there: every passage has its vector, the index holds exactly these, no damage is found.
    passages = sum(2 if record.title else 1 for record in stored.values())
    assert library.store.records.count_passages() == passages == len(library.records)
    assert library.records.generation == library.store.records.revision()
    if library.store.database.is_sqlite:
        with library.store.database.reading() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
    assert library.store.audit_log.verify().broken_at is None
    assert library.notices == ()
    assert not_found(library, {name: stored[name] for name in looked_up & stored.keys()}) == []


def not_found(library: Library, records: Mapping[str, VerifiedRecord]) -> list[str]:
    names = sorted(records)
    hits = library.records.search([records[name].claim for name in names], 1)
    return [
        name for name, found in zip(names, hits, strict=True) if [hit.record.id for hit in found] != [name]
    ]


@pytest.mark.timeout(3_600)
def test_acknowledged_records_survive_kill_9(tmp_path: Path, tamga: Forks, library: Opener) -> None:
    sent = Sent()
    draw = random.Random()
    for round_number in range(KILLS):
        lines = sent.next_lines(round_number)
        output = start_with(tmp_path, lines)
        number = tamga.start(tmp_path / "records.jsonl", output)
        wait_for(output, draw.randint(1, 2 * CHUNK_SIZE), tamga)
        time.sleep(draw.uniform(0, 0.03))
        assert tamga.end(number) == signal.SIGKILL, tamga.said()
        printed = printed_in(output)
        # In input order from the first line on, whatever the moment of the kill.
        assert [line["id"] for line in printed] == [record.id for record in lines[: len(printed)]]
        assert all(line["status"] in ("added", "updated", "unchanged") for line in printed)
        sent.send(lines, printed)
        written = {line["record_id"] for line in printed}
        # Each look-up takes milliseconds: some of what this round wrote, some of all that was written before.
        looked_up = [
            draw.sample(sorted(names), min(LOOKED_UP, len(names))) for names in (written, sent.acknowledged)
        ]
        check(library(), sent, round_number + 1, set().union(*looked_up))
    # The last one is left alone.
    lines = [sent.states[name][-1] for name in sent.acknowledged] + sent.next_lines(KILLS)
    output = start_with(tmp_path, lines)
    assert tamga.end(tamga.start(tmp_path / "records.jsonl", output), how=None) == 0, tamga.said()
    printed = printed_in(output)
    assert len(printed) == len(lines)
    sent.send(lines, printed)
    check(library(), sent, KILLS, set(draw.sample(sorted(sent.acknowledged), LOOKED_UP)))


@pytest.mark.timeout(600)
def test_killed_while_the_database_is_made(
    tmp_path: Path, tamga: Forks, library: Opener, database_url: str
) -> None:
    """Moments between the first file, or the first table, and the first record."""
    lines = [VerifiedRecord(id="r", claim="ba de gi 1.", language="kk")]
    draw = random.Random()
    seen = False
    for _ in range(max(KILLS, 4)):
        library.close()
        shutil.rmtree(tmp_path / "home", ignore_errors=True)
        output = start_with(tmp_path, lines)
        number = tamga.start(tmp_path / "records.jsonl", output)
        time.sleep(draw.uniform(0, 0.4))
        assert tamga.end(number) in (0, signal.SIGKILL), tamga.said()
        opened: Library = library()
        # PostgreSQL keeps what an earlier round has made; only a home is made anew.
        seen = bool(printed_in(output)) or (seen and not opened.store.database.is_sqlite)
        assert int(seen) <= opened.store.records.count() <= 1
        assert opened.notices == ()


def start_with(folder: Path, lines: list[VerifiedRecord]) -> Path:
    """Write the input, empty the output; returns that."""
    text = "".join(record.model_dump_json(exclude_none=True) + "\n" for record in lines)
    (folder / "records.jsonl").write_text(text, encoding="utf-8")
    output = folder / "out.jsonl"
    output.write_bytes(b"")
    return output


def wait_for(output: Path, lines: int, tamga: Forks, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while output.read_bytes().count(b"\n") < lines:
        assert time.monotonic() < deadline, tamga.said()
        time.sleep(0.002)


def printed_in(output: Path) -> list[dict[str, Any]]:
    """Lines printed whole so far."""
    lines = output.read_bytes().splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith(b"\n")]
