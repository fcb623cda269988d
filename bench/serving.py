"""The HTTP service over real connections: latency, throughput beside the pipeline alone, and overload.

Starts ``tamga serve`` over a new home with the sample records and ``--records`` generated ones, and sends it
articles of 400 words made of the sample articles, without storing them:

1. ``--rounds`` times in turn through the pipeline in this process and through the service, so that whatever
   else the machine does falls on both alike; the share is the median of the rounds;
2. 1, 4 and 16 clients, each sending its next article when it has the answer to the last;
3. requests at ``--overload`` times the capacity, at random moments, whether or not earlier ones were done,
   between two measurements of that capacity;
4. articles that are stored, and SIGTERM in the middle of them: a new service over the same home must know
   every one whose answer arrived.

Needs no corpus. Run: ``python -m bench.serving [--seconds 30] [--records 10000] [--json FILE]``
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from service.analysis import AnalysisOptions
from service.articles import ArticleInput
from service.runtime import Runtime
from service.samples import sample_articles, sample_records
from service.settings import load_settings

WORDS = 400
CLIENTS = (1, 4, 16)
TAMGA = [sys.executable, "-c", "from service.cli import main; main()"]
# Nobody waits for longer: a request without an answer by then is hung.
HUNG_SECONDS = 90.0


def articles(checks: list[str]) -> list[dict[str, Any]]:
    """Requests of 400 words, one for each sample article, repeated to that length."""
    made = []
    for article in sample_articles():
        words = itertools.islice(itertools.cycle(article.text.split()), WORDS)
        made.append({"text": " ".join(words), "language": article.language, "store": False, "checks": checks})
    return made


def generated_records(count: int) -> Iterator[str]:
    """Lines for ``tamga index add``: the sample records with a number of their own each."""
    for number, record in zip(range(count), itertools.cycle(sample_records()), strict=False):
        yield json.dumps(
            {"id": f"generated-{number}", "claim": f"{record.claim} ({number})", "language": record.language}
        )


@contextmanager
def server(home: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A ready service; yields its address and process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "TAMGA_HOME": str(home), "TAMGA_LOG_LEVEL": "warning"}
    process = subprocess.Popen([*TAMGA, "serve", "--port", str(port), "--samples"], env=environment)
    try:
        while True:
            try:
                if httpx2.get(f"{address}/readyz").status_code == 200:
                    break
            except httpx2.TransportError:
                pass
            if process.poll() is not None:
                raise SystemExit("the service did not start")
            time.sleep(0.2)
        yield address, process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(120)


def resident_megabytes(process: int) -> float:
    """What the process has in memory."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise OSError(f"no memory figure for process {process}")


def in_process(runtime: Runtime, bodies: list[dict[str, Any]], seconds: float) -> float:
    """Articles a second through the pipeline alone."""
    options = AnalysisOptions(checks=bodies[0]["checks"])
    done, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        runtime.analyser.analyse(ArticleInput.model_validate(bodies[done % len(bodies)]), options)
        done += 1
    return done / (time.perf_counter() - started)


def in_turn(
    home: Path, address: str, bodies: list[dict[str, Any]], rounds: int, seconds: float
) -> list[dict[str, float]]:
    """Articles a second through the pipeline alone and through the service, round by round."""
    runtime = Runtime(load_settings(home=home))
    runtime.load()
    in_process(runtime, bodies, seconds / 2)
    measured = []
    for number in range(rounds):
        sides = {
            "in_process": lambda: in_process(runtime, bodies, seconds),
            "http": lambda: asyncio.run(closed_loop(address, bodies, 4, seconds))["articles_per_second"],
        }
        # Each goes first as often as the other.
        order = list(sides) if number % 2 else list(reversed(sides))
        measured.append({name: sides[name]() for name in order})
    runtime.close()
    return measured


async def closed_loop(
    address: str, bodies: list[dict[str, Any]], clients: int, seconds: float
) -> dict[str, Any]:
    """Each client sends its next article when it has the answer to the last."""
    latencies: list[float] = []
    statuses: Counter[str] = Counter()
    turn = itertools.count()
    started = time.perf_counter()

    async def work(client: httpx2.AsyncClient) -> None:
        while time.perf_counter() - started < seconds:
            sent = time.perf_counter()
            answer = await client.post("/v1/articles", json=bodies[next(turn) % len(bodies)])
            if answer.status_code in (429, 503) and "retry-after" in answer.headers:
                # A machine too slow for so many clients: they come again when they are told to.
                statuses["refused"] += 1
                await asyncio.sleep(float(answer.headers["retry-after"]))
                continue
            if answer.is_error:
                raise SystemExit(f"the service answered {answer.status_code}: {answer.text}")
            latencies.append(time.perf_counter() - sent)

    async with httpx2.AsyncClient(base_url=address, timeout=HUNG_SECONDS) as client:
        await asyncio.gather(*(work(client) for _ in range(clients)))
    elapsed = time.perf_counter() - started
    return {
        "clients": clients,
        "articles_per_second": len(latencies) / elapsed,
        "refused": statuses["refused"],
        **percentiles(latencies),
    }


async def open_loop(
    address: str, bodies: list[dict[str, Any]], rate: float, seconds: float, process: int
) -> dict[str, Any]:
    """Articles come at `rate` a second on average, whether or not earlier ones were answered."""
    memory: list[float] = []

    async def watch() -> None:
        while True:
            memory.append(resident_megabytes(process))
            await asyncio.sleep(1)

    watching = asyncio.create_task(watch())
    draw = random.Random(1)
    statuses: Counter[str] = Counter()
    refusals: list[float] = []
    finished: list[float] = []
    tasks: set[asyncio.Task[None]] = set()
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=100)

    async def send(client: httpx2.AsyncClient, body: dict[str, Any]) -> None:
        sent = time.perf_counter()
        try:
            answer = await client.post("/v1/articles", json=body)
        except httpx2.TimeoutException:
            statuses["hung"] += 1
            return
        except httpx2.TransportError:
            statuses["broken"] += 1
            return
        statuses[str(answer.status_code)] += 1
        if answer.status_code in (429, 503):
            refusals.append(time.perf_counter() - sent)
        elif answer.status_code == 200:
            finished.append(time.perf_counter())

    async with httpx2.AsyncClient(base_url=address, timeout=HUNG_SECONDS, limits=limits) as client:
        started = next_at = time.perf_counter()
        for number in itertools.count():
            next_at += draw.expovariate(rate)
            if next_at - started > seconds:
                break
            await asyncio.sleep(max(next_at - time.perf_counter(), 0))
            task = asyncio.create_task(send(client, bodies[number % len(bodies)]))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)
    watching.cancel()
    # While requests come: what is finished of the backlog afterwards is no throughput under overload.
    in_time = sum(at - started <= seconds for at in finished)
    return {
        "offered_per_second": rate,
        "finished_per_second": in_time / seconds,
        "statuses": dict(statuses),
        "refusal_seconds": percentiles(refusals),
        "resident_megabytes": {"first": memory[0], "greatest": max(memory), "last": memory[-1]},
    }


async def until_stopped(
    address: str, bodies: list[dict[str, Any]], process: subprocess.Popen[bytes], seconds: float
) -> tuple[Counter[str], list[str]]:
    """Sixteen clients store articles; after `seconds` the service gets SIGTERM. Returns what became of the
    requests, and the ids of the articles whose answer arrived.
    """
    statuses: Counter[str] = Counter()
    acknowledged: list[str] = []
    turn = itertools.count()

    async def work(client: httpx2.AsyncClient) -> None:
        while True:
            body = {**bodies[next(turn) % len(bodies)], "store": True}
            try:
                answer = await client.post("/v1/articles", json=body)
            except httpx2.ConnectError:
                statuses["not connected"] += 1
                return
            except httpx2.TimeoutException:
                statuses["hung"] += 1
                return
            except httpx2.TransportError:
                # Sent into a connection that was closed at that moment: not answered, so not acknowledged.
                statuses["closed"] += 1
                return
            statuses[str(answer.status_code)] += 1
            if answer.status_code == 201:
                acknowledged.append(answer.json()["id"])
            elif answer.status_code == 503 and process.poll() is None:
                await asyncio.sleep(0.1)

    async def stop() -> None:
        await asyncio.sleep(seconds)
        process.send_signal(signal.SIGTERM)

    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=100)
    async with httpx2.AsyncClient(base_url=address, timeout=HUNG_SECONDS, limits=limits) as client:
        await asyncio.gather(stop(), *(work(client) for _ in range(max(CLIENTS))))
    return statuses, acknowledged


def stopped_under_load(home: Path, bodies: list[dict[str, Any]], seconds: float) -> dict[str, Any]:
    """SIGTERM while articles are stored: how it ended, and which acknowledged ones are missing afterwards."""
    with server(home) as (address, process):
        statuses, acknowledged = asyncio.run(until_stopped(address, bodies, process, seconds))
        signalled = time.perf_counter()
        process.wait(120)
        ended = time.perf_counter() - signalled
    with server(home) as (address, _), httpx2.Client(base_url=address) as client:
        missing = [one for one in acknowledged if client.get(f"/v1/articles/{one}").status_code != 200]
    return {
        "acknowledged": len(acknowledged),
        "missing_afterwards": len(missing),
        "statuses": dict(statuses),
        "exit_status": process.returncode,
        "seconds_from_last_answer_to_end": ended,
    }


def percentiles(values: list[float]) -> dict[str, float]:
    """p50, p95, p99 in seconds; nothing for fewer than two values."""
    if len(values) < 2:
        return {}
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return {"p50": cuts[49], "p95": cuts[94], "p99": cuts[98]}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30, help="length of each measurement")
    parser.add_argument("--records", type=int, default=10_000, help="generated records in the index")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of pipeline and service in turn")
    parser.add_argument("--overload", type=float, default=3.0, help="offered load by capacity")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--checks", default="origin,claims", help="what the articles are sent for")
    given = parser.parse_args()
    checks = given.checks.split(",")
    bodies = articles(checks)
    figures: dict[str, Any] = {
        "cpus": os.cpu_count(),
        "words": WORDS,
        "records": given.records,
        "checks": checks,
    }
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        if given.records:
            subprocess.run(
                [*TAMGA, "index", "add", "-"],
                input="\n".join(generated_records(given.records)).encode(),
                env={**os.environ, "TAMGA_HOME": str(home)},
                stdout=subprocess.DEVNULL,
                check=True,
            )
        figures["load_before"] = os.getloadavg()
        with server(home) as (address, process):
            # One round that is not counted: caches fill, and the queue learns what an article takes.
            asyncio.run(closed_loop(address, bodies, 1, given.seconds / 3))
            figures["in_turn"] = in_turn(home, address, bodies, given.rounds, given.seconds / 3)
            figures["closed"] = [
                asyncio.run(closed_loop(address, bodies, clients, given.seconds)) for clients in CLIENTS
            ]
            before = figures["closed"][-1]["articles_per_second"]
            rate = given.overload * before
            figures["overload"] = asyncio.run(open_loop(address, bodies, rate, given.seconds, process.pid))
            after = asyncio.run(closed_loop(address, bodies, CLIENTS[-1], given.seconds))
            figures["capacity_per_second"] = [before, after["articles_per_second"]]
        figures["stopped_under_load"] = stopped_under_load(home, bodies, given.seconds / 3)
        figures["load_after"] = os.getloadavg()
    figures["http_share_of_pipeline"] = statistics.median(
        pair["http"] / pair["in_process"] for pair in figures["in_turn"]
    )
    capacity = statistics.mean(figures["capacity_per_second"])
    figures["goodput_share_of_capacity"] = figures["overload"]["finished_per_second"] / capacity
    text = json.dumps(figures, indent=1)
    print(text)
    if given.json:
        given.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
