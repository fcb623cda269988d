"""Who wrote which part: sentence scores smoothed into a few spans by a two-state model."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Words a scoring window needs around a sentence: fewer, and the score is noise.
WINDOW_WORDS: Final = 90
#: Longer texts are judged in separate blocks instead of a window around every sentence.
LONG_TEXT_WORDS: Final = 2000
#: Cost, in log-odds, of a change of author between two sentences. Low, since overlapping windows already
#: smooth; chosen with the window on spliced texts of the calibration part.
CHANGE_COST: Final = 1.0


def sentence_windows(words: Sequence[int]) -> list[tuple[int, int]]:
    """For each sentence the [first, last) sentences of the window that judges it.

    A window grows on both sides of its sentence, the shorter side first, until it holds
    :data:`WINDOW_WORDS` words.
    """
    if sum(words) > LONG_TEXT_WORDS:
        return _blocks(words)
    windows = []
    for index in range(len(words)):
        first, last, size = index, index + 1, words[index]
        while size < WINDOW_WORDS and (first > 0 or last < len(words)):
            left = index - first
            right = last - 1 - index
            if first > 0 and (left <= right or last == len(words)):
                first -= 1
                size += words[first]
            else:
                size += words[last]
                last += 1
        windows.append((first, last))
    return windows


def _blocks(words: Sequence[int]) -> list[tuple[int, int]]:
    windows: list[tuple[int, int]] = []
    first = size = 0
    for index, count in enumerate(words):
        size += count
        if size >= WINDOW_WORDS or index == len(words) - 1:
            windows += [(first, index + 1)] * (index + 1 - first)
            first, size = index + 1, 0
    return windows


def smooth(evidence: NDArray[np.float64], change_cost: float = CHANGE_COST) -> NDArray[np.bool_]:
    """The likeliest human/machine sequence under per-sentence log-odds and a cost per change (Viterbi).

    Args:
        evidence: log-odds of "machine" per sentence, shape (n,).

    Returns:
        True where a sentence belongs to a machine-like span, shape (n,).
    """
    count = len(evidence)
    if not count:
        return np.zeros(0, dtype=np.bool_)
    gains = np.stack([-evidence / 2, evidence / 2], axis=1)
    best = gains[0].copy()
    came_from = np.zeros((count, 2), dtype=np.int64)
    for index in range(1, count):
        stay, move = best, best[::-1] - change_cost
        came_from[index] = np.where(stay >= move, [0, 1], [1, 0])
        best = np.maximum(stay, move) + gains[index]
    path = np.empty(count, dtype=np.bool_)
    state = int(best[1] > best[0])
    for index in range(count - 1, -1, -1):
        path[index] = bool(state)
        state = int(came_from[index, state])
    return path


def runs(path: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Maximal [first, last) stretches of equal value, in order."""
    if not len(path):
        return []
    cuts = [0, *(np.flatnonzero(path[1:] != path[:-1]) + 1).tolist(), len(path)]
    return list(pairwise(cuts))
