"""The exact store beyond the contract: damaged files, and searches during changes; and the lock."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from index.stores.base import VectorFileError
from index.stores.faiss_flat import FaissFlatStore
from index.stores.lock import ReadWriteLock

DIMENSION = 6


def unit(seed: int) -> NDArray[np.float32]:
    vector = np.random.default_rng(seed).normal(size=DIMENSION).astype(np.float32)
    return vector / np.linalg.norm(vector)


def ids(*values: int) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)


def test_an_empty_store_is_written_and_read(tmp_path: Path) -> None:
    FaissFlatStore.empty(DIMENSION).write(tmp_path / "vectors")
    store = FaissFlatStore.read(tmp_path / "vectors")
    assert len(store) == 0
    scores, numbers = store.search(unit(1)[None], 3)
    assert numbers.tolist() == [[-1, -1, -1]]
    assert np.isneginf(scores).all()


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
