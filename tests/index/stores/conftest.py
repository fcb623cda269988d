"""The vector engines that the contract suite runs over, and unit vectors by number."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from index.snapshot import SnapshotFolder
from index.stores.base import VectorStore
from index.stores.faiss_flat import FaissFlatStore
from index.stores.faiss_ivf import FaissIvfStore
from index.stores.faiss_shards import FaissShardsStore
from index.stores.milvus import MilvusServer, MilvusStore
from index.stores.policy import read_store
from index.stores.shared import VectorSource

DIMENSION = 16

Ids = NDArray[np.int64]
Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Engine:
    """How the suite makes a store of one kind and opens it again.

    `score_error` is how far a score may lie from the true inner product: that of rounding for engines that
    compare in full, a little more for 16-bit floats; more where vectors are kept in eight bits, whose span
    was learnt from other vectors.
    """

    start: Callable[[Ids, Vectors, Path], VectorStore]
    reopen: Callable[[VectorStore, Path], VectorStore]
    score_error: float
    examples: int
    steps: int


def _flat(ids: Ids, vectors: Vectors, _folder: Path) -> VectorStore:
    store = FaissFlatStore.empty(DIMENSION)
    store.upsert(ids, vectors)
    return store


def _lists(ids: Ids, vectors: Vectors, _folder: Path) -> VectorStore:
    return FaissIvfStore.build(ids, vectors)


def _through_a_file(store: VectorStore, folder: Path) -> VectorStore:
    assert isinstance(store, FaissFlatStore | FaissIvfStore)
    path = folder / "vectors.faiss"
    path.unlink(missing_ok=True)
    store.write(path)
    return read_store(path)


def _shards(ids: Ids, vectors: Vectors, folder: Path) -> VectorStore:
    store = FaissShardsStore.begin(DIMENSION, SnapshotFolder(folder).workspace(), shard_vectors=16)
    for first in range(0, len(ids), 10):
        store.upsert(ids[first : first + 10], vectors[first : first + 10])
    assert store.shard_count == 2
    return store


def _through_a_snapshot(store: VectorStore, folder: Path) -> VectorStore:
    assert isinstance(store, FaissShardsStore)
    snapshots = SnapshotFolder(folder)
    snapshots.write(store, collection="records", store_id="s", model_id="m", revision=1)
    # The same process goes on with what was written, the next one reads it.
    loaded = snapshots.load(read_store)
    assert loaded is not None
    assert len(loaded[0]) == len(store)
    return loaded[0]


def _milvus(server: MilvusServer) -> Engine:
    # Many collections at once: each start is a database of its own.
    sources = (VectorSource("records", f"s{number}", "m", DIMENSION) for number in itertools.count())
    started: dict[str, VectorSource] = {}

    def start(ids: Ids, vectors: Vectors, _folder: Path) -> VectorStore:
        source = next(sources)
        begun = server.begin(source, len(ids))
        begun.upsert(ids, vectors)
        current = server.switch(source, begun, revision=1)
        started[current.name] = source
        return current

    def reopen(store: VectorStore, _folder: Path) -> VectorStore:
        assert isinstance(store, MilvusStore)
        again = server.current(started[store.name])
        assert again is not None
        return again

    return Engine(start, reopen, 1e-5, examples=3, steps=12)


ENGINES = {
    "faiss-flat": Engine(_flat, _through_a_file, 5e-4, examples=20, steps=15),
    "faiss-shards": Engine(_shards, _through_a_snapshot, 0.3, examples=8, steps=10),
    "faiss-ivf": Engine(_lists, _through_a_file, 0.3, examples=15, steps=12),
}


@pytest.fixture(scope="session")
def milvus_engine(milvus_server: MilvusServer) -> Engine:
    return _milvus(milvus_server)


@pytest.fixture(params=[*ENGINES, "milvus"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Every engine that there is, one after the other."""
    if request.param == "milvus":
        made: Engine = request.getfixturevalue("milvus_engine")
        return made
    return ENGINES[request.param]


@cache
def _unit(seed: int) -> Vectors:
    vector = np.random.default_rng(seed).normal(size=DIMENSION).astype(np.float32)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


@pytest.fixture
def unit() -> Callable[[int], Vectors]:
    """A unit vector (DIMENSION,) that is always the same for a number."""
    return _unit


@pytest.fixture
def units() -> Callable[..., Vectors]:
    """Unit vectors (n, DIMENSION) by their numbers."""
    return lambda *seeds: np.array([_unit(seed) for seed in seeds], dtype=np.float32).reshape(-1, DIMENSION)
