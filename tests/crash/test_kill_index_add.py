"""`kill -9` while `tamga index add` takes in 5,000 records: what was acknowledged stays, nothing is half.

The encoder is a tiny model with random weights in a sentence-transformers folder, named by TAMGA_ENCODER:
this test is about writes, and embeds a thousand texts a second.
"""

from __future__ import annotations

import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from classifiers.models import load_encoder
from index.records import VerifiedRecord
from service.library import Library, open_library
from service.records import CHUNK_SIZE
from service.settings import Settings

RECORDS = 5_000
KILLS = 5
SYLLABLES = [
    "ba",
    "de",
    "gi",
    "ko",
    "lu",
    "ma",
    "ne",
    "ri",
    "so",
    "tu",
    "va",
    "ze",
    "şo",
    "ğü",
    "ні",
    "ұл",
    "ың",
    "эр",
    "ця",
]


@pytest.fixture(scope="module")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BertModel of one layer over characters, as sentence-transformers saves it."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("encoder")
    letters = sorted(set("".join(SYLLABLES)) | set("query:0123456789."))
    vocabulary = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *letters,
        *(f"##{letter}" for letter in letters),
    ]
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    tokenizer = BertTokenizerFast(vocab=str(folder / "vocab.txt"), do_lower_case=False)
    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=48,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
    )
    plain = folder / "plain"
    BertModel(config).save_pretrained(plain)
    tokenizer.save_pretrained(plain)
    words = Transformer(str(plain), max_seq_length=128)
    saved = folder / "sentence-transformers"
    SentenceTransformer(modules=[words, Pooling(48, pooling_mode="mean"), Normalize()], device="cpu").save(
        str(saved)
    )
    return saved


def make_records() -> dict[str, VerifiedRecord]:
    draw = random.Random(11)

    def words(count: int) -> str:
        return " ".join("".join(draw.choices(SYLLABLES, k=draw.randint(2, 4))) for _ in range(count))

    return {
        f"r{number:04}": VerifiedRecord(
            id=f"r{number:04}",
            claim=f"{words(6)} {number}.",
            title=words(4) if number % 3 == 0 else None,
            language="kk",
        )
        for number in range(RECORDS)
    }


# Importing torch and loading a model takes seconds of computing: one process does it and forks for each run.
# It computes nothing itself, so that no thread pool is lost in the fork.
FORKING = """
import os, sys
import service.records, service.store
from classifiers.models import load_encoder
from service.cli import run
load_encoder(os.environ["TAMGA_ENCODER"], threads=1)
for line in sys.stdin:
    home, source, output = line.rstrip("\\n").split("\\t")
    child = os.fork()
    if child == 0:
        os.environ["TAMGA_HOME"] = home
        os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
        os._exit(run(["index", "add", source]))
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""


class Tamga:
    """Runs `tamga index add`, each time in a process of its own that can be killed."""

    def __init__(self, encoder: Path) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TAMGA_")}
        environment |= {"TAMGA_ENCODER": str(encoder), "TAMGA_THREADS": "1", "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-c", FORKING],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            bufsize=0,
        )

    def start(self, home: Path, source: Path, output: Path) -> Run:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{home}\t{source}\t{output}\n".encode())
        return Run(int(self._process.stdout.readline()), self._process.stdout, output)

    def close(self) -> None:
        self._process.communicate(timeout=30)


class Run:
    """One run of `tamga index add`."""

    def __init__(self, number: int, ends: IO[bytes], output: Path) -> None:
        self._number = number
        self._ends = ends
        self._output = output
        self.status: int | None = None

    def acknowledged(self) -> list[dict[str, Any]]:
        """Lines printed whole so far."""
        lines = self._output.read_bytes().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith(b"\n")]

    def wait_for(self, lines: int, seconds: float = 90) -> None:
        """Until so many lines are printed, or the run has ended by itself."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self._ended():
            if self._output.exists() and self._output.read_bytes().count(b"\n") >= lines:
                return
            time.sleep(0.002)
        assert self.status == 0

    def kill(self) -> bool:
        """`kill -9`; says whether the run was still going."""
        if self._ended():
            return False
        os.kill(self._number, signal.SIGKILL)
        self.status = int(self._ends.readline())
        return self.status == signal.SIGKILL

    def _ended(self) -> bool:
        if self.status is None and select.select([self._ends], [], [], 0)[0]:
            self.status = int(self._ends.readline())
        return self.status is not None


@pytest.fixture(scope="module")
def tamga(encoder_folder: Path) -> Iterator[Tamga]:
    started = Tamga(encoder_folder)
    yield started
    started.close()


@pytest.fixture
def library(tmp_path: Path, encoder_folder: Path) -> Iterator[Any]:
    """Opens the killed process's home anew, as the next start does; one encoder for all."""
    encoder = load_encoder(str(encoder_folder), threads=1)
    settings = Settings(home=tmp_path / "home")
    opened: list[Library] = []

    def reopen() -> Library:
        while opened:
            opened.pop().close()
        opened.append(open_library(settings, encoder))
        return opened[0]

    yield reopen
    while opened:
        opened.pop().close()


def check(library: Library, acknowledged: set[str], records: dict[str, VerifiedRecord]) -> None:
    stored = {record.id: record for record in library.store.records.list(limit=RECORDS + 1)}
    assert acknowledged <= stored.keys()
    # Not acknowledged but there: at most the chunk that was committed and not yet printed, per kill.
    assert len(stored) - len(acknowledged) <= CHUNK_SIZE * (KILLS + 1)
    assert all(record == records[record_id] for record_id, record in stored.items())
    # Nothing half there: every passage has its vector, the index holds exactly these, SQLite finds no damage.
    passages = sum(2 if record.title else 1 for record in stored.values())
    assert library.store.records.count_passages() == passages == len(library.records)
    with library.store.database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
    assert library.notices == ()
    ids = sorted(acknowledged)
    found = library.records.search([records[record_id].claim for record_id in ids], 1)
    lost = [
        record_id
        for record_id, hits in zip(ids, found, strict=True)
        if [h.record.id for h in hits] != [record_id]
    ]
    assert lost == []


@pytest.mark.timeout(240)
def test_acknowledged_records_survive_kill_9(tmp_path: Path, tamga: Tamga, library: Any) -> None:
    records = make_records()
    source = tmp_path / "records.jsonl"
    lines = [record.model_dump_json(exclude_none=True) + "\n" for record in records.values()]
    source.write_text("".join(lines), encoding="utf-8")
    home = tmp_path / "home"
    draw = random.Random()
    acknowledged: set[str] = set()
    for round_number in range(KILLS):
        run = tamga.start(home, source, tmp_path / f"out-{round_number}.jsonl")
        # Every round reads the same file: the records of the rounds before come back as unchanged.
        run.wait_for(len(acknowledged) + draw.randint(1, RECORDS // (KILLS + 1)))
        time.sleep(draw.uniform(0, 0.1))
        assert run.kill()
        printed = run.acknowledged()
        # In input order from the first line on, whatever the moment of the kill.
        assert [line["id"] for line in printed] == list(records)[: len(printed)]
        assert all(line["status"] in ("added", "unchanged") for line in printed)
        acknowledged.update(line["record_id"] for line in printed)
        check(library(), acknowledged, records)
    last = tamga.start(home, source, tmp_path / "out-last.jsonl")
    last.wait_for(RECORDS + 1)
    assert len(last.acknowledged()) == RECORDS
    check(library(), set(records), records)


@pytest.mark.timeout(120)
def test_killed_while_the_database_is_made(tmp_path: Path, tamga: Tamga, library: Any) -> None:
    """Six moments between the first file and the first record."""
    source = tmp_path / "records.jsonl"
    source.write_text('{"id": "r", "claim": "ba de gi 1."}\n', encoding="utf-8")
    draw = random.Random()
    for round_number in range(6):
        home = tmp_path / "home"
        shutil.rmtree(home, ignore_errors=True)
        output = tmp_path / f"out-{round_number}.jsonl"
        run = tamga.start(home, source, output)
        deadline = time.monotonic() + 30
        while not (home / "tamga.db").exists() and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(draw.uniform(0, 0.1))
        run.kill()
        opened: Library = library()
        assert len(run.acknowledged()) <= opened.store.records.count() <= 1
        assert opened.notices == ()
