"""Sets of ids as filters in the language of Milvus, in parts that a server takes.

Ids come in blocks (the passages of a document). A range that is one whole block is named by its number, many
in one list; any other range is a comparison, of which a filter holds few.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from index.stores.base import IdRanges

_NUMBERS_AT_ONCE: Final = 10_000
_COMPARISONS_AT_ONCE: Final = 50


def id_filters(ids: NDArray[np.int64]) -> Iterator[str]:
    """Filters that together let these ids pass, each once."""
    yield from _listed("id", np.unique(ids))


def search_filters(ranges: IdRanges, block_bits: int) -> Iterator[str]:
    """Filters that together let exactly the ids in the ranges pass, each id in one of them."""
    ranges = _not_empty(ranges)
    size = 1 << block_bits
    whole = (ranges.starts % size == 0) & (ranges.stops - ranges.starts == size)
    yield from _listed("block", ranges.starts[whole] >> block_bits)
    yield from _compared(IdRanges(ranges.starts[~whole], ranges.stops[~whole]))


def held_filters(ranges: IdRanges, block_bits: int) -> Iterator[str]:
    """Filters that together let the ids in the ranges pass, and others from the same blocks; some perhaps in
    two of them.
    """
    ranges = _not_empty(ranges)
    blocks = ranges.starts >> block_bits
    inside = blocks == (ranges.stops - 1) >> block_bits
    yield from _listed("block", np.unique(blocks[inside]))
    yield from _compared(IdRanges(ranges.starts[~inside], ranges.stops[~inside]))


def _not_empty(ranges: IdRanges) -> IdRanges:
    filled = ranges.starts < ranges.stops
    return IdRanges(ranges.starts[filled], ranges.stops[filled])


def _listed(field: str, numbers: NDArray[np.int64]) -> Iterator[str]:
    for first in range(0, len(numbers), _NUMBERS_AT_ONCE):
        yield f"{field} in {numbers[first : first + _NUMBERS_AT_ONCE].tolist()}"


def _compared(ranges: IdRanges) -> Iterator[str]:
    for first in range(0, len(ranges.starts), _COMPARISONS_AT_ONCE):
        part = slice(first, first + _COMPARISONS_AT_ONCE)
        pairs = zip(ranges.starts[part].tolist(), ranges.stops[part].tolist(), strict=True)
        yield " or ".join(f"(id >= {start} and id < {stop})" for start, stop in pairs)
