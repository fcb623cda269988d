"""What articles, Analyses and records take in the database, and how much is written for them.

    python -m bench.storage --json FILE [--articles 200] [--records 2000]

Works on SQLite in a temporary folder. What is written counts what this process hands to the disk
(``write_bytes`` of /proc/self/io), the database's own log included, over what the database grew by. Needs no
corpus.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.audits import articles, sentences, with_other_numbers
from bench.corpus import write_json
from service.analysis import AnalysisOptions
from service.cli import run
from service.runtime import Runtime
from service.settings import load_settings

WORDS = 400


def written_bytes() -> int:
    """Bytes that this process has sent towards the disk."""
    for line in Path("/proc/self/io").read_text().splitlines():
        if line.startswith("write_bytes:"):
            return int(line.split()[1])
    raise OSError("no figure of what was written")


def database_bytes(path: Path) -> int:
    """Size of the database once its log is taken in."""
    database = sqlite3.connect(path)
    database.execute("pragma wal_checkpoint(truncate)")
    database.close()
    return path.stat().st_size


def grown_by(path: Path, work: Callable[[], int]) -> dict[str, float]:
    """Do the work, which says how many things it stored; what each took."""
    size, written, started = database_bytes(path), written_bytes(), time.perf_counter()
    count = work()
    seconds = time.perf_counter() - started
    grown = database_bytes(path) - size
    out = written_bytes() - written
    return {
        "count": count,
        "seconds": seconds,
        "database_bytes_each": grown / count,
        "written_bytes_each": out / count,
        "write_amplification": out / grown,
    }


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="also write the raw figures here")
    parser.add_argument("--articles", type=int, default=200)
    parser.add_argument("--records", type=int, default=2_000)
    options = parser.parse_args()
    figures: dict[str, Any] = {"cpus": os.cpu_count(), "load": os.getloadavg(), "words": WORDS}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TAMGA_HOME"] = folder
        if run(["samples", "load"]) != 0:
            raise SystemExit(1)
        settings = load_settings()
        path = settings.home / "tamga.db"
        runtime = Runtime(settings)
        sources = [item.source for item in articles(options.articles, WORDS, 0.0, seed=3) if item.source]
        runtime.load()

        def store_articles() -> int:
            for source in sources:
                runtime.analyser.analyse(source, AnalysisOptions(store=True))
            return len(sources)

        figures["articles"] = grown_by(path, store_articles) | {
            "text_bytes_each": sum(len((source.text or "").encode()) for source in sources) / len(sources)
        }
        with sqlite3.connect(path) as database:
            vectors = database.execute(
                "select count(*) from vectors join documents using (number) where collection = 'articles'"
            ).fetchone()[0]
        database.close()
        figures["articles"]["vectors_each"] = vectors / len(sources)
        runtime.close()
        figures["records"] = records(path, Path(folder) / "records.jsonl", options.records)
    print(figures)
    write_json(options.json, figures)


def records(path: Path, lines: Path, count: int) -> dict[str, float]:
    """Records of one passage each, added by the command."""
    draw = random.Random(4)
    known = [(language, text) for language, texts in sentences().items() for text in texts]
    rows = []
    for number in range(count):
        language, text = draw.choice(known)
        claim = with_other_numbers(text, draw)
        rows.append(json.dumps({"id": f"bench-{number}", "claim": claim, "language": language}))
    lines.write_text("\n".join(rows) + "\n", encoding="utf-8")

    def add() -> int:
        with contextlib.redirect_stdout(io.StringIO()):
            if run(["index", "add", str(lines)]) != 0:
                raise SystemExit(1)
        return count

    return grown_by(path, add)


if __name__ == "__main__":
    main()
