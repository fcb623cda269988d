"""Articles per second of the whole analysis, beside the stack that a user would write without Tamga.

    python -m bench.pipeline --data DIR --home FOLDER [--records 100000] [--rounds 7] [--json FILE]

Each program lives in a process of its own and works only when it is its turn; rounds alternate, caches are
off, and the figure is the median over rounds of the ratio of their times for the same articles. FOLDER is
filled with the index at the first run and may be used again. Ends with 1 where a target is missed.
"""

from __future__ import annotations

import multiprocessing as mp
import os
import statistics
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from bench.corpus import arguments, write_json
from bench.pipeline.library import BenchArticle, articles, prepare_home
from bench.pipeline.outcome import LIMIT, Outcome, differences
from bench.pipeline.programs import NAIVE, PROGRAMS, SPARING, TAMGA, work

# Scores of origin and similarity: all of them; stance scores: this share.
TARGETS = {"ratio": 2.5, "stance_scores_within_limit": 0.95, "same_top_matches": 0.97}


def main() -> None:
    """Measure, print and keep."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--home", type=Path, required=True, help="folder for the index")
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--articles", type=int, default=3, help="articles in one turn")
    options = parser.parse_args()
    prepare_home(options.home, options.data, options.records)
    found = articles(options.data)
    context = mp.get_context("spawn")
    pipes: dict[str, Connection] = {}
    for name in PROGRAMS:
        pipes[name], theirs = context.Pipe()
        given = (name, options.home, options.data, options.records, theirs)
        context.Process(target=work, args=given, daemon=True).start()
        pipes[name].recv()

    def turn(name: str, given: list[BenchArticle]) -> tuple[float, list[Outcome]]:
        pipes[name].send(given)
        seconds, outcomes = pipes[name].recv()
        return seconds, outcomes

    # Not counted: what loads on first use, and the answers, which must be the same.
    turn(SPARING, found[:1])
    said = {name: turn(name, found)[1] for name in (TAMGA, NAIVE)}
    seconds: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    before = os.getloadavg()
    for number in range(options.rounds):
        first = number * options.articles
        given = [found[place % len(found)] for place in range(first, first + options.articles)]
        for name in PROGRAMS if number % 2 == 0 else reversed(PROGRAMS):
            seconds[name].append(turn(name, given)[0])
    for pipe in pipes.values():
        pipe.send(None)
    figures: dict[str, Any] = {
        "cpus": os.cpu_count(),
        "load": [before, os.getloadavg()],
        "records": options.records,
        "rounds": options.rounds,
        "articles_in_a_turn": options.articles,
        "words": statistics.mean(len(article.text.split()) for article in found),
        "seconds": seconds,
        "articles_per_second": {
            name: options.articles / statistics.median(taken) for name, taken in seconds.items()
        },
        "ratios": {name: _ratios(seconds[name], seconds[TAMGA]) for name in PROGRAMS if name != TAMGA},
        "against_naive": differences(said[TAMGA], said[NAIVE]),
    }
    write_json(options.json, figures)
    _print(figures)
    equal = figures["against_naive"]
    if (
        figures["ratios"][NAIVE]["median"] < TARGETS["ratio"]
        or equal["origin_score"]["greatest"] > LIMIT
        or equal["similarity"]["greatest"] > LIMIT
        or equal["stance_score"]["within_limit"] < TARGETS["stance_scores_within_limit"]
        or equal["same_top_matches"] < TARGETS["same_top_matches"]
    ):
        raise SystemExit(1)


def _ratios(theirs: list[float], ours: list[float]) -> dict[str, float]:
    ratios = [one / other for one, other in zip(theirs, ours, strict=True)]
    return {"median": statistics.median(ratios), "least": min(ratios), "greatest": max(ratios)}


def _print(figures: dict[str, Any]) -> None:
    print("| program | articles a second | times as long as tamga, median (range) |\n|---|---:|---:|")
    for name, rate in figures["articles_per_second"].items():
        ratio = figures["ratios"].get(name, {"median": 1.0, "least": 1.0, "greatest": 1.0})
        spread = f"{ratio['median']:.2f} ({ratio['least']:.2f}–{ratio['greatest']:.2f})"
        print(f"| {name} | {rate:.2f} | {spread} |")
    for name, value in figures["against_naive"].items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
