"""Vectors in mapped files against vectors in memory: recall@10, time of a question, memory held.

    python -m bench.vector_shards --data DIR [--size 400000] [--shard 100000]
        [--write docs/vector-shards-figures.md]

The same vectors (see `bench.index_size`) are written once as lists in memory are and once as shards. A
process of its own loads each and answers single questions as the index does: twice the results from the
engine, ranked again by the full vectors. Private memory is what only more memory helps against; mapped pages
in memory are given up when something else needs it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from bench.corpus import arguments, read_jsonl, write_json
from bench.index_size import QUESTIONS, K, exact_neighbours, mixtures, noisy
from index.snapshot import SnapshotFolder
from index.stores.faiss_ivf import FaissIvfStore
from index.stores.faiss_shards import FaissShardsStore
from index.stores.policy import read_store

_REAL_ROWS = 300
_QUESTION_NOISE = 0.25
_BATCH = 10_000
_FETCHED = 2 * K
ENGINES = {"memory": "8-bit lists in memory", "shards": "8-bit lists in mapped files"}


def build(engine: str, vectors: Any, folder: SnapshotFolder, shard: int) -> dict[str, float]:
    """Write a snapshot of the vectors; seconds and bytes."""
    started = time.perf_counter()
    store: FaissIvfStore | FaissShardsStore
    if engine == "memory":
        store = FaissIvfStore.build(np.arange(len(vectors)), np.asarray(vectors))
    else:
        store = FaissShardsStore.begin(vectors.shape[1], folder.workspace(), shard_vectors=shard)
        for first in range(0, len(vectors), _BATCH):
            part = np.asarray(vectors[first : first + _BATCH])
            store.upsert(np.arange(first, first + len(part)), part)
    folder.write(store, collection="records", store_id="bench", model_id="mixture", revision=1)
    size = sum(path.stat().st_size for path in folder.path.glob("gen-*/*.faiss"))
    return {"build_s": time.perf_counter() - started, "bytes_per_record": size / len(vectors)}


def measure(engine: str, folder: Path) -> dict[str, float]:
    """Answer the questions over a snapshot, in this process; recall, milliseconds and megabytes."""
    vectors = np.load(folder / "vectors.npy", mmap_mode="r")
    questions, right = np.load(folder / "questions.npy"), np.load(folder / "right.npy")
    private, _ = resident()
    loaded = SnapshotFolder(folder / engine).load(read_store)
    assert loaded is not None
    store = loaded[0]
    seconds, hits = [], 0
    for question, own in zip(questions, right.tolist(), strict=True):
        started = time.perf_counter()
        _, ids = store.search(question[None], _FETCHED)
        found = ids[0][ids[0] >= 0]
        scores = np.stack([vectors[number] for number in found]) @ question
        top = found[np.argsort(-scores)[:K]]
        seconds.append(time.perf_counter() - started)
        hits += len(set(own) & set(top.tolist()))
    now, mapped = resident()
    p50, p99 = np.percentile(seconds, [50, 99]) * 1_000
    return {
        "recall": hits / (K * len(questions)), "p50_ms": float(p50), "p99_ms": float(p99),
        "private_mb": now - private, "mapped_mb": mapped,
    }  # fmt: skip


def resident() -> tuple[float, float]:
    """Private memory of this process, and the pages of mapped snapshot files that are in memory, in MB."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    mapped, counted = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if "-" in line.split(" ", 1)[0]:
            counted = line.endswith(".faiss")
        elif counted and line.startswith("Rss:"):
            mapped += int(line.split()[1])
    return int(status["RssAnon"].split()[0]) / 1024, mapped / 1024


def table(rows: list[dict[str, Any]]) -> str:
    """The figures as Markdown."""
    lines = [
        "| records | engine | recall@10 | p50, ms | p99, ms | private memory, MB | mapped pages, MB "
        "| bytes per record on disk | build, s |",
        "|---:|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {row['records']:,} | {row['engine']} | {row['recall']:.3f} | {row['p50_ms']:.1f} "
        f"| {row['p99_ms']:.1f} | {row['private_mb']:,.0f} | {row['mapped_mb']:,.0f} "
        f"| {row['bytes_per_record']:,.0f} | {row['build_s']:.0f} |"
        for row in rows
    ]
    return "\n".join(lines)


def main() -> None:
    """Build both, measure each in a process of its own, print and keep the table."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--size", type=int, default=400_000)
    parser.add_argument("--shard", type=int, default=100_000)
    parser.add_argument("--write", type=Path, help="also write the table here")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cache", type=Path, help="folder that keeps sentence vectors between runs")
    parser.add_argument("--measure", nargs=2, metavar=("ENGINE", "FOLDER"), help="used by the bench itself")
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure[0], Path(options.measure[1]))))
        return
    from classifiers.models import load_encoder
    from classifiers.text import LANGUAGES
    from classifiers.training.vectors import VectorCache

    sentences = list(read_jsonl(options.data / "claims" / "parallel" / "ntrex.jsonl.gz"))[:_REAL_ROWS]
    cache = VectorCache(load_encoder(threads=options.threads), options.cache)
    real = cache.encode([row[code] for row in sentences for code in LANGUAGES])
    rng = np.random.default_rng(0)
    rows: list[dict[str, Any]] = []
    with TemporaryDirectory() as name:
        folder = Path(name)
        vectors = mixtures(real, options.size, rng)
        chosen = rng.choice(options.size, QUESTIONS, replace=False)
        questions = noisy(vectors[chosen], _QUESTION_NOISE, rng)
        np.save(folder / "vectors.npy", vectors)
        np.save(folder / "questions.npy", questions)
        # `exact_neighbours` counts records from one.
        right = [sorted(own) for own in exact_neighbours(vectors, questions)]
        np.save(folder / "right.npy", np.array(right) - 1)
        for engine, label in ENGINES.items():
            built = build(engine, vectors, SnapshotFolder(folder / engine), options.shard)
            command = [sys.executable, "-m", "bench.vector_shards", "--measure", engine, name]
            command += ["--data", str(options.data)]
            answered = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            shards = f", {options.shard:,} each" if engine == "shards" else ""
            rows.append({"records": options.size, "engine": label + shards, **built, **json.loads(answered)})
            print(table(rows), flush=True)
    write_json(options.json, rows)
    if options.write:
        heading = "# Vectors in mapped files\n\nWritten by `python -m bench.vector_shards --data DIR"
        size = f" --size {options.size} --shard {options.shard}`.\n\n"
        options.write.write_text(heading + size + table(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
