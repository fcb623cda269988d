"""Approximate search with FAISS over files that stay on disk: for collections larger than a machine's memory.

A collection is cut into shards, each of them inverted lists of 8-bit vectors in a file of its own that is
mapped into memory: what searches read lies in the page cache of the operating system, which gives it up when
memory is needed elsewhere. Ids and marks of deletion stay in memory, 9 bytes a vector. Shards never change:
later vectors stand beside them uncompressed, replaced and deleted ones are marked. Writing a snapshot links
what has not changed, writes shards with deletions anew, one at a time, and puts later vectors into a shard
when they are many.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import faiss
import numpy as np
from numpy.typing import NDArray

from index.stores.base import SHARD_FILES, IdRanges, VectorFileError
from index.stores.faiss_flat import FaissFlatStore, checked_pairs, checked_vectors
from index.stores.faiss_ivf import FaissIvfStore
from index.stores.lock import ReadWriteLock

SHARD_VECTORS: Final = 1_000_000
"""Vectors of a full shard: building one needs 1.5 kB of memory for each."""

# Later vectors go into a shard when they are this part of a full one, and enough to learn eight bits from.
_FOLDED_PART: Final = 20
_LEAST_FOLDED: Final = 8


@dataclass(frozen=True, slots=True)
class _Shard:
    """A file of lists, mapped; `file` keeps it readable although another process removes its name."""

    path: Path
    file: BinaryIO
    lists: FaissIvfStore

    @classmethod
    def open(cls, path: Path) -> _Shard:
        return cls(path, path.open("rb"), _read_lists(path, path.name, mapped=True))

    def place(self, target: Path) -> None:
        """Put the file, as it is, under another name."""
        try:
            os.link(self.path, target)
        except OSError:  # the name is gone, or the target lies on another file system
            shutil.copyfile(self._own_name(), target)

    def whole(self) -> FaissIvfStore:
        """The same lists in memory, where they can be changed, without what was deleted."""
        store = _read_lists(self._own_name(), self.path.name, mapped=False)
        store.delete(self.lists.deleted_ids())
        return store

    def _own_name(self) -> Path:
        return Path(f"/proc/self/fd/{self.file.fileno()}") if not self.path.exists() else self.path


class FaissShardsStore:
    """Mapped `FaissIvfStore`s and a `FaissFlatStore` of later vectors; thread-safe.

    With a `workspace`, an empty folder, it can be filled from nothing: whenever the later vectors are as many
    as a shard holds they become one, in a file there.
    """

    exact = False

    def __init__(
        self,
        shards: list[_Shard],
        recent: FaissFlatStore,
        *,
        workspace: Path | None = None,
        shard_vectors: int = SHARD_VECTORS,
    ) -> None:
        self._shards = shards
        self._recent = recent
        self._workspace = workspace
        self._shard_vectors = shard_vectors
        self._lock = ReadWriteLock()

    @classmethod
    def begin(
        cls, dimension: int, workspace: Path, *, shard_vectors: int = SHARD_VECTORS
    ) -> FaissShardsStore:
        """An empty store that writes its shards to `workspace` while it is filled."""
        return cls([], FaissFlatStore.empty(dimension), workspace=workspace, shard_vectors=shard_vectors)

    @classmethod
    def open(
        cls, recent: FaissFlatStore, folder: Path, shard_vectors: int = SHARD_VECTORS
    ) -> FaissShardsStore:
        """The shards in a folder, with the later vectors; raises VectorFileError for ones that cannot be."""
        shards = [_Shard.open(path) for path in sorted(folder.glob(SHARD_FILES))]
        if any(shard.lists.dimension != recent.dimension for shard in shards):
            raise VectorFileError(f"{folder.name} holds vectors of different lengths")
        return cls(shards, recent, shard_vectors=shard_vectors)

    @property
    def shard_count(self) -> int:
        """How many files of lists there are."""
        return len(self._shards)

    def write(self, path: Path) -> None:
        """Write a consistent state to a new file and new shards beside it. `moved_to` takes it over."""
        with self._lock.writing():
            folded = len(self._recent) >= max(_LEAST_FOLDED, self._shard_vectors // _FOLDED_PART)
            ids, vectors = self._recent.content()
            taker = self._taker(len(ids)) if folded else None
            number = 0
            for shard in self._shards:
                target = path.parent / SHARD_FILES.replace("*", f"{number:05}")
                if shard is not taker and not len(shard.lists.deleted_ids()):
                    shard.place(target)
                elif len(shard.lists) or shard is taker:
                    whole = shard.whole()
                    if shard is taker:
                        whole.upsert(ids, vectors)
                    whole.write(target)
                else:
                    continue
                number += 1
            if folded and taker is None:
                for first in range(0, len(ids), self._shard_vectors):
                    part = slice(first, first + self._shard_vectors)
                    target = path.parent / SHARD_FILES.replace("*", f"{number:05}")
                    FaissIvfStore.build(ids[part], vectors[part]).write(target)
                    number += 1
            (FaissFlatStore.empty(self.dimension) if folded else self._recent).write(path)

    def _taker(self, count: int) -> _Shard | None:
        """The shard that has most room for so many vectors, if any has enough."""
        smallest = min(self._shards, key=lambda shard: len(shard.lists), default=None)
        fits = smallest is not None and len(smallest.lists) + count <= self._shard_vectors
        return smallest if fits else None

    def moved_to(self, path: Path) -> None:
        """What was written last lies there now: search it, and give up what it was made from."""
        again = FaissShardsStore.open(FaissFlatStore.read(path), path.parent, self._shard_vectors)
        with self._lock.writing():
            self._shards, self._recent = again._shards, again._recent
            if self._workspace is not None:
                shutil.rmtree(self._workspace, ignore_errors=True)
                self._workspace = None

    def ping(self) -> None:
        """Nothing to ask: mapped files answer."""

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        return self._recent.dimension

    def __len__(self) -> int:
        """How many vectors are held."""
        with self._lock.reading():
            return sum(len(shard.lists) for shard in self._shards) + len(self._recent)

    def upsert(self, ids: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Add vectors (n, d) under ids (n,), replacing those held under the same id; of a repeated id the
        last counts.
        """
        ids, vectors = checked_pairs(ids, vectors, self.dimension)
        with self._lock.writing():
            for shard in self._shards:
                shard.lists.delete(ids)
            self._recent.upsert(ids, vectors)
            if self._workspace is not None and len(self._recent) >= self._shard_vectors:
                path = self._workspace / SHARD_FILES.replace("*", f"{len(self._shards):05}")
                FaissIvfStore.build(*self._recent.content()).write(path)
                self._shards.append(_Shard.open(path))
                self._recent = FaissFlatStore.empty(self.dimension)

    def delete(self, ids: NDArray[np.int64]) -> int:
        """Remove vectors by id, ids not held being ignored; returns how many were removed."""
        with self._lock.writing():
            return sum(shard.lists.delete(ids) for shard in self._shards) + self._recent.delete(ids)

    def delete_ranges(self, ranges: IdRanges) -> int:
        """Remove every vector whose id lies in the ranges; returns how many were removed."""
        with self._lock.writing():
            gone = sum(shard.lists.delete_ranges(ranges) for shard in self._shards)
            return gone + self._recent.delete_ranges(ranges)

    def search(
        self, queries: NDArray[np.float32], k: int, *, within: IdRanges | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The k best of each query (m, d) as far as the lists read hold them, best first, as scores (m, k)
        and ids (m, k); id -1 where there are fewer. Vectors in shards are scored by their 8-bit form.

        With `within` all lists are read and only ids in these ranges considered.
        """
        queries = checked_vectors(queries, self.dimension)
        if k < 1:
            raise ValueError(f"k must be positive, not {k}")
        with self._lock.reading():
            found = [self._recent.search(queries, k, within=within)]
            found += [shard.lists.search(queries, k, within=within) for shard in self._shards]
        scores, ids = np.hstack([row for row, _ in found]), np.hstack([row for _, row in found])
        best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(scores, best, axis=1), np.take_along_axis(ids, best, axis=1)


def _read_lists(path: Path, name: str, *, mapped: bool) -> FaissIvfStore:
    # A damaged length field must not make FAISS allocate more than the file could ever hold.
    faiss.set_deserialization_vector_byte_limit(path.stat().st_size + 4096)
    try:
        index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY if mapped else 0)
    except Exception as error:  # FAISS raises RuntimeError, and MemoryError on absurd sizes
        raise VectorFileError(f"FAISS cannot read {name}: {str(error).splitlines()[0]}") from error
    if not isinstance(index, faiss.IndexIVFScalarQuantizer):
        raise VectorFileError(f"{name} holds another kind of index than lists of 8-bit vectors")
    if mapped:
        # By default each search starts 32 threads to read ahead: far dearer than pages that are there.
        lists: Any = faiss.downcast_InvertedLists(index.invlists)  # type: ignore[arg-type]
        lists.prefetch_nthread = 0
    return FaissIvfStore.over(index, name)
