"""What a million articles, and ten million to a billion records, cost: computed from the committed figures.

    python -m bench.scale_model                        prints the tables
    python -m bench.scale_model --write docs/scale.md  puts them between the marks of that page

Reads docs/figures/{encoder,serving,audits,storage}.json and the table of docs/index-size-figures.md;
measures nothing itself. What stands in ``ASSUMED`` is assumed, and printed as such.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
from pathlib import Path
from typing import Any, Final

from index.stores.policy import EXACT_LIMIT, SHARD_LIMIT

DOCS: Final = Path(__file__).parents[1] / "docs"
BEGIN: Final = "<!-- written by python -m bench.scale_model -->"
END: Final = "<!-- end -->"
SIZES: Final = (1_000_000, 10_000_000, 100_000_000, 1_000_000_000)
MILLION: Final = 1_000_000
# Said in the table, since nothing here measures them.
ASSUMED: Final = {"cores of a machine": 16, "memory of a machine, GB": 64, "passages a record": 1}
VECTOR_BYTES: Final = 4 * 384


def figures(name: str) -> dict[str, Any]:
    """A committed file of raw figures."""
    found: dict[str, Any] = json.loads((DOCS / "figures" / f"{name}.json").read_text(encoding="utf-8"))
    return found


def list_bytes() -> tuple[int, float]:
    """The largest size of the index bench, and the bytes a record of its 8-bit lists."""
    rows = re.findall(
        r"^\| ([\d,]+) \| \d+ of [\d,]+ lists, 8 bits \|.*?\| ([\d,]+) \| \d+ \|$",
        (DOCS / "index-size-figures.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    size, each = max(((int(size.replace(",", "")), each) for size, each in rows), key=lambda row: row[0])
    return size, float(each.replace(",", ""))


class Constants:
    """What was measured, by name."""

    def __init__(self) -> None:
        serving = figures("encoder")["figures"]["onnx int8"]
        audits = figures("audits")
        # Without it the tables leave out what the database takes.
        storage = figures("storage") if (DOCS / "figures" / "storage.json").exists() else None
        runs = [run for one in audits["ray"] for run in one["runs"]]
        by_workers = {
            workers: statistics.median(
                run["seconds_after_first"] / (run["items"] - 1) for run in runs if run["workers"] == workers
            )
            for workers in (1, 2)
        }
        samples = audits["archive"]["samples"]
        archive = audits["archive"]
        self.tokens_per_second: float = serving["windows"]["tokens_per_second"]
        pipeline = figures("serving")
        self.whole_words: int = pipeline["words"]
        self.whole_checks: str = " and ".join(pipeline["checks"])
        self.whole_records: int = pipeline["records"]
        self.whole_seconds: float = 1 / statistics.median(one["in_process"] for one in pipeline["in_turn"])
        self.archive_words: int = archive["words"]
        self.archive_checks: str = " and ".join(archive["checks"])
        # Of an article that is analysed: copies cost next to nothing.
        self.archive_seconds: float = samples[-1]["seconds"] / (archive["items"] - archive["reused"])
        self.copies: float = archive["reused"] / archive["items"]
        self.result_bytes: float = archive["bytes_written"] / archive["items"]
        self.ray_words: int = runs[0]["words"]
        self.ray_checks: str = " and ".join(runs[0]["checks"])
        self.worker_seconds: float = by_workers[1]
        self.speed_up: float = by_workers[1] / by_workers[2]
        self.driver_seconds: float = statistics.median(run["cpu_seconds_here"] / run["items"] for run in runs)
        self.cpus: int = audits["cpus"]
        self.articles: dict[str, float] | None = storage["articles"] if storage else None
        self.records: dict[str, float] | None = storage["records"] if storage else None
        self.stored_words: int = storage["words"] if storage else 0
        self.lists_at, self.list_bytes = list_bytes()


def constants_table(c: Constants) -> str:
    """The constants, each with the command that measures it."""
    rows = [
        (f"encoder, {c.cpus} cores", f"{c.tokens_per_second:,.0f} tokens/s", "bench.encoder"),
        (
            f"{c.whole_words} words, {c.whole_checks}, {c.whole_records:,} records, {c.cpus} cores",
            f"{c.whole_seconds:.2f} s",
            "bench.serving",
        ),
        (
            f"{c.archive_words} words, {c.archive_checks}, embedded engine, {c.cpus} cores",
            f"{c.archive_seconds:.2f} s",
            "bench.audits archive",
        ),
        (
            f"{c.ray_words} words, {c.ray_checks}, one Ray worker",
            f"{c.worker_seconds:.2f} s",
            "bench.audits ray",
        ),
        (f"two workers against one on {c.cpus} cores", f"{c.speed_up:.2f}×", "bench.audits ray"),
        (
            "processor time of Ray's driver, an article",
            f"{c.driver_seconds * 1_000:.1f} ms",
            "bench.audits ray",
        ),
        (f"a result line, {c.archive_checks}", f"{c.result_bytes:,.0f} bytes", "bench.audits archive"),
        (
            f"a vector in 8-bit lists, at {c.lists_at:,}",
            f"{c.list_bytes:.0f} bytes of memory",
            "bench.index_size",
        ),
    ]
    if c.articles and c.records:
        rows += [
            (
                f"a stored article of {c.stored_words} words with its Analysis",
                f"{c.articles['database_bytes_each']:,.0f} bytes",
                "bench.storage",
            ),
            ("vectors of such an article", f"{c.articles['vectors_each']:.1f}", "bench.storage"),
            (
                "written for a byte of it that stays",
                f"{c.articles['write_amplification']:.1f} bytes",
                "bench.storage",
            ),
            ("a record of one passage", f"{c.records['database_bytes_each']:,.0f} bytes", "bench.storage"),
            (
                "written for a byte of it that stays",
                f"{c.records['write_amplification']:.1f} bytes",
                "bench.storage",
            ),
            (
                f"records taken in, {c.cpus} cores",
                f"{c.records['count'] / c.records['seconds']:,.0f} a second",
                "bench.storage",
            ),
        ]
    lines = ["| constant | value | measured by |", "|---|---:|---|"]
    return "\n".join(lines + [f"| {name} | {value} | `{by}` |" for name, value, by in rows])


def million_table(c: Constants) -> str:
    """A million articles through the embedded engine and through Ray."""
    cores = ASSUMED["cores of a machine"]
    core_hours = c.whole_seconds * c.cpus * MILLION / 3_600
    origin_hours = c.archive_seconds * c.cpus * MILLION / 3_600
    shared = c.speed_up / 2
    rows = [
        (f"core hours, {c.whole_words} words, {c.whole_checks}", f"{core_hours:,.0f}"),
        (f"the same with {c.copies:.0%} copies, as in the bench", f"{core_hours * (1 - c.copies):,.0f}"),
        (f"core hours, {c.archive_words} words, {c.archive_checks}", f"{origin_hours:,.0f}"),
        (f"{c.whole_checks}: days on {c.cpus} cores", f"{core_hours / c.cpus / 24:.0f}"),
        (f"hours on one machine of {cores} cores", f"{core_hours / cores / shared:.0f}"),
        (f"hours on ten machines of {cores} cores", f"{core_hours / cores / 10 / shared:.1f}"),
        ("articles a second that one driver can feed", f"{1 / c.driver_seconds:,.0f}"),
        (f"result lines, {c.archive_checks}", f"{c.result_bytes * MILLION / 1e9:,.1f} GB"),
    ]
    if c.articles:
        rows += [
            ("database, if stored", f"{c.articles['database_bytes_each'] * MILLION / 1e9:,.0f} GB"),
            (
                "written to disk, if stored",
                f"{c.articles['written_bytes_each'] * MILLION / 1e9:,.0f} GB",
            ),
            (
                "memory of their vectors in 8-bit lists",
                f"{c.articles['vectors_each'] * c.list_bytes * MILLION / 1e9:,.1f} GB",
            ),
        ]
    lines = ["| a million articles | |", "|---|---:|"]
    return "\n".join(lines + [f"| {name} | {value} |" for name, value in rows])


def sizes_table(c: Constants) -> str:
    """Records by their number: database, memory, time, and which engine has them."""
    memory = ASSUMED["memory of a machine, GB"]
    lines = [
        "| records | database | of it vectors | 8-bit lists | core hours to take in | vectors in |",
        "|---:|---:|---:|---:|---:|---|",
    ]
    for size in SIZES:
        passages = size * ASSUMED["passages a record"]
        lists = passages * c.list_bytes / 1e9
        if passages <= EXACT_LIMIT:
            engine = "every vector compared"
        elif passages <= SHARD_LIMIT:
            engine = "8-bit lists in memory"
        elif lists <= memory:
            engine = "8-bit lists in mapped files"
        else:
            engine = f"Milvus, {-(-lists // memory):.0f} machines or more"
        database = hours = "–"
        if c.records:
            database = f"{c.records['database_bytes_each'] * size / 1e9:,.0f} GB"
            each = c.records["seconds"] / c.records["count"] * c.cpus
            hours = f"{each * size / 3_600:,.0f}"
        lines.append(
            f"| {size:,} | {database} "
            f"| {VECTOR_BYTES * passages / 1e9:,.0f} GB | {lists:,.1f} GB "
            f"| {hours} | {engine} |"
        )
    assumed = "; ".join(f"{name}: {value}" for name, value in ASSUMED.items())
    return "\n".join([*lines, "", f"Assumed, not measured: {assumed}."])


def section() -> str:
    """Everything between the marks."""
    c = Constants()
    return "\n\n".join(
        [BEGIN, "## Constants", constants_table(c), "## A million articles", million_table(c),
         "## Records", sizes_table(c), END]
    )  # fmt: skip


def written_into(page: str) -> str:
    """The page with a fresh section. Raises ValueError where the marks are missing."""
    before, after = page.index(BEGIN), page.index(END) + len(END)
    return page[:before] + section() + page[after:]


def main() -> None:
    """Print, or write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", type=Path, help="put the tables into this page")
    options = parser.parse_args()
    print(section())
    if options.write:
        page = options.write.read_text(encoding="utf-8")
        options.write.write_text(written_into(page), encoding="utf-8")


if __name__ == "__main__":
    main()
