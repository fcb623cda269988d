"""Hashed counts of character n-grams: the features of the language classifier, the same in training and in
use."""

from __future__ import annotations

import unicodedata

import numpy as np
import regex
from numpy.typing import NDArray

# Addresses, mentions, placeholders, digits and signs say nothing about a language. Apostrophes do (Uzbek o',
# g').
_ADDRESS = regex.compile(r"\S{1,200}+@\S++|https?://\S++|www\.\S++|[@#]\w++")
_NOT_LETTERS = regex.compile(r"[^\p{L}\p{M}']++")
_APOSTROPHES = str.maketrans(dict.fromkeys("‘’‛′´`ʹʻʼʽʾʿˈ", "'"))
_DOTTED_I = str.maketrans({"İ": "i"})

_BASE = np.uint32(0x01000193)
_MIX = np.uint32(0x85EBCA6B)


def letters_only(text: str) -> str:
    """``text`` in lower case with everything but letters, marks and apostrophes turned into single spaces."""
    composed = text if unicodedata.is_normalized("NFKC", text) else unicodedata.normalize("NFKC", text)
    plain = _ADDRESS.sub(" ", composed).translate(_APOSTROPHES).translate(_DOTTED_I).lower()
    return _NOT_LETTERS.sub(" ", plain).strip(" '")


def hashed_ngrams(letters: str, longest: int, buckets: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Count the n-grams of 1 to ``longest`` characters of ``letters``, with a space at either end, in hash
    buckets.

    ``buckets`` is a power of two. Returns the buckets hit, increasing, and for each its count divided by the
    square root of all counts, so that scores, and with them confidence, grow with the length of the text.
    """
    codes = np.frombuffer(f" {letters} ".encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    hashes: list[NDArray[np.uint32]] = []
    rolling = np.zeros(len(codes), dtype=np.uint32)
    for length in range(1, longest + 1):
        if len(codes) < length:
            break
        rolling = rolling[: len(codes) - length + 1] * _BASE + codes[length - 1 :]
        mixed = (rolling ^ (rolling >> np.uint32(15))) * _MIX + np.uint32(length)
        hashes.append((mixed ^ (mixed >> np.uint32(13))) & np.uint32(buckets - 1))
    found, counts = np.unique(np.concatenate(hashes), return_counts=True)
    return found.astype(np.int64), (counts / np.sqrt(counts.sum())).astype(np.float32)
