"""Audits of archives: the embedded engine over 2,000 articles; Ray with one worker, two, and a killed one.

Articles are sentences of the sample articles and records put together anew, with other numbers in them, so
that no two are the same but for the copies that are wanted. Claims are matched against the sample records.

    python -m bench.audits archive --json FILE    throughput, memory, how many copies were recognised
    python -m bench.audits ray --json FILE        one round: one worker and two, in turn; come again for more
    python -m bench.audits kill --json FILE       two workers, one of them killed with SIGKILL on the way

Each adds its figures to FILE; ``table`` prints what FILE holds. ``--checks origin`` leaves the claims out.
Needs no corpus; ``ray`` and ``kill`` need the extra ``cluster``. A worker has one thread; the embedded engine
has one per core unless TAMGA_THREADS says otherwise.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.corpus import write_json
from classifiers.models.memory import RowMemory
from classifiers.text import split_sentences
from service.analysis import ALL_CHECKS
from service.audits.cluster_worker import pipeline
from service.audits.items import AuditArticle, AuditOptions, Item
from service.audits.runner import Audited, LocalRunner, Runner
from service.cli import run
from service.runtime import Runtime
from service.samples import sample_articles, sample_records
from service.settings import Settings, load_settings

ARCHIVE_ITEMS = 2_000
WORDS = 60
COPIES = 0.25
WARM_UP = 200
RAY_ITEMS = 500
_EVERY = 50


def sentences() -> dict[str, list[str]]:
    """Sentences by language."""
    found: dict[str, list[str]] = {}
    for article in sample_articles():
        language = article.language or "en"
        spans = split_sentences(article.text, language)
        found.setdefault(language, []).extend(article.text[span.start : span.end] for span in spans)
    for record in sample_records():
        found.setdefault(record.language or "en", []).append(record.claim)
    return found


def articles(count: int, words: int, copies: float, seed: int) -> Iterator[Item]:
    """So many items, languages in turn; a share of them copies of earlier ones under another outlet."""
    draw = random.Random(seed)
    known = sentences()
    languages = sorted(known)
    texts: list[tuple[str, str]] = []
    for number in range(count):
        if texts and draw.random() < copies:
            text, language = draw.choice(texts)
        else:
            language = languages[number % len(languages)]
            chosen: list[str] = []
            while sum(len(sentence.split()) for sentence in chosen) < words:
                chosen.append(with_other_numbers(draw.choice(known[language]), draw))
            text = " ".join(chosen)
            texts.append((text, language))
        source = AuditArticle(text=text, language=language, outlet=f"Outlet {number % 7}")
        yield Item(number, f"article-{number}", source, None)


def with_other_numbers(sentence: str, draw: random.Random) -> str:
    """The sentence with every digit but the first of a number drawn anew."""
    return re.sub(r"(?<=\d)\d", lambda _: str(draw.randrange(10)), sentence)


def resident_megabytes() -> float:
    """Memory of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise OSError("no memory figure for this process")


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """How many texts the models were asked for, and how many of these were computed and not remembered."""
    counts: Counter[str] = Counter()
    rows = RowMemory.rows

    def counting(own: RowMemory, contents: Sequence[str], compute: Callable[[list[int]], Any]) -> Any:
        def computing(places: list[int]) -> Any:
            counts["computed"] += len(places)
            return compute(places)

        counts["asked"] += len(contents)
        return rows(own, contents, computing)

    RowMemory.rows = counting  # type: ignore[method-assign]
    try:
        yield counts
    finally:
        RowMemory.rows = rows  # type: ignore[method-assign]


def consumed(runner: Runner, items: Iterator[Item], asked: AuditOptions, watch: Any = None) -> dict[str, Any]:
    """Run an audit as the command does; seconds from its beginning and from its first result."""
    started, cpu, first = time.perf_counter(), time.process_time(), 0.0
    numbers, reused, refused, written = [], 0, 0, 0
    for audited in runner.run(items, asked):
        first = first or time.perf_counter()
        numbers.append(audited.number)
        reused += audited.reused
        refused += audited.refused
        written += len(json.dumps(dict(audited.result), ensure_ascii=False).encode()) + 1
        if watch is not None:
            watch(audited)
    ended = time.perf_counter()
    return {
        "checks": asked.checks,
        "words": WORDS,
        "items": len(numbers),
        "each_once_in_order": numbers == list(range(len(numbers))),
        "reused": reused,
        "refused": refused,
        "bytes_written": written,
        "seconds": ended - started,
        "seconds_after_first": ended - first,
        "cpu_seconds_here": time.process_time() - cpu,
    }


def archive(settings: Settings, asked: AuditOptions) -> dict[str, Any]:
    """The embedded engine."""
    runtime = Runtime(settings)
    samples: list[dict[str, float]] = []
    started = time.perf_counter()

    def watch(audited: Audited) -> None:
        if (audited.number + 1) % _EVERY == 0:
            samples.append(
                {
                    "items": audited.number + 1,
                    "seconds": time.perf_counter() - started,
                    "resident_megabytes": resident_megabytes(),
                }
            )

    items = articles(ARCHIVE_ITEMS, WORDS, COPIES, seed=1)
    with counted() as counts:
        measured = consumed(LocalRunner(runtime.analyser.analyse), items, asked, watch)
    runtime.close()
    texts = [item.source.text for item in articles(ARCHIVE_ITEMS, WORDS, COPIES, seed=1) if item.source]
    measured |= {"copies": len(texts) - len(set(texts)), "samples": samples, "sentences": dict(counts)}
    return measured


def on_ray(settings: Settings, asked: AuditOptions, workers: int) -> dict[str, Any]:
    """Ray with so many workers, started for it."""
    from service.audits.cluster import RayRunner

    began = time.perf_counter()
    with RayRunner(settings, workers=workers) as runner:
        started = time.perf_counter() - began
        measured = consumed(runner, articles(RAY_ITEMS, WORDS, 0.0, seed=2), asked)
    return {"workers": workers, "seconds_ray_start": started, **measured}


def killed(settings: Settings, asked: AuditOptions) -> dict[str, Any]:
    """Ray with two workers, of which one is killed a third of the way."""
    from service.audits.cluster import RayRunner

    def noted(own: Settings, options: AuditOptions) -> Any:
        (own.home / f"worker-{os.getpid()}").touch()
        return pipeline(own, options)

    victims: list[int] = []

    def watch(audited: Audited) -> None:
        if not victims and audited.number >= RAY_ITEMS // 3:
            victims.append(int(next(settings.home.glob("worker-*")).name.removeprefix("worker-")))
            os.kill(victims[0], signal.SIGKILL)

    with RayRunner(settings, workers=2, open_analyse=noted) as runner:
        measured = consumed(runner, articles(RAY_ITEMS, WORDS, 0.0, seed=2), asked, watch)
    started = len(list(settings.home.glob("worker-*")))
    return {"killed": len(victims), "workers_started": started, **measured}


def table(figures: dict[str, Any]) -> str:
    """What was measured, as Markdown."""
    lines = [
        "| audit | checks | articles | words | articles a second | remarks |",
        "|---|---|---:|---:|---:|---|",
    ]
    if found := figures.get("archive"):
        warm = [sample for sample in found["samples"] if sample["items"] >= WARM_UP]
        seconds = warm[-1]["seconds"] - warm[0]["seconds"]
        rate = (warm[-1]["items"] - warm[0]["items"]) / seconds
        base = warm[0]["resident_megabytes"]
        growth = max(sample["resident_megabytes"] for sample in warm) / base - 1
        lines.append(
            f"| embedded | {_what(found)} | {rate:.2f} | memory {base:.0f} MB after {WARM_UP} articles, "
            f"at most {growth:+.1%} after that; {found['reused']} of {found['copies']} copies recognised "
            f"({found['reused'] / found['items']:.1%} of all articles){_remembered(found['sentences'])} |"
        )
    rounds: list[dict[str, Any]] = figures.get("ray", [])
    for workers in (1, 2):
        runs = [run for one in rounds for run in one["runs"] if run["workers"] == workers]
        if runs:
            rates = [(run["items"] - 1) / run["seconds_after_first"] for run in runs]
            here = statistics.median(run["cpu_seconds_here"] / run["items"] for run in runs)
            lines.append(
                f"| Ray, workers: {workers} | {_what(runs[0])} | {statistics.median(rates):.2f} | "
                f"{len(runs)} rounds, {min(rates):.2f}–{max(rates):.2f}; "
                f"driver {here * 1_000:.1f} ms an article |"
            )
    if rounds:
        for name, key in (("from the first result", "seconds_after_first"), ("with loading", "seconds")):
            ratios = [
                next(run[key] for run in one["runs"] if run["workers"] == 1)
                / next(run[key] for run in one["runs"] if run["workers"] == 2)
                for one in rounds
            ]
            lines.append(
                f"| two workers against one, {name} | | | | {statistics.median(ratios):.2f}× "
                f"| {min(ratios):.2f}–{max(ratios):.2f} |"
            )
    if found := figures.get("kill"):
        lines.append(
            f"| Ray, one of two workers killed | {_what(found)} | {found['items'] / found['seconds']:.2f} "
            f"| {found['workers_started']} workers in all; each article once and in order: "
            f"{'yes' if found['each_once_in_order'] else 'NO'}; {found['refused']} refused |"
        )
    return "\n".join(lines)


def _remembered(counts: dict[str, int]) -> str:
    if not counts.get("asked"):
        return ""
    share = 1 - counts["computed"] / counts["asked"]
    return f"; of {counts['asked']:,} texts for the models {share:.1%} remembered"


def _what(found: dict[str, Any]) -> str:
    return f"{', '.join(found['checks'])} | {found['items']:,} | {found['words']}"


def main() -> None:
    """Measure one part and print all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=["archive", "ray", "kill", "table"])
    parser.add_argument("--checks", default="origin,claims", choices=["origin,claims", "origin"])
    parser.add_argument("--json", type=Path, required=True, help="the figures are added to this file")
    options = parser.parse_args()
    figures: dict[str, Any] = json.loads(options.json.read_text()) if options.json.exists() else {}
    figures |= {"cpus": os.cpu_count()}
    asked = AuditOptions(tuple(name for name in ALL_CHECKS if name in options.checks.split(",")))
    # Ray lets its workers give way to everything else, which is not what is measured.
    os.environ.setdefault("RAY_worker_niceness", "0")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TAMGA_HOME"] = folder
        settings = load_settings()
        if options.part != "table":
            load = os.getloadavg()
            if run(["samples", "load"]) != 0:
                sys.exit(1)
        if options.part == "archive":
            figures["archive"] = {"load": load, **archive(settings, asked)}
        elif options.part == "ray":
            rounds = figures.setdefault("ray", [])
            # Each goes first as often as the other.
            order = (1, 2) if len(rounds) % 2 == 0 else (2, 1)
            rounds.append({"load": load, "runs": [on_ray(settings, asked, workers) for workers in order]})
        elif options.part == "kill":
            figures["kill"] = {"load": load, **killed(settings, asked)}
    write_json(options.json, figures)
    print(table(figures))


if __name__ == "__main__":
    main()
