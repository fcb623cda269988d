"""A real server process over an empty home: started, asked, damaged, started again."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from service.samples import sample_articles

ARTICLES = {article.id: article for article in sample_articles()}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def server(home: Path, *options: str) -> Iterator[tuple[httpx2.Client, Path]]:
    """A running `tamga serve`, ready, with a client for it and the file of its log; stopped by SIGTERM."""
    port = free_port()
    log = home.parent / f"serve-{port}.log"
    command = [
        sys.executable,
        "-c",
        "from service.cli import main; main()",
        "serve",
        "--port",
        str(port),
        *options,
    ]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, env={**os.environ, "TAMGA_HOME": str(home)}, stdout=out, stderr=out
        )
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
            wait_until_ready(client, process, log)
            yield client, log
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) in (0, -signal.SIGTERM), log.read_text()


def wait_until_ready(client: httpx2.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            ready = client.get("/readyz")
            if ready.status_code == 200:
                return
            assert ready.json()["checks"]["models"]["status"] == "loading", ready.text
        except httpx2.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(log.read_text())


KAZAKH = ARTICLES["sample-article-kk-ai-marking"]
BODY = {"text": KAZAKH.text, "title": KAZAKH.title, "outlet": KAZAKH.outlet, "language": KAZAKH.language}


@dataclass(frozen=True)
class FirstRun:
    """What the first server over an empty home answered, and its log."""

    home: Path
    location: str
    analysis: dict[str, Any]
    ready: dict[str, Any]
    log: str


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> FirstRun:
    home = tmp_path_factory.mktemp("e2e") / "home"
    with server(home, "--samples") as (client, log):
        answer = client.post("/v1/articles", json=BODY)
        assert answer.status_code == 201, answer.text
        ready = client.get("/readyz").json()
        return FirstRun(home, answer.headers["location"], answer.json(), ready, log.read_text())


@pytest.fixture(scope="module")
def restarted(first_run: FirstRun) -> Iterator[tuple[httpx2.Client, Path]]:
    """A second server over the same home, after one byte of its index snapshot was flipped."""
    flip_byte_in_newest_snapshot(first_run.home)
    with server(first_run.home, "--samples") as running:
        yield running


def test_from_an_empty_home_a_kazakh_article_is_matched_with_russian_records(first_run: FirstRun) -> None:
    assert first_run.ready["records"] >= 90
    russian = [
        match
        for claim in first_run.analysis["claims"]
        for match in claim["matches"]
        if claim["status"] == "matched" and match["language"] == "ru"
    ]
    assert russian
    assert all(match["evidence"]["text"] and match["url"] for match in russian)


def test_no_text_of_an_article_reaches_the_log(first_run: FirstRun) -> None:
    assert "POST /v1/articles" in first_run.log
    assert KAZAKH.text[:40] not in first_run.log
    assert KAZAKH.title not in first_run.log


def test_a_damaged_snapshot_is_rebuilt_told_and_answers_the_same(
    first_run: FirstRun, restarted: tuple[httpx2.Client, Path]
) -> None:
    client, log = restarted
    assert "rebuilt" in log.read_text()
    assert client.get("/readyz").json()["records"] == first_run.ready["records"]
    assert client.get(first_run.location).json() == first_run.analysis
    again = client.post("/v1/articles", json={**BODY, "store": False}).json()
    assert [matched(claim) for claim in again["claims"]] == [
        matched(claim) for claim in first_run.analysis["claims"]
    ]
    assert again["near_duplicates"][0]["article_id"] == first_run.analysis["id"]


def matched(claim: dict[str, Any]) -> tuple[int, int, str, list[str]]:
    return claim["start"], claim["end"], claim["status"], [match["record_id"] for match in claim["matches"]]


def flip_byte_in_newest_snapshot(home: Path) -> Path:
    vectors = [
        path
        for path in (home / "index" / "records").rglob("*")
        if path.is_file() and path.stat().st_size > 10_000
    ]
    newest = max(vectors, key=lambda path: path.stat().st_mtime_ns)
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    return newest


def test_a_large_body_is_refused_over_a_real_connection_and_the_server_lives_on(
    restarted: tuple[httpx2.Client, Path],
) -> None:
    client, _log = restarted
    body = json.dumps({"text": "мәтін " * 2_000_000}, ensure_ascii=False).encode()
    for content in (body, iter([body])):
        answer = client.post("/v1/articles", content=content, headers={"content-type": "application/json"})
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"
    assert client.get("/livez").status_code == 200


def test_the_event_loop_answers_while_an_article_is_analysed(restarted: tuple[httpx2.Client, Path]) -> None:
    client, _log = restarted
    long_text = "\n".join(article.text for article in list(ARTICLES.values())[:4])
    done = threading.Event()
    statuses: list[int] = []

    def analyse() -> None:
        try:
            body = {"text": long_text, "language": "kk", "store": False}
            statuses.append(client.post("/v1/articles", json=body).status_code)
        finally:
            # Whatever becomes of the request: without this the loop below would have no end.
            done.set()

    thread = threading.Thread(target=analyse)
    thread.start()
    slowest = 0.0
    answered = 0
    with httpx2.Client(base_url=client.base_url) as other:
        while not done.wait(0.02):
            started = time.monotonic()
            assert other.get("/livez").status_code == 200
            slowest = max(slowest, time.monotonic() - started)
            answered += 1
    thread.join()
    assert statuses == [200]
    assert answered > 10
    assert slowest < 1.0


def test_a_second_process_adds_records_and_the_server_finds_them(
    first_run: FirstRun, restarted: tuple[httpx2.Client, Path]
) -> None:
    record = {"id": "live", "claim": "Водонапорную башню у вокзала построили в 1911 году.", "language": "ru"}
    client, _log = restarted
    added = subprocess.run(
        [sys.executable, "-c", "from service.cli import main; main()", "index", "add", "-"],
        input=json.dumps(record).encode(),
        env={**os.environ, "TAMGA_HOME": str(first_run.home)},
        capture_output=True,
        check=True,
    )
    assert json.loads(added.stdout)["status"] == "added"
    answer = client.post(
        "/v1/claims/match", json={"claims": [{"text": "The water tower by the station was built in 1911."}]}
    )
    assert answer.json()["results"][0]["matches"][0]["record_id"] == "live"


def test_a_taken_port_is_an_error_not_a_silence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                "from service.cli import main; main()",
                "serve",
                "--port",
                str(taken.getsockname()[1]),
            ],
            env={**os.environ, "TAMGA_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert done.returncode != 0
    assert "address already in use" in done.stderr
