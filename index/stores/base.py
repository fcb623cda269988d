"""What every vector engine offers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class IdRanges:
    """Ids in any of the half-open ranges [starts[i], stops[i]): sorted, not overlapping, both int64 of shape
    (n,).
    """

    starts: NDArray[np.int64]
    stops: NDArray[np.int64]

    def contain(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """For each id whether it lies in a range."""
        if len(self.starts) == 0:
            return np.zeros(len(ids), dtype=np.bool_)
        place = np.searchsorted(self.starts, ids, side="right") - 1
        return np.asarray((place >= 0) & (ids < self.stops[np.maximum(place, 0)]), dtype=np.bool_)


class VectorStore(Protocol):
    """Vectors under caller-given ids, found by inner product (cosine, for unit vectors). Safe to use from
    threads.
    """

    @property
    def exact(self) -> bool:
        """Whether a search compares every vector in full; if not, callers rank again by stored vectors."""

    @property
    def dimension(self) -> int:
        """Length of every vector."""

    def __len__(self) -> int:
        """How many vectors are held."""

    def upsert(self, ids: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Add vectors (n, d) under ids (n,), replacing those held under the same id; of a repeated id the
        last counts.

        Raises ValueError for wrong shapes, negative ids or vectors that are not finite.
        """

    def delete(self, ids: NDArray[np.int64]) -> int:
        """Remove vectors by id, ids not held being ignored; returns how many were removed."""

    def delete_ranges(self, ranges: IdRanges) -> int:
        """Remove every vector whose id lies in the ranges; returns how many were removed."""

    def search(
        self, queries: NDArray[np.float32], k: int, *, within: IdRanges | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The k best of each query (m, d), best first, as scores (m, k) and ids (m, k); id -1 where there are
        fewer.

        With `within` only ids in these ranges are considered, exactly.
        """

    def ping(self) -> None:
        """Can searches be answered now? Raises VectorStoreUnavailable where not; cheap."""


SHARD_FILES: Final = "shard-*.faiss"
"""Names of the files that a store may write beside the one it is told to write."""


class FileVectorStore(VectorStore, Protocol):
    """A vector engine whose content is a file, or a file with shards beside it, that can be written and read
    back.
    """

    def write(self, path: Path) -> None:
        """Write a consistent state to a new file; flushing it to disk is the caller's part."""

    def moved_to(self, path: Path) -> None:
        """The file that was written last, and what lies beside it, is now there and stays."""


class VectorFileError(Exception):
    """A file does not hold a vector index."""
