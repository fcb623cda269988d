"""Approximate search with FAISS for collections too large to scan: inverted lists of 8-bit vectors.

The lists are built once over what the collection held then. Later vectors stand beside them uncompressed,
and replaced or deleted ones in the lists are only marked; writing a snapshot takes both in. Searches read the
lists whose centres lie nearest to the question, so a result can be missed: callers take more than they need
and rank these by the stored vectors (`index.passage_index`).
"""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from index.stores.base import IdRanges, VectorFileError
from index.stores.faiss_flat import FaissFlatStore, checked_pairs, checked_vectors
from index.stores.lock import ReadWriteLock

PROBES = 48
"""Lists read per question; `bench.index_size` has the recall it gives."""

_TRAINED_PER_LIST = 40
_ITERATIONS = 6
_NONE = np.empty(0, dtype=np.int64)


def list_count(vectors: int) -> int:
    """Lists for a number of vectors: the power of two nearest to twice its square root, at least one."""
    return 1 << max(0, round(float(np.log2(2 * max(1.0, vectors**0.5)))))


class FaissIvfStore:
    """An `IndexIVFScalarQuantizer` with a `FaissFlatStore` of later vectors beside it; thread-safe."""

    exact = False

    def __init__(self, lists: faiss.IndexIVFScalarQuantizer) -> None:
        self.probes = PROBES
        """Lists read per question."""
        self._lists = lists
        self._held = _ids_of(lists)
        self._dead = np.zeros(len(self._held), dtype=np.bool_)
        self._recent = FaissFlatStore.empty(int(lists.d))
        self._lock = ReadWriteLock()

    @classmethod
    def build(cls, ids: NDArray[np.int64], vectors: NDArray[np.float32], *, seed: int = 0) -> FaissIvfStore:
        """Lists over vectors (n, d) with ids (n,), trained on a random part of them."""
        count, dimension = vectors.shape
        centres = min(list_count(count), count)
        quantizer = faiss.IndexFlatIP(dimension)
        lists = faiss.IndexIVFScalarQuantizer(
            quantizer, dimension, centres, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
        )
        lists.cp.niter = _ITERATIONS
        lists.cp.seed = seed
        lists.cp.max_points_per_centroid = _TRAINED_PER_LIST
        # Unit centres: the nearest by inner product is then the nearest by angle.
        lists.cp.spherical = True
        rows = np.sort(
            np.random.default_rng(seed).choice(count, min(count, centres * _TRAINED_PER_LIST), replace=False)
        )
        lists.train(np.ascontiguousarray(vectors[rows]))
        lists.add_with_ids(vectors, ids)
        return cls(lists)

    @classmethod
    def over(cls, lists: faiss.IndexIVFScalarQuantizer, name: str) -> FaissIvfStore:
        """A store over lists read from the file `name`; raises VectorFileError for ones that cannot be."""
        if lists.metric_type != faiss.METRIC_INNER_PRODUCT or not lists.is_trained:
            raise VectorFileError(f"{name} holds lists that are not trained for inner products")
        return cls(lists)

    def write(self, path: Path) -> None:
        """Take later vectors and deletions into the lists, then write these to a new file."""
        with self._lock.writing():
            if self._dead.any():
                dead = np.ascontiguousarray(self._held[self._dead])
                self._lists.remove_ids(faiss.IDSelectorBatch(dead))
            if len(self._recent):
                ids, vectors = self._recent.content()
                self._lists.add_with_ids(vectors, ids)
                self._recent = FaissFlatStore.empty(self.dimension)
            self._held = _ids_of(self._lists)
            self._dead = np.zeros(len(self._held), dtype=np.bool_)
            faiss.write_index(self._lists, str(path))

    def moved_to(self, path: Path) -> None:
        """Nothing to do: the content is in memory."""

    def ping(self) -> None:
        """Nothing to ask: what is in memory answers."""

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        return int(self._lists.d)

    @property
    def list_count(self) -> int:
        """How many lists there are."""
        return int(self._lists.nlist)

    def deleted_ids(self) -> NDArray[np.int64]:
        """The ids (n,) that still stand in the lists and are no longer found there."""
        with self._lock.reading():
            return np.ascontiguousarray(self._held[self._dead])

    def __len__(self) -> int:
        """How many vectors are held."""
        with self._lock.reading():
            return len(self._held) - int(self._dead.sum()) + len(self._recent)

    def upsert(self, ids: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Add vectors (n, d) under ids (n,), replacing those held under the same id; of a repeated id the
        last counts.
        """
        ids, vectors = checked_pairs(ids, vectors, self.dimension)
        with self._lock.writing():
            self._bury(self._rows_of(ids))
            self._recent.upsert(ids, vectors)

    def delete(self, ids: NDArray[np.int64]) -> int:
        """Remove vectors by id, ids not held being ignored; returns how many were removed."""
        with self._lock.writing():
            return self._bury(self._rows_of(ids)) + self._recent.delete(ids)

    def delete_ranges(self, ranges: IdRanges) -> int:
        """Remove every vector whose id lies in the ranges; returns how many were removed."""
        with self._lock.writing():
            return self._bury(self._rows_in(ranges)) + self._recent.delete_ranges(ranges)

    def search(
        self, queries: NDArray[np.float32], k: int, *, within: IdRanges | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The k best of each query (m, d) as far as the lists read hold them, best first, as scores (m, k)
        and ids (m, k); id -1 where there are fewer. Vectors in the lists are scored by their 8-bit form.

        With `within` all lists are read and only ids in these ranges considered.
        """
        queries = checked_vectors(queries, self.dimension)
        if k < 1:
            raise ValueError(f"k must be positive, not {k}")
        with self._lock.reading():
            scores, ids = self._search_lists(queries, k, within)
            if len(self._recent) == 0:
                return scores, ids
            more_scores, more_ids = self._recent.search(queries, k, within=within)
        scores, ids = np.hstack([scores, more_scores]), np.hstack([ids, more_ids])
        best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(scores, best, axis=1), np.take_along_axis(ids, best, axis=1)

    def _search_lists(
        self, queries: NDArray[np.float32], k: int, within: IdRanges | None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        parameters = faiss.SearchParametersIVF()
        parameters.nprobe = self.list_count if within is not None else min(self.probes, self.list_count)
        # FAISS keeps bare pointers to selectors and ids: all of them must outlive the search.
        kept: list[object] = []
        if within is not None:
            allowed = np.ascontiguousarray(self._held[within.contain(self._held) & ~self._dead])
            among = faiss.IDSelectorBatch(allowed)
            kept += [allowed, among]
            parameters.sel = among
        elif self._dead.any():
            dead = np.ascontiguousarray(self._held[self._dead])
            buried = faiss.IDSelectorBatch(dead)
            living = faiss.IDSelectorNot(buried)
            kept += [dead, buried, living]
            parameters.sel = living
        scores, ids = self._lists.search(queries, k, params=parameters)
        kept.clear()
        scores[ids < 0] = -np.inf
        return scores, ids

    def _rows_of(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where these ids stand among those in the lists, each once. A batch is small, the lists are not."""
        ids = np.unique(ids)
        rows = np.searchsorted(self._held, ids)
        within = rows < len(self._held)
        rows, ids = rows[within], ids[within]
        return np.asarray(rows[self._held[rows] == ids], dtype=np.int64)

    def _rows_in(self, ranges: IdRanges) -> NDArray[np.int64]:
        firsts, stops = np.searchsorted(self._held, ranges.starts), np.searchsorted(self._held, ranges.stops)
        filled = np.flatnonzero(firsts < stops)
        rows = [np.arange(firsts[place], stops[place], dtype=np.int64) for place in filled]
        return np.concatenate(rows) if rows else _NONE

    def _bury(self, rows: NDArray[np.int64]) -> int:
        fresh = rows[~self._dead[rows]]
        self._dead[fresh] = True
        return len(fresh)


def _ids_of(lists: faiss.IndexIVFScalarQuantizer) -> NDArray[np.int64]:
    """The ids in all lists, ascending."""
    inverted = lists.invlists
    assert inverted is not None
    parts = [
        faiss.rev_swig_ptr(inverted.get_ids(number), size).copy()
        for number in range(lists.nlist)
        if (size := inverted.list_size(number))
    ]
    return np.sort(np.concatenate(parts)) if parts else _NONE
