"""How fast the dashboard's pages come with 50,000 undecided reviews, over HTTP, on SQLite and PostgreSQL.

    python -m bench.dashboard [--json docs/figures/dashboard.json] [--reviews 50000]

A real server process with one person signed in; stand-ins take the place of the models, which these pages do
not ask. Times the queue in every order and under filters, and the page of a review whose article has 100
claims with three records each. Exits with 1 where a page misses its target. PostgreSQL is Debian's, started
for the run; it is left out where none is installed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx2

from bench.review_queue import databases, fill
from service.store import open_store
from service.store.reviews import RANKS

ROUNDS: Final = 60
QUEUE_TARGET: Final = 200
ARTICLE_TARGET: Final = 300
CLAIMS: Final = 100
# Not one of `bench.review_queue`, so that the article is found.
OUTLET: Final = "The measured outlet"
PASSWORD: Final = "seven quiet rivers meet"
STAND_IN: Final = Path(__file__).parents[1] / "tests" / "dashboard" / "stand_in.py"


def article() -> str:
    """A text of which every second sentence is a claim."""
    return "Nobody had asked the machine. " + " ".join(
        f"Mill {number} has {200 + number} workers on its {number % 7 + 2} floors."
        " The town has known it for as long as anybody can remember."
        for number in range(1, CLAIMS + 1)
    )


@contextmanager
def server(home: Path, database: str) -> Iterator[tuple[httpx2.Client, int]]:
    """A client that a person has signed in with, and the number of the server's process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "TAMGA_HOME": str(home), "TAMGA_DATABASE_URL": database}
    with (home.parent / "log").open("wb") as log:
        command = [sys.executable, str(STAND_IN), str(port)]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        headers = {"sec-fetch-site": "same-origin", "accept": "text/html", "accept-language": "en"}
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as client:
            _wait_until_ready(client, process, home.parent / "log")
            body = {"login": "bench", "name": "Bench", "role": "admin", "password": PASSWORD}
            client.post("/v1/accounts", json=body).raise_for_status()
            signed_in = client.post("/dashboard/login", data={"login": "bench", "password": PASSWORD})
            assert signed_in.status_code == 303, signed_in.text
            yield client, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _wait_until_ready(client: httpx2.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"the server is not ready:\n{log.read_text()}")


def pages(client: httpx2.Client, count: int) -> dict[str, tuple[str, int]]:
    """Name -> address and target in milliseconds."""
    stored = client.post(
        "/dashboard/check", data={"text": article(), "language": "en", "outlet": OUTLET, "store": "yes"}
    )
    assert stored.status_code == 200, stored.text
    (review,) = client.get("/v1/reviews", params={"outlet": OUTLET}).json()["items"]
    of_article = f"/dashboard/reviews/{review['id']}"
    shown = client.get(of_article).text
    assert all(f'id="claim-{number}"' in shown for number in range(1, CLAIMS + 1))
    queue = {
        "queue": "",
        "queue, one language": "?language=hu",
        "queue, one kind": "?kind=contradiction",
        "queue, a rare kind in one language": "?kind=declared_conflict&language=en",
        "queue, one outlet": "?outlet=Outlet+0",
        "queue, oldest first": "?sort=age",
        "queue, from the middle": f"?after={RANKS // 2}-{count // 2}",
        "queue, oldest first, from the middle": f"?sort=age&after=0-{count // 2}",
        "queue, the last page": f"?after=0-{count // 2}",
    }
    return {name: (f"/dashboard/queue{query}", QUEUE_TARGET) for name, query in queue.items()} | {
        f"article with {CLAIMS} claims": (of_article, ARTICLE_TARGET)
    }


def measure(client: httpx2.Client, process: int, count: int) -> dict[str, dict[str, float]]:
    """Milliseconds by page, from request to the last byte. `cpu` is the server's own work for one answer,
    whatever else the machine does (SQLite works in the server, PostgreSQL does not).
    """
    found = {}
    for name, (address, target) in pages(client, count).items():
        for _ in range(3):
            client.get(address).raise_for_status()
        times, used = [], _processor_time(process)
        for _ in range(ROUNDS):
            started = time.perf_counter()
            answer = client.get(address)
            times.append((time.perf_counter() - started) * 1_000)
            answer.raise_for_status()
        busy = (_processor_time(process) - used) * 1_000 / ROUNDS
        times.sort()
        found[name] = {
            "cpu": round(busy, 1),
            "p50": round(statistics.median(times), 1),
            "p95": round(times[int(ROUNDS * 0.95) - 1], 1),
            "max": round(times[-1], 1),
            "kilobytes": round(len(answer.content) / 1_000),
            "target": target,
        }
    return found


def _processor_time(process: int) -> float:
    """Seconds of processor time that a process has used."""
    # After the name in brackets, which may hold anything: the 12th and 13th field are user and system time.
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def table(measured: dict[str, dict[str, dict[str, float]]]) -> Iterator[str]:
    """The lines of a Markdown table, a page in each."""
    yield "| page | kB | " + " | ".join(f"{kind}: p50 | p95 | cpu" for kind in measured) + " | target p95 |"
    yield "|---|---:|" + "---:|" * (3 * len(measured) + 1)
    for name, first in next(iter(measured.values())).items():
        cells = [
            f"{found[name][which]:.0f}" for found in measured.values() for which in ("p50", "p95", "cpu")
        ]
        yield f"| {name} | {first['kilobytes']:.0f} | {' | '.join(cells)} | {first['target']:.0f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--reviews", type=int, default=50_000)
    given = parser.parse_args()
    measured: dict[str, dict[str, dict[str, float]]] = {}
    load = os.getloadavg()
    with databases() as addresses:
        for kind, url in addresses:
            store = open_store(url)
            fill(store, given.reviews)
            store.close()
            with (
                tempfile.TemporaryDirectory() as folder,
                server(Path(folder) / "home", url) as (client, process),
            ):
                measured[kind] = measure(client, process, given.reviews)
    print("\n".join(table(measured)))
    if given.json is not None:
        report = {
            "command": f"python -m bench.dashboard --reviews {given.reviews}",
            "machine": f"{platform.machine()}, Python {platform.python_version()}",
            "processors": os.cpu_count(),
            "load_before": [round(value, 2) for value in load],
            "reviews": given.reviews,
            "claims": CLAIMS,
            "rounds": ROUNDS,
            "milliseconds": measured,
        }
        given.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    missed = [
        f"{kind}: {name}: p95 {found['p95']:.0f} ms, wanted < {found['target']:.0f} ms"
        for kind, pages_found in measured.items()
        for name, found in pages_found.items()
        if found["p95"] >= found["target"]
    ]
    if missed:
        sys.exit("\n".join(missed))


if __name__ == "__main__":
    main()
