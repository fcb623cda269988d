"""Snapshots: written whole or not at all, verified byte by byte."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index import snapshot
from index.snapshot import CURRENT, MANIFEST, VECTORS, SnapshotError, SnapshotFolder
from index.stores.faiss_flat import FaissFlatStore

DIMENSION = 8


def filled(count: int) -> FaissFlatStore:
    store = FaissFlatStore.empty(DIMENSION)
    vectors = np.random.default_rng(count).normal(size=(count, DIMENSION)).astype(np.float32)
    store.upsert(np.arange(count, dtype=np.int64), vectors)
    return store


def write(folder: SnapshotFolder, count: int, revision: int) -> int:
    return folder.write(filled(count), collection="records", store_id="s", model_id="m", revision=revision)


def test_nothing_written_yet(tmp_path: Path) -> None:
    assert SnapshotFolder(tmp_path / "none").load(FaissFlatStore.read) is None


def test_written_and_loaded(tmp_path: Path) -> None:
    folder = SnapshotFolder(tmp_path / "records")
    assert write(folder, 30, revision=12) == 1
    loaded = folder.load(FaissFlatStore.read)
    assert loaded is not None
    store, manifest = loaded
    assert len(store) == 30
    assert (manifest.revision, manifest.count, manifest.dimension, manifest.model_id) == (
        12,
        30,
        DIMENSION,
        "m",
    )


def test_two_generations_are_kept(tmp_path: Path) -> None:
    folder = SnapshotFolder(tmp_path)
    assert [write(folder, 5 + number, revision=number) for number in range(5)] == [1, 2, 3, 4, 5]
    assert sorted(path.name for path in tmp_path.glob("gen-*")) == ["gen-4", "gen-5"]
    loaded = folder.load(FaissFlatStore.read)
    assert loaded is not None
    assert loaded[1].revision == 4


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_flipped_byte_is_noticed(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("snapshot")
    folder = SnapshotFolder(path)
    write(folder, 12, revision=3)
    target = data.draw(st.sampled_from([path / CURRENT, path / "gen-1" / MANIFEST, path / "gen-1" / VECTORS]))
    content = bytearray(target.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= 1 << data.draw(st.integers(0, 7))
    target.write_bytes(content)
    with pytest.raises(SnapshotError, match=r"damaged|incomplete"):
        folder.load(FaissFlatStore.read)


@pytest.mark.parametrize("name", [MANIFEST, VECTORS])
def test_a_missing_file_is_noticed(tmp_path: Path, name: str) -> None:
    folder = SnapshotFolder(tmp_path)
    write(folder, 3, revision=1)
    (tmp_path / "gen-1" / name).unlink()
    with pytest.raises(SnapshotError, match="incomplete"):
        folder.load(FaissFlatStore.read)


def test_a_format_of_the_future_is_named(tmp_path: Path) -> None:
    folder = SnapshotFolder(tmp_path)
    write(folder, 3, revision=1)
    manifest = tmp_path / "gen-1" / MANIFEST
    changed = manifest.read_text().replace('"format": 1', '"format": 2')
    manifest.write_text(changed)
    import hashlib

    (tmp_path / CURRENT).write_text(f"gen-1 {hashlib.sha256(changed.encode()).hexdigest()}\n")
    with pytest.raises(SnapshotError, match="cannot read: format"):
        folder.load(FaissFlatStore.read)


class Crash(BaseException):
    """The process is gone: nothing after this runs, not even clean-up."""


@pytest.mark.parametrize("step", range(1, 12))
def test_a_crash_at_any_step_leaves_a_whole_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """Every flush and every rename is a step; the crash comes just before it."""
    folder = SnapshotFolder(tmp_path)
    write(folder, 10, revision=1)
    steps = 0

    def counted(call):  # type: ignore[no-untyped-def]
        def wrapper(*args, **kwargs):  # type: ignore[no-untyped-def]
            nonlocal steps
            steps += 1
            if steps == step:
                raise Crash
            return call(*args, **kwargs)

        return wrapper

    with monkeypatch.context() as patch:
        patch.setattr(snapshot, "_flush", counted(snapshot._flush))
        patch.setattr(Path, "rename", counted(Path.rename))
        patch.setattr(Path, "replace", counted(Path.replace))
        patch.setattr(snapshot.shutil, "rmtree", lambda *_args, **_kwargs: None)
        try:
            write(folder, 20, revision=2)
            crashed = False
        except Crash:
            crashed = True
    # There are eight steps; beyond them the write must simply have succeeded.
    assert crashed == (step <= 8), steps
    loaded = folder.load(FaissFlatStore.read)
    assert loaded is not None
    assert (loaded[1].revision, len(loaded[0])) in ([(1, 10), (2, 20)] if crashed else [(2, 20)])
    # The next writer clears what the crash left and goes on.
    write(folder, 30, revision=3)
    loaded = folder.load(FaissFlatStore.read)
    assert loaded is not None
    assert loaded[1].revision == 3
    assert not list(tmp_path.glob("draft-*"))


def test_a_full_disk_leaves_the_old_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = SnapshotFolder(tmp_path)
    write(folder, 10, revision=1)

    def full(_descriptor: int) -> None:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            write(folder, 20, revision=2)
    loaded = folder.load(FaissFlatStore.read)
    assert loaded is not None
    assert loaded[1].revision == 1
    assert not list(tmp_path.glob("draft-*"))
