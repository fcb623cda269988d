"""What was computed of texts lately: archives repeat agency copy, and articles repeat their own sentences."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray


class RowMemory:
    """One row of figures per content, for the ``limit`` contents used last; ``limit`` 0 keeps nothing.

    Contents are told apart by a 128-bit hash, so that long texts take no more memory than short ones. Safe to
    use from threads.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rows: OrderedDict[bytes, NDArray[np.float32]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._rows)

    def rows(
        self, contents: Sequence[str], compute: Callable[[list[int]], NDArray[np.float32]]
    ) -> list[NDArray[np.float32]]:
        """The row of each content.

        Args:
            compute: rows (n, width) for those positions of ``contents`` that are new; of equal contents it is
                asked for the first alone.
        """
        keys = [hashlib.blake2b(content.encode(), digest_size=16).digest() for content in contents]
        with self._lock:
            found = {key: self._rows[key] for key in keys if key in self._rows}
        new = {key: place for place, key in reversed([*enumerate(keys)]) if key not in found}
        if new:
            places = sorted(new.values())
            computed = np.array(compute(places))
            computed.setflags(write=False)
            # A row of its own each: a part of `computed` would keep the whole in memory.
            found |= {keys[place]: row.copy() for place, row in zip(places, computed, strict=True)}
        if self._limit:
            self._keep(found)
        return [found[key] for key in keys]

    def _keep(self, found: dict[bytes, NDArray[np.float32]]) -> None:
        with self._lock:
            self._rows.update(found)
            for key in found:
                self._rows.move_to_end(key)
            while len(self._rows) > self._limit:
                self._rows.popitem(last=False)
