"""Inverted lists: found, replaced, deleted, written and read back; and which engine is chosen when."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from numpy.typing import NDArray

from index.stores.base import IdRanges, VectorFileError
from index.stores.faiss_flat import FaissFlatStore
from index.stores.faiss_ivf import PROBES, FaissIvfStore, list_count
from index.stores.policy import new_store, outgrown, read_store

DIMENSION = 16
BASE = 120


def unit(seed: int) -> NDArray[np.float32]:
    vector = np.random.default_rng(seed).normal(size=DIMENSION).astype(np.float32)
    return vector / np.linalg.norm(vector)


def built(count: int = BASE) -> FaissIvfStore:
    return FaissIvfStore.build(
        np.arange(count, dtype=np.int64), np.stack([unit(seed) for seed in range(count)])
    )


class ListsAgainstDictionary(RuleBasedStateMachine):
    """After any changes every vector is found under its id, and no other id is found at all."""

    def __init__(self) -> None:
        super().__init__()
        self.store = built()
        self.oracle = {number: unit(number) for number in range(BASE)}

    @rule(pairs=st.lists(st.tuples(st.integers(0, BASE + 20), st.integers(200, 900)), max_size=8))
    def upsert(self, pairs: list[tuple[int, int]]) -> None:
        numbers = np.array([number for number, _ in pairs], dtype=np.int64)
        vectors = np.array([unit(seed) for _, seed in pairs], dtype=np.float32).reshape(-1, DIMENSION)
        self.store.upsert(numbers, vectors)
        self.oracle.update({number: unit(seed) for number, seed in pairs})

    @rule(numbers=st.lists(st.integers(0, BASE + 25), max_size=6))
    def delete(self, numbers: list[int]) -> None:
        assert self.store.delete(np.array(numbers, dtype=np.int64)) == len(self.oracle.keys() & set(numbers))
        for number in numbers:
            self.oracle.pop(number, None)

    @rule(start=st.integers(0, BASE), length=st.integers(0, 30))
    def delete_ranges(self, start: int, length: int) -> None:
        gone = [number for number in self.oracle if start <= number < start + length]
        ranges = IdRanges(np.array([start]), np.array([start + length]))
        assert self.store.delete_ranges(ranges) == len(gone)
        for number in gone:
            del self.oracle[number]

    @rule()
    def write_and_read(self) -> None:
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            self.store.write(Path(folder) / "vectors")
            again = read_store(Path(folder) / "vectors")
        assert isinstance(again, FaissIvfStore)
        self.store = again

    @invariant()
    def found(self) -> None:
        assert len(self.store) == len(self.oracle)
        if not self.oracle:
            return
        numbers = sorted(self.oracle)[:: max(1, len(self.oracle) // 10)]
        queries = np.stack([self.oracle[number] for number in numbers])
        scores, ids = self.store.search(queries, 5)
        assert set(ids[ids >= 0].tolist()) <= self.oracle.keys()
        for number, own_scores, own in zip(numbers, scores, ids, strict=True):
            place = own.tolist().index(number)
            # Eight bits span what the few vectors of the training had; later ones may lie outside.
            assert own_scores[place] == pytest.approx(1, abs=0.15)


ListsAgainstDictionary.TestCase.settings = settings(max_examples=12, stateful_step_count=8, deadline=None)
TestListsAgainstDictionary = ListsAgainstDictionary.TestCase


def test_within_ranges_only_these_are_found() -> None:
    store = built()
    store.upsert(np.array([7]), unit(500)[None])
    ranges = IdRanges(np.array([5, 50]), np.array([8, 52]))
    _, ids = store.search(unit(500)[None], 10, within=ranges)
    assert set(ids[ids >= 0].tolist()) == {5, 6, 7, 50, 51}
    assert ids[0, 0] == 7


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


@pytest.mark.parametrize("k", [0, -1])
def test_bad_k(k: int) -> None:
    with pytest.raises(ValueError, match="k must be positive"):
        built(10).search(unit(1)[None], k)


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
