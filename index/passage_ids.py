"""The id of a vector: the document's number and the passage's ordinal in one integer, so that neither a table
of ids nor a second lookup is needed: `number << 16 | ordinal`.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from index.passages import MAX_PASSAGES
from index.stores.base import IdRanges

ORDINAL_BITS = 16
assert 1 << ORDINAL_BITS == MAX_PASSAGES


def vector_ids(number: int, count: int) -> NDArray[np.int64]:
    """The ids (count,) of a document's first passages."""
    return (np.int64(number) << ORDINAL_BITS) + np.arange(count, dtype=np.int64)


def document_of(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """The document numbers of vector ids."""
    return ids >> ORDINAL_BITS


def ordinal_of(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """The passage ordinals of vector ids."""
    return ids & (MAX_PASSAGES - 1)


def ranges_of(numbers: Collection[int] | NDArray[np.int64]) -> IdRanges:
    """The ids of every passage of the documents."""
    starts = np.unique(np.fromiter(numbers, dtype=np.int64, count=len(numbers))) << ORDINAL_BITS
    return IdRanges(starts, starts + MAX_PASSAGES)
