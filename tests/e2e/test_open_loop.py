"""Three times as much as can be done, for seconds on end: as much is finished as ever, the rest is refused at
once, nobody hangs, and memory does not grow.

The models are stood in for by a pause, so that the machine's speed does not count: what is measured is
everything between the connection and the models.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from bench.serving import closed_loop, open_loop

SECONDS_PER_ARTICLE = 0.05
SERVE = f"""
import sys, time
from datetime import UTC, datetime
from service import cli
from service.analysis import Analyser
from service.analysis_models import Analysis, Truncated
from service.runtime import Runtime

def analyse(self, article, options):
    time.sleep({SECONDS_PER_ARTICLE})
    return Analysis(
        id="art_0", created_at=datetime.now(UTC), stored=False, language="en", script="Latn",
        language_confidence=None, text=None, title=None, sentences=[], origin=None, claims=[],
        claims_status="done", related_records=[], near_duplicates=[], models={{}}, index_generation=0,
        timings={{}}, truncated=Truncated(sentences=False, windows=False),
    )

Runtime.load = lambda self: None
Analyser.analyse = analyse
cli.main(["serve", "--port", sys.argv[1]])
"""
BODIES = [{"text": "The town council opened the rebuilt bridge. " * 40, "language": "en", "store": False}]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """A service whose models take a fixed time; its address and process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "TAMGA_HOME": str(tmp_path / "home"), "TAMGA_LOG_LEVEL": "warning"}
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(port)], env=environment)
    try:
        deadline = time.monotonic() + 120
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}") as client:
            while True:
                assert process.poll() is None
                assert time.monotonic() < deadline
                try:
                    if client.post("/v1/articles", json=BODIES[0]).status_code == 200:
                        break
                except httpx2.TransportError:
                    pass
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) in (0, -signal.SIGTERM)


def test_under_three_times_the_load_as_much_is_finished_and_the_rest_refused_at_once(
    server: tuple[str, int],
) -> None:
    address, process = server
    before = asyncio.run(closed_loop(address, BODIES, 4, 3))["articles_per_second"]
    loaded = asyncio.run(open_loop(address, BODIES, 3 * before, 8, process))
    after = asyncio.run(closed_loop(address, BODIES, 4, 3))["articles_per_second"]
    assert before <= 1.05 / SECONDS_PER_ARTICLE
    assert loaded["finished_per_second"] >= 0.9 * min(before, after)
    assert set(loaded["statuses"]) <= {"200", "429", "503"}
    refused = loaded["statuses"].get("429", 0) + loaded["statuses"].get("503", 0)
    assert refused > loaded["statuses"]["200"] / 2
    # On a machine that does nothing else it is some milliseconds.
    assert loaded["refusal_seconds"]["p50"] < SECONDS_PER_ARTICLE
    assert loaded["refusal_seconds"]["p99"] < 1
    memory = loaded["resident_megabytes"]
    assert memory["greatest"] - memory["first"] < 30
