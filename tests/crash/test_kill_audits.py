"""`kill -9` of a real server at random points of audits, on both databases: after its next start each audit
completes, with each item exactly once and in order.

The models, which would only take time to load, are stood in for; everything else is the service as it is.
CRASH_KILLS sets the number of kills.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest

from service.store import open_store

KILLS = int(os.environ.get("CRASH_KILLS", "3"))
ITEMS = 60

# Imports once, which takes seconds, then forks a server for each line on standard input.
SERVE = """
import os, sys, time
from datetime import UTC, datetime
from service import cli
import service.app, service.audits.work, service.commands.serve, service.logs, uvicorn
from service.analysis import Analyser
from service.analysis_models import Analysis, Truncated
from service.articles import read_article
from service.runtime import Runtime

def analyse(self, article, options):
    read = read_article(article, max_chars=1_000)
    time.sleep(0.01)
    return Analysis(
        id="art_0", created_at=datetime.now(UTC), stored=False, language="en", script="Latn",
        language_confidence=None, text=None, title=read.text, sentences=[], origin=None, claims=[],
        claims_status="done", claims_reason=read.text, related_records=[], near_duplicates=[], models={},
        index_generation=0, timings={}, truncated=Truncated(sentences=False, windows=False),
    )

Runtime.load = lambda self: None
Analyser.analyse = analyse
for line in sys.stdin:
    home, url, folder, port = line.rstrip("\\n").split("\\t")
    child = os.fork()
    if child == 0:
        os.environ |= {"TAMGA_HOME": home, "TAMGA_DATABASE_URL": url, "TAMGA_AUDIT_FOLDER": folder}
        cli.main(["serve", "--port", port])
        os._exit(0)
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""


class Servers:
    """Starts servers that can be killed."""

    def __init__(self, home: Path, database_url: str, folder: Path, log: Path) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TAMGA_")}
        environment |= {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
        self._line = f"{home}\t{database_url}\t{folder}"
        self._log = log
        self._child: int | None = None
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-c", SERVE],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                bufsize=1,
                env=environment,
            )

    def start(self) -> tuple[int, httpx2.Client]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self._process.stdin.write(f"{self._line}\t{port}\n")
        child = self._child = int(self._process.stdout.readline())
        client = httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
        deadline = time.monotonic() + 120
        while True:
            try:
                if client.get("/v1/audits").status_code == 200:
                    return child, client
            except httpx2.TransportError:
                pass
            assert time.monotonic() < deadline, self._log.read_text()[-3_000:]
            time.sleep(0.02)

    def kill(self, child: int) -> None:
        assert self._process.stdout is not None
        os.kill(child, signal.SIGKILL)
        assert int(self._process.stdout.readline()) == signal.SIGKILL
        self._child = None

    def close(self) -> None:
        if self._child is not None:
            os.kill(self._child, signal.SIGKILL)
        self._process.communicate(timeout=60)


def lines_of(name: str) -> list[dict[str, Any]]:
    # Every fifth repeats an earlier text, and some are bad.
    return [
        {"id": f"{name}-{n}", "text": "" if n % 17 == 3 else f"text {n - n % 5 if n % 5 == 4 else n}"}
        for n in range(ITEMS)
    ]


def content_of(name: str) -> bytes:
    return "".join(json.dumps(line) + "\n" for line in lines_of(name)).encode()


def begin(client: httpx2.Client, name: str, folder: Path) -> str:
    """An acknowledged audit; every second one is read from the folder."""
    if random.random() < 0.5:
        (folder / f"{name}.jsonl").write_bytes(content_of(name))
        answer = client.post(
            "/v1/audits", files={"path": (None, f"{name}.jsonl"), "checks": (None, "claims")}
        )
    else:
        file = (f"{name}.jsonl", content_of(name))
        answer = client.post("/v1/audits", files={"file": file}, data={"checks": "claims"})
    assert answer.status_code == 201, answer.text
    audit_id: str = answer.json()["id"]
    return audit_id


@pytest.mark.timeout(3_600)
def test_every_audit_completes_with_each_item_exactly_once(database_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "archives"
    folder.mkdir()
    servers = Servers(tmp_path / "home", database_url, folder, tmp_path / "log")
    draw = random.Random()
    audits: dict[str, str] = {}
    try:
        for number in range(KILLS):
            child, client = servers.start()
            with closing(client):
                audits[f"a{number}"] = begin(client, f"a{number}", folder)
                # Somewhere between its first item and the end of the next one's.
                time.sleep(draw.uniform(0, 1.5))
                servers.kill(child)
        child, client = servers.start()
        with closing(client):
            deadline = time.monotonic() + 300 + 10 * KILLS
            for name, audit_id in audits.items():
                while (state := client.get(f"/v1/audits/{audit_id}").json())["state"] != "done":
                    assert state["state"] in ("queued", "running"), (
                        state,
                        (tmp_path / "log").read_text()[-3_000:],
                    )
                    assert time.monotonic() < deadline, (state, (tmp_path / "log").read_text()[-3_000:])
                    time.sleep(0.05)
                check(client, name, audit_id, state)
            servers.kill(child)
    finally:
        servers.close()
    store = open_store(database_url)
    entries = [(entry.action, entry.subject) for entry in store.audit_log.list(limit=1_000)]
    for audit_id in audits.values():
        assert entries.count(("audit.create", audit_id)) == entries.count(("audit.end", audit_id)) == 1
    assert store.audit_log.verify().broken_at is None
    store.close()


def check(client: httpx2.Client, name: str, audit_id: str, state: dict[str, Any]) -> None:
    lines = lines_of(name)
    answer = client.get(f"/v1/audits/{audit_id}/results").text
    results = [json.loads(line) for line in answer.splitlines()]
    assert [result["id"] for result in results] == [line["id"] for line in lines]
    # Each has the answer to its own text.
    assert [result.get("claims_reason", "") for result in results] == [line["text"] for line in lines]
    bad = sum(line["text"] == "" for line in lines)
    assert {**state["items"], "reused": 0} == {"total": ITEMS, "done": ITEMS, "refused": bad, "reused": 0}
