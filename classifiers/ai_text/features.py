"""Named properties of a text that a reviewer can check with their own eyes."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import regex
from numpy.typing import NDArray

_WORD: Final = regex.compile(r"[\p{L}\p{N}'-]+")
_WINDOW: Final = 40

#: In the order of :func:`measure`'s result.
FEATURES: Final = (
    "sentence_length_variation",
    "sentence_length_mean",
    "lexical_diversity",
    "repeated_word_pairs",
    "comma_rate",
    "quotation_rate",
    "dash_rate",
    "other_mark_rate",
    "number_rate",
    "capitalised_rate",
    "word_length_mean",
    "compression",
)


def _diversity(words: Sequence[str]) -> float:
    """Moving-average type-token ratio over windows of 40 words (Covington and McFall 2010)."""
    if len(words) <= _WINDOW:
        return len(set(words)) / len(words)
    shares = [
        len(set(words[start : start + _WINDOW])) / _WINDOW
        for start in range(0, len(words) - _WINDOW + 1, _WINDOW // 4)
    ]
    return float(np.mean(shares))


def measure(sentences: Sequence[str]) -> NDArray[np.float64]:
    """Measure a text given as the detector views of its sentences.

    Returns:
        Values in the order of :data:`FEATURES`, shape (12,); all zero for a text without words. Rates are
        per word; ``sentence_length_variation`` is standard deviation over mean; ``compression`` is deflated
        size over size.
    """
    lengths = [len(_WORD.findall(sentence)) for sentence in sentences]
    lengths = [length for length in lengths if length]
    text = " ".join(sentences)
    words = _WORD.findall(text)
    if not words or not lengths:
        return np.zeros(len(FEATURES))
    folded = [word.lower() for word in words]
    count = len(words)
    pairs = list(pairwise(folded))
    raw = text.encode()
    return np.array(
        [
            float(np.std(lengths) / np.mean(lengths)),
            float(np.mean(lengths)),
            _diversity(folded),
            1 - len(set(pairs)) / len(pairs) if pairs else 0.0,
            text.count(",") / count,
            text.count('"') / 2 / count,
            text.count(" - ") / count,
            sum(text.count(mark) for mark in ";:!?()") / count,
            sum(1 for word in words if word[0] == "0") / count,
            # The first word of a sentence is capitalised by rule and says nothing.
            max(0.0, (sum(1 for word in words if word[0].isupper()) - len(lengths)) / count),
            float(np.mean([len(word) for word in words])),
            len(zlib.compress(raw, 9)) / len(raw),
        ]
    )
