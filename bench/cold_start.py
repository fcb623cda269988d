"""How long `tamga serve` takes to be ready, and how much memory it takes, over a large index.

    python -m bench.cold_start --data DIR --home FOLDER [--records 100000] [--rounds 5] [--json FILE]

Starts the service over the home of `bench.pipeline` (filled at the first run) and asks /readyz until it says
so; then sends it the articles of that bench. Prepared models are there; files were read before, so the disk
does not count. Memory is what the kernel holds resident: `anonymous` is the service's own, `mapped` are
pages of files that other processes share and the kernel may drop.
"""

from __future__ import annotations

import os
import signal
import socket
import statistics
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx2

from bench.corpus import arguments, write_json
from bench.pipeline.library import articles, prepare_home
from bench.serving import TAMGA

TARGETS = {"seconds": 8.0, "megabytes": 1_500.0}
_MEGABYTE = 1024
_FIELDS = {"VmRSS:": "resident", "RssAnon:": "anonymous", "RssFile:": "mapped"}


def memory(process: int) -> dict[str, float]:
    """Megabytes of a process."""
    lines = [line.split() for line in Path(f"/proc/{process}/status").read_text().splitlines()]
    return {_FIELDS[line[0]]: int(line[1]) / _MEGABYTE for line in lines if line and line[0] in _FIELDS}


def processor_seconds(process: int) -> float:
    """What a process has computed so far: unlike the clock, hardly changed by what else the machine does."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def start(home: Path, texts: list[str]) -> dict[str, Any]:
    """One start, one article after the other, and the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "TAMGA_HOME": str(home), "TAMGA_LOG_LEVEL": "warning"}
    started = time.perf_counter()
    process = subprocess.Popen([*TAMGA, "serve", "--port", str(port)], env=environment)
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
            while True:
                try:
                    if client.get("/readyz").status_code == 200:
                        break
                except httpx2.TransportError:
                    pass
                if process.poll() is not None:
                    raise SystemExit("the service did not start")
                time.sleep(0.02)
            seconds = time.perf_counter() - started
            ready = memory(process.pid) | {"processor_seconds": processor_seconds(process.pid)}
            for text in texts:
                client.post("/v1/articles", json={"text": text, "store": False}).raise_for_status()
            worked = memory(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(120)
    return {"seconds": seconds, "ready": ready, "after_articles": worked}


def main() -> None:
    """Measure, print and keep."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--home", type=Path, required=True, help="folder of the index")
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--articles", type=int, default=18, help="articles sent after each start")
    options = parser.parse_args()
    prepare_home(options.home, options.data, options.records)
    texts = [article.text for article in articles(options.data)][: options.articles]
    before = os.getloadavg()
    starts = [start(options.home, texts) for _ in range(options.rounds)]
    seconds = [one["seconds"] for one in starts]
    resident = max(one["after_articles"]["resident"] for one in starts)
    figures = {
        "cpus": os.cpu_count(),
        "load": [before, os.getloadavg()],
        "records": options.records,
        "articles": len(texts),
        "starts": starts,
        "seconds_to_ready": {
            "median": statistics.median(seconds), "least": min(seconds), "greatest": max(seconds)
        },
        "greatest_resident_megabytes": resident,
    }  # fmt: skip
    write_json(options.json, figures)
    print(f"ready after {statistics.median(seconds):.1f} s ({min(seconds):.1f}–{max(seconds):.1f})")
    for name in ("ready", "after_articles"):
        shown = ", ".join(f"{key} {value:.0f}" for key, value in starts[-1][name].items())
        print(f"megabytes, {name}: {shown}")
    if statistics.median(seconds) > TARGETS["seconds"] or resident > TARGETS["megabytes"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
