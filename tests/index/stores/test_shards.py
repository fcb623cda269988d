"""Shards beyond the contract: mapped files, links between snapshots, damage, and recall over many."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from index.snapshot import VECTORS, SnapshotError, SnapshotFolder
from index.stores.base import FileVectorStore
from index.stores.faiss_ivf import FaissIvfStore
from index.stores.faiss_shards import FaissShardsStore
from index.stores.policy import outgrown, read_store

DIMENSION = 16
SHARD = 400

Units = Callable[..., NDArray[np.float32]]


def clustered(count: int, seed: int = 1) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(60, DIMENSION))
    vectors = centres[rng.integers(0, 60, count)] + 0.4 * rng.normal(size=(count, DIMENSION))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def filled(folder: SnapshotFolder, vectors: NDArray[np.float32]) -> FaissShardsStore:
    store = FaissShardsStore.begin(DIMENSION, folder.workspace(), shard_vectors=SHARD)
    for first in range(0, len(vectors), 50):
        store.upsert(np.arange(first, min(first + 50, len(vectors))), vectors[first : first + 50])
    return store


def write(folder: SnapshotFolder, store: FileVectorStore) -> Path:
    number = folder.write(store, collection="records", store_id="s", model_id="m", revision=1)
    return folder.path / f"gen-{number}"


@pytest.fixture
def folder(tmp_path: Path) -> SnapshotFolder:
    return SnapshotFolder(tmp_path / "records")


def test_recall_over_shards(folder: SnapshotFolder) -> None:
    vectors = clustered(2_100)
    store = filled(folder, vectors)
    assert store.shard_count == 5
    queries = vectors[::25]
    exact = np.argsort(-(queries @ vectors.T), axis=1)[:, :10]
    _, ids = store.search(queries, 10)
    recall = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(ids.tolist(), exact.tolist(), strict=True)])
    assert recall >= 0.9


def test_lists_are_mapped_and_not_read(folder: SnapshotFolder) -> None:
    write(folder, filled(folder, clustered(900)))
    loaded = folder.load(read_store)
    assert loaded is not None
    store = loaded[0]
    assert isinstance(store, FaissShardsStore)
    maps = Path("/proc/self/maps").read_text()
    assert str(folder.path / "gen-1" / "shard-00000.faiss") in maps


def test_what_has_not_changed_is_linked(folder: SnapshotFolder) -> None:
    store = filled(folder, clustered(1_300))
    first = write(folder, store)
    before = {path.name: path.stat().st_ino for path in first.glob("shard-*")}
    assert len(before) == 4  # three full ones, and one of the hundred vectors that came last
    assert not list(folder.path.glob("building-*"))
    store.delete(np.array([450]))
    store.upsert(np.array([5_000]), clustered(1, seed=9))
    second = write(folder, store)
    after = {path.name: path.stat().st_ino for path in second.glob("shard-*")}
    assert {name for name in before if before[name] == after[name]} == before.keys() - {"shard-00001.faiss"}
    assert len(store) == 1_300
    assert store.search(clustered(1, seed=9), 1)[1][0, 0] == 5_000
    assert 450 not in store.search(clustered(1_300)[450:451], 20)[1]


def test_later_vectors_fill_the_shard_that_has_room(folder: SnapshotFolder) -> None:
    vectors = clustered(1_000)
    store = filled(folder, vectors[:900])
    write(folder, store)
    assert store.shard_count == 3
    store.upsert(np.arange(900, 1_000), vectors[900:])
    write(folder, store)
    assert store.shard_count == 3
    _, ids = store.search(vectors[900:], 5)
    assert (ids == np.arange(900, 1_000)[:, None]).any(axis=1).mean() > 0.9


def test_another_process_may_remove_the_names(folder: SnapshotFolder) -> None:
    """Two processes with one home: the one's snapshots go on while the other still searches its own."""
    store = filled(folder, clustered(900))
    write(folder, store)
    loaded = folder.load(read_store)
    assert loaded is not None
    other = loaded[0]
    for _ in range(3):
        other.upsert(np.array([1]), clustered(1, seed=3))
        write(folder, other)
    assert not (folder.path / "gen-1").exists()
    assert len(store) == 900
    store.delete(np.array([2]))
    write(folder, store)
    again = folder.load(read_store)
    assert again is not None
    assert len(again[0]) == 899


def test_a_damaged_or_missing_shard_is_noticed(folder: SnapshotFolder) -> None:
    place = write(folder, filled(folder, clustered(900)))
    shard = place / "shard-00001.faiss"
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.unlink()
    shard.write_bytes(content)
    with pytest.raises(SnapshotError, match=r"shard-00001\.faiss is damaged"):
        SnapshotFolder(folder.path).load(read_store)
    shard.unlink()
    with pytest.raises(SnapshotError, match="incomplete"):
        SnapshotFolder(folder.path).load(read_store)


def test_what_a_killed_build_left_is_removed(folder: SnapshotFolder) -> None:
    left = folder.path / "building-killed"
    left.mkdir(parents=True)
    (left / "shard-00000.faiss").write_bytes(b"half of one")
    own = folder.workspace()
    assert not left.exists()
    # That of a process that lives stays.
    folder.workspace()
    assert own.exists()


def test_an_emptied_collection_is_read_back(folder: SnapshotFolder) -> None:
    store = filled(folder, clustered(450))
    store.delete(np.arange(450))
    place = write(folder, store)
    assert len(store) == 0
    assert not list(place.glob("shard-*"))
    loaded = folder.load(read_store)
    assert loaded is not None
    assert len(loaded[0]) == 0


def test_the_engine_follows_the_size(folder: SnapshotFolder) -> None:
    vectors = clustered(500)
    lists = FaissIvfStore.build(np.arange(500), vectors)
    assert not outgrown(lists, 100, shard_limit=500)
    assert outgrown(lists, 100, shard_limit=499)
    shards = filled(folder, vectors)
    assert not outgrown(shards, 100, shard_limit=499)
    assert outgrown(shards, 100, shard_limit=1_001)
    assert (folder.path / VECTORS).exists() is False
