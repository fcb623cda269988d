"""Latency of looking a claim up among many records, at half of what the process can do.

    python -m bench.claims_latency --data DIR --home FOLDER [--records 100000] [--seconds 20] [--json FILE]

Over the home of `bench.pipeline` (filled at the first run), in this process, with nothing remembered.
*Retrieval* embeds a claim and finds its ten nearest records by vectors and words; *with stance* also chooses
the words to quote and compares claim and evidence of all ten. Claims come at random moments, at half the rate
of one after the other, whether or not earlier ones are answered; a latency counts from that moment.
"""

from __future__ import annotations

import itertools
import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.corpus import arguments, write_json
from bench.pipeline.library import articles, prepare_home
from classifiers.text import split_sentences
from service.matching import ClaimQuery
from service.runtime import Runtime
from service.settings import load_settings

TARGETS = {"p50": 40.0, "p99": 150.0}
TOP_K = 10
_WARM_UP = 20


def at_half_load(ask: Callable[[str], object], claims: list[str], seconds: float) -> dict[str, Any]:
    """Milliseconds, of claims that come at half the rate at which they are answered one after the other."""
    turn = itertools.cycle(claims)
    for _ in range(_WARM_UP):
        ask(next(turn))
    done, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds / 2:
        ask(next(turn))
        done += 1
    rate = done / (time.perf_counter() - started)
    draw = random.Random(1)
    latencies = []
    began = due = time.perf_counter()
    while (due := due + draw.expovariate(rate / 2)) - began < seconds:
        time.sleep(max(due - time.perf_counter(), 0))
        ask(next(turn))
        latencies.append(time.perf_counter() - due)
    p50, p95, p99 = np.percentile(latencies, [50, 95, 99]) * 1_000
    return {
        "one_after_the_other_per_second": rate,
        "asked": len(latencies),
        "milliseconds": {"p50": float(p50), "p95": float(p95), "p99": float(p99)},
    }


def main() -> None:
    """Measure, print and keep."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--home", type=Path, required=True, help="folder of the index")
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    prepare_home(options.home, options.data, options.records)
    found = articles(options.data)
    claims = [
        article.text[span.start : span.end]
        for article in found
        for span in split_sentences(article.text, article.language)
    ]
    random.Random(0).shuffle(claims)
    runtime = Runtime(load_settings(home=options.home, remembered_texts=0))
    runtime.load()

    def retrieve(claim: str) -> object:
        return runtime.library.records.search([claim], TOP_K)

    def match(claim: str) -> object:
        return runtime.matcher.match([ClaimQuery(claim)], top_k=TOP_K)

    before = os.getloadavg()
    figures: dict[str, Any] = {
        "cpus": os.cpu_count(),
        "records": options.records,
        "claims": len(claims),
        "retrieval": at_half_load(retrieve, claims, options.seconds),
        "with_stance": at_half_load(match, claims, options.seconds),
        "load": [before, os.getloadavg()],
    }
    runtime.close()
    write_json(options.json, figures)
    for name in ("retrieval", "with_stance"):
        taken = figures[name]["milliseconds"]
        print(f"{name}: " + ", ".join(f"{key} {value:.0f} ms" for key, value in taken.items()))
    taken = figures["retrieval"]["milliseconds"]
    if any(taken[key] > most for key, most in TARGETS.items()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
