"""The vector index at 10,000, 100,000 and 1,000,000 records: recall, time and memory of each engine.

    python -m bench.index_size --data DIR [--sizes 10000 100000 1000000] [--write docs/index-size-figures.md]

The whole way is measured: records in a database in a temporary folder, `PassageIndex` built from it, single
questions through `PassageIndex.nearest` (the lists, then the stored vectors). Vectors are mixtures of two
real sentence vectors and noise, so that they crowd as real ones do; questions are records with other noise.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.corpus import arguments, read_jsonl, write_json
from classifiers.models import load_encoder
from classifiers.text import LANGUAGES
from classifiers.training.vectors import VectorCache
from index.passage_ids import document_of
from index.passage_index import PassageIndex
from index.snapshot import VECTORS, SnapshotFolder
from index.stores.base import VectorStore
from index.stores.faiss_ivf import FaissIvfStore
from index.stores.policy import EXACT_LIMIT
from service.store import open_store

Floats = NDArray[np.float32]
MODEL = "mixture"
QUESTIONS = 200
K = 10
PROBES = (16, 32, 48, 64, 96)
_REAL_ROWS = 2_000
_NOISE = 0.3
_QUESTION_NOISE = 0.25
_BATCH = 50_000


class NoEncoder:
    """Stands where the index wants an encoder; every vector is in the database already."""

    max_tokens = 512
    model_id = MODEL

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension

    def encode(self, texts: Sequence[str], *, prompt: str = "query: ", progress: bool = False) -> Floats:
        raise AssertionError("the bench stores every vector beforehand")

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        raise AssertionError("the bench has no texts")


def unit(vectors: Floats) -> Floats:
    """Rows of length one."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def noisy(vectors: Floats, share: float, rng: np.random.Generator) -> Floats:
    """Unit vectors with a random direction of length `share` added."""
    return unit(vectors + share * unit(rng.standard_normal(vectors.shape, dtype=np.float32)))


def mixtures(real: Floats, count: int, rng: np.random.Generator) -> Floats:
    """`count` vectors, each between two real ones, with noise."""
    vectors = np.empty((count, real.shape[1]), dtype=np.float32)
    for first in range(0, count, _BATCH):
        part = min(_BATCH, count - first)
        weight = rng.uniform(0.5, 1.0, (part, 1)).astype(np.float32)
        one, other = real[rng.integers(0, len(real), part)], real[rng.integers(0, len(real), part)]
        vectors[first : first + part] = noisy(unit(weight * one + (1 - weight) * other), _NOISE, rng)
    return vectors


def fill(path: Path, vectors: Floats) -> None:
    """Records with these vectors, written past the repositories: a million takes seconds."""
    numbers = range(1, len(vectors) + 1)
    with sqlite3.connect(path) as database:
        database.executemany(
            "insert into documents (number, collection, key, revision, deleted) "
            "values (?, 'records', ?, ?, 0)",
            ((number, str(number), number) for number in numbers),
        )
        database.executemany(
            "insert into passages (number, ordinal, field, start_char, end_char) "
            "values (?, 0, 'claim', 0, 1)",
            ((number,) for number in numbers),
        )
        database.executemany(
            "insert into vectors (number, ordinal, model_id, vector) values (?, 0, ?, ?)",
            ((number, MODEL, vector.tobytes()) for number, vector in zip(numbers, vectors, strict=True)),
        )
        database.execute("update counters set value = ? where name = 'records'", (len(vectors),))
    database.close()


def exact_neighbours(vectors: Floats, questions: Floats) -> list[set[int]]:
    """The numbers of the K nearest records of each question, by comparing all."""
    best = np.full((len(questions), K), -np.inf, dtype=np.float32)
    numbers = np.zeros((len(questions), K), dtype=np.int64)
    for first in range(0, len(vectors), _BATCH):
        scores = questions @ vectors[first : first + _BATCH].T
        scores = np.hstack([best, scores])
        own = np.hstack(
            [numbers, np.tile(np.arange(first, first + scores.shape[1] - K) + 1, (len(questions), 1))]
        )
        top = np.argpartition(-scores, K, axis=1)[:, :K]
        best, numbers = np.take_along_axis(scores, top, axis=1), np.take_along_axis(own, top, axis=1)
    return [set(row) for row in numbers.tolist()]


def measured(index: PassageIndex, questions: Floats, right: Sequence[set[int]]) -> dict[str, float]:
    """Recall@K and the time of single questions in milliseconds."""
    seconds, hits = [], 0
    for question, own in zip(questions, right, strict=True):
        started = time.perf_counter()
        _, ids = index.nearest(question[None], K)
        seconds.append(time.perf_counter() - started)
        hits += len(own & set(document_of(ids[0]).tolist()))
    p50, p99 = np.percentile(seconds, [50, 99]) * 1_000
    return {"recall": hits / (K * len(questions)), "p50_ms": float(p50), "p99_ms": float(p99)}


def bytes_per_record(store: VectorStore, folder: Path) -> float:
    """Memory of the engine: what its file holds, and the ids and marks that lists are searched with."""
    (written,) = folder.glob(f"gen-*/{VECTORS}")
    return written.stat().st_size / len(store) + (0 if store.exact else 9)


def measure(real: Floats, size: int, seed: int = 0) -> Iterator[dict[str, Any]]:
    """One row of figures per engine that the size can have."""
    rng = np.random.default_rng(seed)
    vectors = mixtures(real, size, rng)
    questions = noisy(vectors[rng.choice(size, QUESTIONS, replace=False)], _QUESTION_NOISE, rng)
    right = exact_neighbours(vectors, questions)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "tamga.db"
        store = open_store(f"sqlite:///{path}")
        fill(path, vectors)
        del vectors
        for limit in (size, EXACT_LIMIT // 20) if size <= EXACT_LIMIT else (EXACT_LIMIT,):
            snapshots = SnapshotFolder(Path(folder) / f"index-{limit}")
            index = PassageIndex(store.records, NoEncoder(real.shape[1]), snapshots, exact_limit=limit)
            started = time.perf_counter()
            index.rebuild()
            rebuilt = time.perf_counter() - started
            index.save()
            engine = index.store
            memory = bytes_per_record(engine, snapshots.path)
            for probes in PROBES if isinstance(engine, FaissIvfStore) else (0,):
                name = "exact"
                if isinstance(engine, FaissIvfStore):
                    engine.probes = probes
                    name = f"{probes} of {engine.list_count:,} lists, 8 bits"
                yield {
                    "records": size, "engine": name, **measured(index, questions, right),
                    "bytes_per_record": memory, "rebuild_s": rebuilt,
                }  # fmt: skip
        store.close()


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The figures as Markdown."""
    lines = [
        "| records | engine | recall@10 | p50, ms | p99, ms | bytes per record | rebuild, s |",
        "|---:|---|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {row['records']:,} | {row['engine']} | {row['recall']:.3f} | {row['p50_ms']:.1f} "
        f"| {row['p99_ms']:.1f} | {row['bytes_per_record']:,.0f} | {row['rebuild_s']:.0f} |"
        for row in rows
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure every size, print and keep the table."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--write", type=Path, help="also write the table here")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cache", type=Path, help="folder that keeps sentence vectors between runs")
    options = parser.parse_args()
    sentences = list(read_jsonl(options.data / "claims" / "parallel" / "ntrex.jsonl.gz"))[:_REAL_ROWS]
    cache = VectorCache(load_encoder(threads=options.threads), options.cache)
    real = cache.encode([row[code] for row in sentences for code in LANGUAGES])
    rows: list[dict[str, Any]] = []
    for size in options.sizes:
        for row in measure(real, size):
            rows.append(row)
            print(table(rows), flush=True)
    write_json(options.json, rows)
    if options.write:
        heading = "# The vector index by size\n\nWritten by `python -m bench.index_size --data DIR`.\n\n"
        options.write.write_text(heading + table(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
