"""SIGTERM: what was taken is answered, nothing new is taken, the process ends.

The models, which would only take time to load, are stood in for: an article takes until a file named by its
title lies in the home.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

SERVE = """
import sys, time
from service import cli
from service.analysis import Analyser
from service.errors import EmptyText
from service.runtime import Runtime

def analyse(self, article, options):
    home = self._runtime.settings.home
    (home / f"{article.title}.begun").touch()
    while not (home / article.title).exists():
        time.sleep(0.01)
    raise EmptyText("carried out")

Runtime.load = lambda self: None
Analyser.analyse = analyse
cli.main(["serve", "--port", sys.argv[1]])
"""


def until(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize(("drain_seconds", "expected"), [("60", 422), ("0", 503)])
def test_what_waits_is_begun_within_the_time_for_draining_and_refused_after_it(
    tmp_path: Path, drain_seconds: str, expected: int
) -> None:
    home, port = tmp_path / "home", free_port()
    environment = {**os.environ, "TAMGA_HOME": str(home), "TAMGA_DRAIN_SECONDS": drain_seconds}
    command = [sys.executable, "-c", SERVE, str(port)]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    answers: dict[str, int] = {}
    try:
        until(lambda: listens(port))
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:

            def post(title: str) -> threading.Thread:
                def send() -> None:
                    answer = client.post("/v1/articles", json={"text": "abc", "title": title})
                    answers[title] = answer.status_code

                thread = threading.Thread(target=send)
                thread.start()
                return thread

            threads = [post("first")]
            until((home / "first.begun").exists)
            threads.append(post("second"))
            # Answers to requests that were sent later: the second is in the queue by then.
            for _ in range(20):
                assert client.get("/v1/keys").status_code == 200
            process.send_signal(signal.SIGTERM)
            until(lambda: not listens(port))
            (home / "first").touch()
            (home / "second").touch()
            for thread in threads:
                thread.join(60)
        assert process.wait(60) in (0, -signal.SIGTERM)
        assert answers == {"first": 422, "second": expected}
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
