"""`kill -9` at random moments of concurrent writes, on both databases: what was acknowledged stays, what was
not is whole or absent, and the audit log tells exactly what is there.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from service.auth.keys import Keys
from service.store import Store, open_store
from service.store.idempotency import StoredAnswer

KILLS = int(os.environ.get("CRASH_KILLS", "6"))

# Imports once, then forks a writer for each line on standard input: "database address<TAB>output file".
WRITERS = """
import hashlib, json, os, sys, threading
from datetime import UTC, datetime, timedelta
import numpy as np
from index.articles import Article, EmbeddedArticle
from index.passages import Passage
from index.records import VerifiedRecord
from service.auth.keys import Keys
from service.auth.scopes import LOCAL
from service.records import RecordIngest
from service.store import open_store
from service.store.idempotency import StoredAnswer

class Encoder:
    model_id, dimension, max_tokens = "bytes-8", 8, 512
    def encode(self, texts, *, prompt="", progress=False):
        rows = [np.frombuffer(hashlib.sha256(text.encode()).digest()[:8], dtype=np.uint8) for text in texts]
        vectors = np.array(rows, dtype=np.float32).reshape(len(texts), 8) + 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    def count_tokens(self, texts):
        return [len(text.split()) for text in texts]

def write(url, output, run):
    store = open_store(url)
    encoder, lock = Encoder(), threading.Lock()
    out = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    def acknowledge(**done):
        with lock:
            os.write(out, (json.dumps(done) + "\\n").encode())
    def records():
        ingest, number = RecordIngest(store.records, encoder, chunk_size=4), 0
        while True:
            number += 1
            ids = [f"{run}-{number}-{n}" for n in range(4)]
            part = [VerifiedRecord(id=name, claim=f"Claim {name}.", language="en") for name in ids]
            list(ingest.add(part))
            acknowledge(records=ids)
    def keys():
        made = Keys(store.access_keys)
        made.create_first("first", by=LOCAL)
        while True:
            issued = made.create("k", "reader", by=LOCAL)
            acknowledge(key=issued.token)
            made.revoke(issued.key.id, by=LOCAL)
            acknowledge(revoked=issued.key.id)
    def articles():
        number = 0
        while True:
            number += 1
            text = f"Article {run} {number}."
            article = Article(id=f"a-{run}-{number}", text=text, language="en")
            embedded = EmbeddedArticle((Passage("text", 0, len(text)),), encoder.encode([text]), 1)
            store.articles.save(
                article, embedded, model_id="bytes-8", analysis={"id": article.id}, versions={},
                index_generation=0,
            )
            acknowledge(article=article.id)
    def answers():
        number = 0
        while True:
            number += 1
            now = datetime.now(UTC)
            name, until = f"{run}-{number}", now + timedelta(hours=1)
            store.idempotency.begin("c", name, "r", now=now, until=until)
            store.idempotency.complete("c", name, StoredAnswer(201, [], name.encode()), until=until)
            acknowledge(answer=name)
    for work in (records, keys, articles, answers):
        threading.Thread(target=work).start()

for line in sys.stdin:
    url, output, run = line.rstrip("\\n").split("\\t")
    child = os.fork()
    if child == 0:
        write(url, output, run)
        threading.Event().wait()
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""


@pytest.mark.timeout(3_600)
def test_acknowledged_writes_survive_kill_9(database_url: str, tmp_path: Path, kills: Any) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    writers = subprocess.Popen(
        [sys.executable, "-c", WRITERS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
        env=environment,
    )
    assert writers.stdin is not None
    assert writers.stdout is not None
    output = tmp_path / "acknowledged"
    output.touch()
    draw = random.Random()
    try:
        for run in range(KILLS):
            before = output.stat().st_size
            writers.stdin.write(f"{database_url}\t{output}\t{run}\n")
            child = int(writers.stdout.readline())
            deadline = time.monotonic() + 60
            while output.stat().st_size == before:
                assert time.monotonic() < deadline
                time.sleep(0.002)
            time.sleep(draw.uniform(0, 0.5))
            os.kill(child, signal.SIGKILL)
            assert int(writers.stdout.readline()) == signal.SIGKILL
            kills.settle()
            store = open_store(database_url)
            try:
                check(store, [json.loads(line) for line in output.read_text().splitlines()])
            finally:
                store.close()
    finally:
        writers.kill()
        writers.communicate()


def check(store: Store, acknowledged: list[dict[str, Any]]) -> None:
    records = {record.id for record in store.records.list(limit=1_000_000)}
    wanted = [set(done["records"]) for done in acknowledged if "records" in done]
    assert set().union(*wanted) <= records
    # Chunks of four are written in one transaction each: none is there in part.
    chunks: dict[str, int] = {}
    for record_id in records:
        chunk = record_id.rpartition("-")[0]
        chunks[chunk] = chunks.get(chunk, 0) + 1
    assert set(chunks.values()) <= {4}
    assert store.records.count_passages() == len(records)
    for done in acknowledged:
        if "article" in done:
            assert store.articles.analysis(done["article"]) == {"id": done["article"]}
        if "answer" in done:
            name, now = done["answer"], datetime.now(UTC)
            kept = store.idempotency.begin("c", name, "r", now=now, until=now)
            assert kept == StoredAnswer(201, [], name.encode())
    keys = Keys(store.access_keys)
    revoked = {done["revoked"] for done in acknowledged if "revoked" in done}
    made = [done["key"] for done in acknowledged if "key" in done]
    for token in made:
        key = keys.get(token.split("_")[1])
        assert key.id not in revoked or key.state == "revoked"
    # The log tells every write once, and no other.
    assert store.audit_log.verify().broken_at is None
    entries = store.audit_log.list(limit=1_000_000)
    told = [
        record_id
        for entry in entries
        if entry.action == "records.write"
        for record_id in entry.detail["added"]
    ]
    assert sorted(told) == sorted(records)
    stored = [entry.subject for entry in entries if entry.action == "article.store"]
    assert len(stored) == len(set(stored)) == store.articles.count()
    created = [entry.subject for entry in entries if entry.action == "key.create"]
    assert created == [key.id for key in keys.list(limit=1_000_000)]
