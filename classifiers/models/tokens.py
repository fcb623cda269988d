"""Token ids for every model made from the packaged encoder: one tokenizer in memory, batches, padding.

The tokenizer's vocabulary takes a quarter of a gigabyte in memory: the sentence encoder, the stance
cross-encoder and the detector share one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from classifiers.models.prepare import TOKENIZER, prepare_models

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# Tokens that a pair of texts has besides its own: one before, two between, one after.
_PAIR_MARKS = 4
# What one more run of a session costs, in tokens (docs/performance.md).
_BATCH_COST = 18


def packaged_tokenizer() -> Tokenizer:
    """The packaged model's tokenizer: the same object for all, which nobody may change. It neither cuts nor
    pads.

    Raises:
        ModelFilesError: its file is missing or damaged.
    """
    serving = prepare_models().serving.verified(TOKENIZER)
    return _read(serving.path / TOKENIZER, serving.files[TOKENIZER])


@lru_cache(maxsize=1)
def _read(path: Path, sha256: str) -> Tokenizer:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def join_pair(one: list[int], other: list[int], max_tokens: int) -> list[int]:
    """Two tokenised texts, each with its marks ``<s> … </s>``, as one input ``<s> one </s></s> other </s>``.

    Of what is longer than ``max_tokens`` the longer text loses its end, as under the ``longest_first``
    truncation of the ``tokenizers`` library.
    """
    first, second = pair_lengths(len(one) - 2, len(other) - 2, max_tokens - _PAIR_MARKS)
    return [*one[: 1 + first], one[-1], other[-1], *other[1 : 1 + second], other[-1]]


def pair_lengths(one: int, other: int, most: int) -> tuple[int, int]:
    """How many tokens of two texts are kept so that both together have at most ``most``."""
    if one + other <= most:
        return one, other
    shorter, longer = sorted((one, other))
    longer = shorter if shorter > most else max(shorter, most - shorter)
    if shorter + longer > most:
        shorter, longer = most // 2, most // 2 + most % 2
    return (longer, shorter) if one > other else (shorter, longer)


def truncate(ids: list[int], max_tokens: int) -> list[int]:
    """The first tokens, the closing special token kept."""
    return ids if len(ids) <= max_tokens else [*ids[: max_tokens - 1], ids[-1]]


def length_sorted_batches(lengths: Sequence[int], tokens: int) -> Iterator[list[int]]:
    """Row numbers in batches of similar length; rows x longest row stays within ``tokens`` where it can.

    Of all ways to cut the sorted rows into batches this is the one that costs least, padding and the fixed
    cost of a batch counted together.
    """
    rows = sorted(range(len(lengths)), key=lengths.__getitem__)
    least = [0]
    cuts = [0]
    for end in range(1, len(rows) + 1):
        longest = lengths[rows[end - 1]]
        first = max(0, end - max(1, tokens // max(longest, 1)))
        cost, cut = min((least[start] + (end - start) * longest, start) for start in range(first, end))
        least.append(cost + _BATCH_COST)
        cuts.append(cut)
    batches = []
    end = len(rows)
    while end:
        batches.append(rows[cuts[end] : end])
        end = cuts[end]
    yield from reversed(batches)


def pad(rows: Sequence[Sequence[int]], pad_id: int = 1) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Token ids as a rectangle with its attention mask, both (rows, longest)."""
    longest = max(map(len, rows))
    ids = np.full((len(rows), longest), pad_id, np.int64)
    mask = np.zeros((len(rows), longest), np.int64)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = row
        mask[number, : len(row)] = 1
    return ids, mask
