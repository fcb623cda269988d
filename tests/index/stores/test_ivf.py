"""Inverted lists beyond the contract: recall where most lists are left out, and the choice of an engine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from index.stores.base import VectorFileError
from index.stores.faiss_flat import FaissFlatStore
from index.stores.faiss_ivf import PROBES, FaissIvfStore, list_count
from index.stores.policy import new_store, outgrown, read_store

DIMENSION = 16


def unit(seed: int) -> NDArray[np.float32]:
    vector = np.random.default_rng(seed).normal(size=DIMENSION).astype(np.float32)
    return vector / np.linalg.norm(vector)


def test_recall_of_clustered_vectors() -> None:
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(300, DIMENSION))
    vectors = (centres[rng.integers(0, 300, 9_000)] + 0.4 * rng.normal(size=(9_000, DIMENSION))).astype(
        np.float32
    )
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    store = FaissIvfStore.build(np.arange(9_000, dtype=np.int64), vectors)
    assert store.list_count > PROBES
    queries = vectors[::90]
    _, ids = store.search(queries, 10)
    exact = np.argsort(-(queries @ vectors.T), axis=1)[:, :10]
    recall = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(ids.tolist(), exact.tolist(), strict=True)])
    assert recall >= 0.9


def test_the_engine_follows_the_size() -> None:
    flat = FaissFlatStore.empty(DIMENSION)
    vectors = np.stack([unit(seed) for seed in range(101)])
    flat.upsert(np.arange(100, dtype=np.int64), vectors[:100])
    assert isinstance(new_store(*flat.content(), 100), FaissFlatStore)
    assert not outgrown(flat, 100)
    flat.upsert(np.array([100]), vectors[100:])
    assert outgrown(flat, 100)
    lists = new_store(*flat.content(), 100)
    assert isinstance(lists, FaissIvfStore)
    assert len(lists) == 101
    assert not outgrown(lists, 100)
    lists.delete(np.arange(60, dtype=np.int64))
    assert outgrown(lists, 100)


def test_lists_grow_with_the_collection() -> None:
    assert [list_count(count) for count in (0, 1, 10_000, 100_000, 1_000_000)] == [2, 2, 256, 512, 2048]


def test_a_file_of_another_metric(tmp_path: Path) -> None:
    import faiss

    path = tmp_path / "vectors"
    faiss.write_index(faiss.index_factory(4, "IVF1,SQ8", faiss.METRIC_INNER_PRODUCT), str(path))
    with pytest.raises(VectorFileError, match="not trained"):
        read_store(path)
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(VectorFileError, match="cannot read"):
        read_store(path)
