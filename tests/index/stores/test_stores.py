"""One suite that every vector engine has to pass; the oracle is numpy over a dictionary."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from numpy.typing import NDArray

from index.stores.base import IdRanges, VectorFileError
from index.stores.faiss_flat import FaissFlatStore
from index.stores.lock import ReadWriteLock

DIMENSION = 6
ENGINES = [FaissFlatStore]


def unit(seed: int) -> NDArray[np.float32]:
    vector = np.random.default_rng(seed).normal(size=DIMENSION).astype(np.float32)
    return vector / np.linalg.norm(vector)


def ids(*values: int) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)


def ranges(*pairs: tuple[int, int]) -> IdRanges:
    return IdRanges(ids(*(start for start, _ in pairs)), ids(*(stop for _, stop in pairs)))


class StoreAgainstDictionary(RuleBasedStateMachine):
    """Random upserts, deletions and reloads; after each step a search equals the exact scan."""

    def __init__(self) -> None:
        super().__init__()
        self.store = FaissFlatStore.empty(DIMENSION)
        self.oracle: dict[int, NDArray[np.float32]] = {}

    @rule(pairs=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 1_000)), max_size=8))
    def upsert(self, pairs: list[tuple[int, int]]) -> None:
        vectors = np.array([unit(seed) for _, seed in pairs], dtype=np.float32).reshape(-1, DIMENSION)
        self.store.upsert(ids(*(number for number, _ in pairs)), vectors)
        self.oracle.update({number: unit(seed) for number, seed in pairs})

    @rule(numbers=st.lists(st.integers(0, 45), max_size=6))
    def delete(self, numbers: list[int]) -> None:
        assert self.store.delete(ids(*numbers)) == len(self.oracle.keys() & set(numbers))
        for number in numbers:
            self.oracle.pop(number, None)

    @rule(start=st.integers(0, 45), length=st.integers(0, 12))
    def delete_ranges(self, start: int, length: int) -> None:
        gone = [number for number in self.oracle if start <= number < start + length]
        assert self.store.delete_ranges(ranges((start, start + length))) == len(gone)
        for number in gone:
            del self.oracle[number]

    @rule(
        seed=st.integers(0, 1_000), k=st.integers(1, 12), start=st.integers(0, 40), length=st.integers(0, 20)
    )
    def search_within(self, seed: int, k: int, start: int, length: int) -> None:
        within = ranges((start, start + length))
        allowed = {number: v for number, v in self.oracle.items() if start <= number < start + length}
        self._equal(self.store.search(unit(seed)[None], k, within=within), allowed, seed, k)

    @invariant()
    def searches_equal_the_scan(self) -> None:
        assert len(self.store) == len(self.oracle)
        self._equal(self.store.search(unit(5)[None], 7), self.oracle, 5, 7)

    @staticmethod
    def _equal(
        found: tuple[NDArray[np.float32], NDArray[np.int64]],
        allowed: dict[int, NDArray[np.float32]],
        seed: int,
        k: int,
    ) -> None:
        scores, numbers = found[0][0], found[1][0]
        expected = {number: float(vector @ unit(seed)) for number, vector in allowed.items()}
        held = [int(number) for number in numbers if number >= 0]
        assert len(held) == len(set(held)) == min(k, len(expected))
        assert (numbers[len(held) :] == -1).all()
        best = sorted(expected.values(), reverse=True)[: len(held)]
        np.testing.assert_allclose(scores[: len(held)], best, atol=1e-5)
        np.testing.assert_allclose(scores[: len(held)], [expected[number] for number in held], atol=1e-5)


TestStoreAgainstDictionary = StoreAgainstDictionary.TestCase
TestStoreAgainstDictionary.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)


@pytest.fixture(params=ENGINES)
def store(request: pytest.FixtureRequest) -> FaissFlatStore:
    engine: type[FaissFlatStore] = request.param
    return engine.empty(DIMENSION)


def test_large_ids(store: FaissFlatStore) -> None:
    number = (1 << 62) + 12345
    store.upsert(ids(number), unit(1)[None])
    assert store.search(unit(1)[None], 1)[1][0, 0] == number


def test_empty_store_finds_nothing(store: FaissFlatStore) -> None:
    scores, numbers = store.search(unit(1)[None], 3)
    assert numbers.tolist() == [[-1, -1, -1]]
    assert np.isneginf(scores).all()


def test_the_last_of_repeated_ids_counts(store: FaissFlatStore) -> None:
    store.upsert(ids(4, 4), np.stack([unit(1), unit(2)]))
    assert len(store) == 1
    assert store.search(unit(2)[None], 1)[0][0, 0] == pytest.approx(1)


@pytest.mark.parametrize(
    ("numbers", "vectors", "message"),
    [
        (ids(1), np.zeros((1, 5), dtype=np.float32), "shape"),
        (ids(1, 2), np.zeros((1, DIMENSION), dtype=np.float32), "as many ids"),
        (ids(-1), np.zeros((1, DIMENSION), dtype=np.float32), "negative"),
        (ids(1), np.full((1, DIMENSION), np.nan, dtype=np.float32), "finite"),
        (ids(1), np.full((1, DIMENSION), np.inf, dtype=np.float32), "finite"),
    ],
)
def test_bad_vectors_are_refused(
    store: FaissFlatStore, numbers: NDArray[np.int64], vectors: NDArray[np.float32], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        store.upsert(numbers, vectors)
    assert len(store) == 0


def test_bad_searches_are_refused(store: FaissFlatStore) -> None:
    with pytest.raises(ValueError, match="k must be positive"):
        store.search(unit(1)[None], 0)
    with pytest.raises(ValueError, match="shape"):
        store.search(unit(1), 1)


def test_written_and_read_back(store: FaissFlatStore, tmp_path: Path) -> None:
    store.upsert(ids(3, 9, 1 << 40), np.stack([unit(1), unit(2), unit(3)]))
    store.write(tmp_path / "vectors")
    again = type(store).read(tmp_path / "vectors")
    assert len(again) == 3
    for query in (unit(1), unit(7)):
        np.testing.assert_array_equal(again.search(query[None], 3)[1], store.search(query[None], 3)[1])
    # What was read can be changed.
    again.upsert(ids(9), unit(5)[None])
    assert again.delete(ids(3)) == 1


@pytest.mark.parametrize("content", [b"", b"no index at all", b"IxM2" + b"\xff" * 200])
def test_a_file_that_is_no_index(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "vectors"
    path.write_bytes(content)
    with pytest.raises(VectorFileError):
        FaissFlatStore.read(path)


def test_a_truncated_file(tmp_path: Path) -> None:
    store = FaissFlatStore.empty(DIMENSION)
    store.upsert(np.arange(50, dtype=np.int64), np.stack([unit(seed) for seed in range(50)]))
    path = tmp_path / "vectors"
    store.write(path)
    whole = path.read_bytes()
    for length in (10, 60, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(VectorFileError):
            FaissFlatStore.read(path)


def test_searches_stay_whole_while_vectors_are_replaced() -> None:
    """A vector under replacement is found in its old or its new form, never missing."""
    store = FaissFlatStore.empty(DIMENSION)
    fixed = ids(*range(20))
    vectors = np.stack([unit(seed) for seed in range(20)])
    store.upsert(fixed, vectors)
    stop = threading.Event()
    failures: list[str] = []

    def replace() -> None:
        for round_number in range(300):
            store.upsert(fixed, vectors)
            store.upsert(ids(100 + round_number % 7), unit(round_number)[None])
        stop.set()

    def search() -> None:
        while not stop.is_set():
            _, numbers = store.search(vectors, 27)
            failures.extend(str(row) for row in numbers if not set(range(20)) <= set(row.tolist()))

    threads = [threading.Thread(target=search) for _ in range(3)] + [threading.Thread(target=replace)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert stop.is_set()
    assert not failures


def test_readers_share_the_lock_and_a_writer_does_not() -> None:
    lock = ReadWriteLock()
    both_in = threading.Barrier(2, timeout=10)
    order: list[str] = []

    def read() -> None:
        with lock.reading():
            both_in.wait()  # only passes when two readers are inside at once
            order.append("read")

    def write() -> None:
        with lock.writing():
            order.append("write")

    readers = [threading.Thread(target=read) for _ in range(2)]
    for thread in readers:
        thread.start()
    for thread in readers:
        thread.join(timeout=10)
    with lock.reading():
        writer = threading.Thread(target=write)
        writer.start()
        writer.join(timeout=0.2)
        assert writer.is_alive()
        order.append("still reading")
    writer.join(timeout=10)
    assert order == ["read", "read", "still reading", "write"]
