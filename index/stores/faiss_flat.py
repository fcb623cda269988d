"""Exact search with FAISS: every vector is compared, so results can be explained and nothing is missed.

Enough up to some hundred thousand passages (a scan of 100,000 x 384 takes milliseconds). Vectors are held in
half precision: cosines are right to 0.0001, where the encoder's own rounding is a hundred times that, and a
scan, which is bound by memory, takes a quarter of the time.
"""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from index.stores.base import IdRanges, VectorFileError
from index.stores.lock import ReadWriteLock

_HALF = faiss.ScalarQuantizer.QT_fp16


class FaissFlatStore:
    """An `IndexIDMap2` over 16-bit floats; many threads search at once, a change waits for them and then goes
    alone.
    """

    exact = True

    def __init__(self, index: faiss.IndexIDMap2) -> None:
        self._index = index
        self._lock = ReadWriteLock()

    @classmethod
    def empty(cls, dimension: int) -> FaissFlatStore:
        """A new store without vectors."""
        if dimension < 1:
            raise ValueError(f"the dimension of vectors must be positive, not {dimension}")
        halves = faiss.IndexScalarQuantizer(dimension, _HALF, faiss.METRIC_INNER_PRODUCT)
        return cls(faiss.IndexIDMap2(halves))

    @classmethod
    def read(cls, path: Path) -> FaissFlatStore:
        """The store written to `path`; raises VectorFileError for a file that cannot be one."""
        # A damaged length field must not make FAISS allocate more than the file could ever hold.
        faiss.set_deserialization_vector_byte_limit(path.stat().st_size + 4096)
        try:
            index = faiss.read_index(str(path))
        except Exception as error:  # FAISS raises RuntimeError, and MemoryError on absurd sizes
            raise VectorFileError(f"FAISS cannot read {path.name}: {str(error).splitlines()[0]}") from error
        return cls.over(index, path.name)

    @classmethod
    def over(cls, index: faiss.Index, name: str) -> FaissFlatStore:
        """A store over an index read from the file `name`; raises VectorFileError for one that cannot be."""
        if not isinstance(index, faiss.IndexIDMap2) or not _halves(faiss.downcast_index(index.index)):
            raise VectorFileError(
                f"{name} holds another kind of index than 16-bit vectors with ids, compared by inner product"
            )
        if index.index.ntotal != index.ntotal or index.id_map.size() != index.ntotal:
            raise VectorFileError(f"{name} holds {index.index.ntotal} vectors but {index.id_map.size()} ids")
        return cls(index)

    def write(self, path: Path) -> None:
        """Write a consistent state to a new file; flushing it to disk is the caller's part."""
        with self._lock.reading():
            faiss.write_index(self._index, str(path))

    def moved_to(self, path: Path) -> None:
        """Nothing to do: the content is in memory."""

    def ping(self) -> None:
        """Nothing to ask: what is in memory answers."""

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        return int(self._index.d)

    def __len__(self) -> int:
        """How many vectors are held."""
        with self._lock.reading():
            return int(self._index.ntotal)

    def upsert(self, ids: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Add vectors (n, d) under ids (n,), replacing those held under the same id; of a repeated id the
        last counts.
        """
        ids, vectors = checked_pairs(ids, vectors, self.dimension)
        if len(ids) == 0:
            return
        with self._lock.writing():
            held = self._ids()
            self._remove(held[np.isin(held, ids)])
            self._index.add_with_ids(vectors, ids)

    def delete(self, ids: NDArray[np.int64]) -> int:
        """Remove vectors by id, ids not held being ignored; returns how many were removed."""
        with self._lock.writing():
            held = self._ids()
            return self._remove(held[np.isin(held, ids)])

    def delete_ranges(self, ranges: IdRanges) -> int:
        """Remove every vector whose id lies in the ranges; returns how many were removed."""
        with self._lock.writing():
            held = self._ids()
            return self._remove(held[ranges.contain(held)])

    def search(
        self, queries: NDArray[np.float32], k: int, *, within: IdRanges | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The k best of each query (m, d), best first, as scores (m, k) and ids (m, k); id -1 where there are
        fewer.
        """
        queries = checked_vectors(queries, self.dimension)
        if k < 1:
            raise ValueError(f"k must be positive, not {k}")
        with self._lock.reading():
            found = min(k, int(self._index.ntotal))
            scores = np.full((len(queries), k), -np.inf, dtype=np.float32)
            ids = np.full((len(queries), k), -1, dtype=np.int64)
            if found == 0 or len(queries) == 0:
                return scores, ids
            parameters = None
            if within is not None:
                held = self._ids()
                # The batch must outlive the search: FAISS keeps a bare pointer to the selector.
                allowed = np.ascontiguousarray(held[within.contain(held)])
                if len(allowed) == 0:
                    return scores, ids
                found = min(found, len(allowed))
                selector = faiss.IDSelectorBatch(allowed)
                parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
            scores[:, :found], ids[:, :found] = self._index.search(queries, found, params=parameters)
            return scores, ids

    def content(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """All ids (n,) and their vectors (n, d)."""
        with self._lock.reading():
            vectors = self._index.index.reconstruct_n(0, int(self._index.ntotal))
            return self._ids().copy(), np.asarray(vectors, dtype=np.float32)

    def _ids(self) -> NDArray[np.int64]:
        return np.asarray(faiss.vector_to_array(self._index.id_map), dtype=np.int64)

    def _remove(self, ids: NDArray[np.int64]) -> int:
        # Removing from a flat index moves all vectors behind the gap: one call for the whole batch, none for
        # nothing.
        return (
            int(self._index.remove_ids(faiss.IDSelectorBatch(np.ascontiguousarray(ids)))) if len(ids) else 0
        )


def _halves(index: faiss.Index) -> bool:
    return (
        isinstance(index, faiss.IndexScalarQuantizer)
        and index.sq.qtype == _HALF
        and index.metric_type == faiss.METRIC_INNER_PRODUCT
    )


def checked_vectors(vectors: NDArray[np.float32], dimension: int) -> NDArray[np.float32]:
    """Vectors (n, dimension) as FAISS takes them; ValueError for other shapes and for infinite numbers."""
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    if vectors.ndim != 2 or vectors.shape[1] != dimension:
        raise ValueError(f"vectors must have the shape (n, {dimension}), not {vectors.shape}")
    if not np.isfinite(vectors).all():
        raise ValueError("vectors must be finite numbers")
    return vectors


def checked_pairs(
    ids: NDArray[np.int64], vectors: NDArray[np.float32], dimension: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Ids (n,) and vectors (n, dimension) as FAISS takes them, of a repeated id the last; ValueError for what
    cannot be stored.
    """
    ids = np.ascontiguousarray(ids, dtype=np.int64)
    vectors = checked_vectors(vectors, dimension)
    if ids.shape != (len(vectors),):
        raise ValueError(f"{len(vectors)} vectors need as many ids, not shape {ids.shape}")
    if len(ids) and int(ids.min()) < 0:
        raise ValueError("ids must not be negative: -1 marks an absent result")
    # np.unique keeps the first of equal values: look from the end to keep the last.
    unique, from_end = np.unique(ids[::-1], return_index=True)
    if len(unique) < len(ids):
        keep = np.sort(len(ids) - 1 - from_end)
        ids, vectors = np.ascontiguousarray(ids[keep]), np.ascontiguousarray(vectors[keep])
    return ids, vectors
