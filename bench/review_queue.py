"""How fast the review queue answers with 50,000 undecided reviews, on SQLite and PostgreSQL.

    python -m bench.review_queue --out docs/figures/review_queue.json [--reviews 50000]

Times what the queue page asks of the database: a page by risk and by age, first and in the middle, under
every filter, and the counts. No models. PostgreSQL is Debian's, started for the run; it is left out where
none is installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from service.reviews.queue import count_queue
from service.store import Store, open_store
from service.store.review_models import ReviewCountRow, ReviewRow
from service.store.reviews import RANKS, ReviewFilter

ROUNDS = 40
LANGUAGES = ("az", "kk", "ky", "tr", "uz", "tk", "hu", "ru", "en")
OUTLETS = tuple(f"Outlet {number}" for number in range(60))
PROPOSED = {
    "state": "likely_ai_unconfirmed",
    "involvement": "unknown",
    "human_review": "unknown",
    "basis": "statistical_detector",
    "review_reasons": ["likely_ai"],
    "p_value": 0.004,
    "contradictions": 0,
}
VERSIONS = {"models": {"ai_text": "1", "stance": "1"}, "index_generation": 1, "target_fpr": 0.01}


def rows(count: int) -> Iterator[dict[str, Any]]:
    """Undecided reviews as a newsroom has them: few languages make most of them, one kind is rare."""
    chance = random.Random(7)
    now = datetime.now(UTC)
    for number in range(count):
        locked = chance.random() < 0.01
        kinds = chance.choices((1, 2, 4, 8, 5, 3), (60, 8, 20, 10, 1.9, 0.1))[0]
        yield {
            "id": f"rev_{number:024x}",
            "version": 1,
            "subject": f"article art_{number:024x}",
            "article_id": f"art_{number:024x}",
            "title": f"A headline of ordinary length, number {number}",
            "url": f"https://news.example/{number}",
            "outlet": chance.choices(OUTLETS, range(1, 61))[0],
            "language": chance.choices(LANGUAGES, (9, 30, 8, 20, 15, 2, 4, 10, 2))[0],
            "kinds": kinds,
            "rank": chance.randrange(RANKS),
            "proposed": PROPOSED,
            "versions": VERSIONS,
            "state": "open",
            "stage": chance.choices(("first", "second", "settle"), (94, 5, 1))[0],
            "opinions_wanted": 1,
            "lock_owner": "acc_1" if locked else None,
            "lock_name": "Somebody" if locked else None,
            "lock_until": now + timedelta(minutes=15) if locked else None,
            "created_at": now - timedelta(seconds=count - number),
        }


def fill(store: Store, count: int) -> None:
    """Put them into the database, as many decided ones beside them."""
    with store.database.writing() as connection:
        part: list[dict[str, Any]] = []
        for row in rows(count):
            part.append(row)
            if len(part) == 2_000:
                connection.execute(sa.insert(ReviewRow), part)
                part.clear()
        if part:
            connection.execute(sa.insert(ReviewRow), part)
        # As `review_changes` would have counted them, one by one.
        by = (ReviewRow.stage, ReviewRow.language, ReviewRow.outlet, ReviewRow.kinds)
        counted = sa.select(*by, sa.func.count()).group_by(*by)
        connection.execute(
            sa.insert(ReviewCountRow).from_select(
                ["stage", "language", "outlet", "kinds", "reviews"], counted
            )
        )
    if not store.database.is_sqlite:
        # PostgreSQL does so by itself after a while; SQLite has no such statistics in the service either.
        with store.database.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(sa.text("ANALYZE"))


def questions(store: Store, count: int) -> dict[str, Callable[[], Any]]:
    """What the page asks, by name."""
    now = datetime.now(UTC)

    def page(sort: str = "risk", after: tuple[int, int] | None = None, **wanted: Any) -> Callable[[], Any]:
        chosen = ReviewFilter(**{"state": "undecided", **wanted})
        return lambda: store.reviews.page(chosen, sort=sort, after=after, limit=51, now=now)  # type: ignore[arg-type]

    middle = (RANKS // 2, count // 2)
    return {
        "by risk": page(),
        "by risk, from the middle": page(after=middle),
        "by age": page("age"),
        "by age, from the middle": page("age", after=middle),
        "open only": page(state="open"),
        "locked only": page(state="locked"),
        "one language": page(language="hu"),
        "one outlet": page(outlet="Outlet 0"),
        "one language and outlet": page(language="tk", outlet="Outlet 1"),
        "a common kind": page(kind="likely_ai"),
        "a rare kind": page(kind="declared_conflict", language="en"),
        "a stage": page(stage="settle"),
        "nothing fits": page(language="fr"),
        "counts": lambda: count_queue(store, now),
    }


def measure(store: Store, count: int) -> dict[str, dict[str, float]]:
    """Milliseconds by question; `cpu_p50` is this process's own work, whatever else the machine does (SQLite
    works in it, PostgreSQL does not).
    """
    found = {}
    for name, ask in questions(store, count).items():
        ask()
        times, busy = [], []
        for _ in range(ROUNDS):
            started, used = time.perf_counter(), time.process_time()
            ask()
            times.append((time.perf_counter() - started) * 1_000)
            busy.append((time.process_time() - used) * 1_000)
        times.sort()
        found[name] = {
            "cpu_p50": round(statistics.median(busy), 2),
            "p50": round(statistics.median(times), 2),
            "p95": round(times[int(ROUNDS * 0.95) - 1], 2),
            "max": round(times[-1], 2),
        }
        told = "  ".join(f"{which} {value:7.2f}" for which, value in found[name].items())
        print(f"  {name:26} {told} ms", flush=True)
    return found


@contextmanager
def databases() -> Iterator[Iterator[tuple[str, str]]]:
    """Addresses of empty databases."""
    path = Path(__file__).parents[1] / "tests" / "postgres" / "server.py"
    spec = importlib.util.spec_from_file_location("bench_postgres_server", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)

    def addresses() -> Iterator[tuple[str, str]]:
        with tempfile.TemporaryDirectory() as folder:
            yield "sqlite", f"sqlite:///{folder}/tamga.db"
        programs = module.server_programs()
        if programs is not None:
            with module.PostgresServer(programs) as server:
                yield "postgresql", server.empty_database()

    yield addresses()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--reviews", type=int, default=50_000)
    arguments = parser.parse_args()
    report: dict[str, Any] = {
        "command": f"python -m bench.review_queue --reviews {arguments.reviews}",
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "reviews": arguments.reviews,
        "rounds": ROUNDS,
        "milliseconds": {},
    }
    with databases() as addresses:
        for kind, url in addresses:
            print(kind, flush=True)
            store = open_store(url)
            fill(store, arguments.reviews)
            report["milliseconds"][kind] = measure(store, arguments.reviews)
            store.close()
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
