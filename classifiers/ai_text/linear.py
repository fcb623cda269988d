"""Linear detectors over character n-grams: one shared weight vector, a correction per language.

Two serve. The *masked* one reads texts whose topics are hidden and is trained on everything. The *paired* one
reads them whole, and so may only learn from groups that hold a human text and a machine text on one subject:
there the subject cannot tell them apart.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import mmh3
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from classifiers.ai_text.topic_mask import TopicMask

#: 2**18 columns hold the n-grams of nine languages with few collisions among the frequent ones.
COLUMNS: Final = 2**18
SHARED: Final = "shared"
_SPACES: Final = re.compile(r"\s\s+")


def hash_ngrams(texts: Sequence[str], longest: int) -> csr_matrix:
    """Counts of each text's character n-grams of 2 to ``longest``, hashed to (n, :data:`COLUMNS`).

    The columns are those of scikit-learn's HashingVectorizer, whose import alone takes a third of a start.
    """
    columns: list[NDArray[np.int64]] = []
    counts: list[NDArray[np.float32]] = []
    for text in texts:
        plain = _SPACES.sub(" ", text)
        found = Counter(plain[i : i + n] for n in range(2, longest + 1) for i in range(len(plain) - n + 1))
        hashes = np.fromiter(map(mmh3.hash, found), np.int64, len(found))
        own, places = np.unique(np.abs(hashes) % COLUMNS, return_inverse=True)
        often = np.fromiter(found.values(), np.float64, len(found))
        columns.append(own)
        counts.append(np.bincount(places, often, len(own)).astype(np.float32))
    ends = np.cumsum([0, *map(len, columns)])
    shape = (len(texts), COLUMNS)
    if not columns:
        return csr_matrix(shape, dtype=np.float32)
    return csr_matrix((np.concatenate(counts), np.concatenate(columns), ends), shape=shape)


def weigh(counts: csr_matrix, inverse_frequency: NDArray[np.float32]) -> csr_matrix:
    """Sublinear term frequency times ``inverse_frequency``, rows of unit length. Changes ``counts``."""
    counts.data = (1.0 + np.log(counts.data)) * inverse_frequency[counts.indices]
    squares = (
        np.add.reduceat(np.append(counts.data**2, 0.0), counts.indptr[:-1]) if len(counts.data) else None
    )
    lengths = (
        np.sqrt(squares * (np.diff(counts.indptr) > 0)) if squares is not None else np.zeros(counts.shape[0])
    )
    counts.data /= np.repeat(np.maximum(lengths, 1e-12), np.diff(counts.indptr)).astype(np.float32)
    return counts


@dataclass(frozen=True)
class LinearScorer:
    """Log-odds that a text is machine-written, from its character n-grams.

    ``topic_mask``: what is hidden before n-grams are counted; None reads texts whole.
    ``longest``: characters of the longest n-grams.
    ``inverse_frequency``: (COLUMNS,) float32. ``weights``: per language (and :data:`SHARED`) a (COLUMNS,)
    float32 vector; the log-odds of a text in language L are ``x @ (weights[SHARED] + weights[L]) + bias``.
    """

    topic_mask: TopicMask | None
    longest: int
    inverse_frequency: NDArray[np.float32]
    weights: dict[str, NDArray[np.float32]]
    biases: dict[str, float]

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(sorted(name for name in self.weights if name != SHARED))

    def features(self, views: Sequence[str], language: str) -> csr_matrix:
        """The (n, COLUMNS) weighted n-gram matrix the weights apply to."""
        texts = [self.topic_mask.mask(view, language) for view in views] if self.topic_mask else views
        return weigh(hash_ngrams(texts, self.longest), self.inverse_frequency)

    def score_features(self, features: csr_matrix, language: str) -> NDArray[np.float64]:
        """Log-odds per row. A language without weights of its own gets the shared ones alone."""
        weights = self.weights[SHARED]
        bias = self.biases[SHARED]
        if language in self.weights:
            weights = weights + self.weights[language]
            bias += self.biases[language]
        return np.asarray(features @ weights, dtype=np.float64).ravel() + bias

    def score(self, views: Sequence[str], language: str) -> NDArray[np.float64]:
        """Log-odds, shape (n,), of texts given as detector views."""
        if not views:
            return np.zeros(0)
        return self.score_features(self.features(views, language), language)

    def save(self, path: Path) -> None:
        """Write the model, weights quantised to 8 bits per vector, compressed."""
        arrays: dict[str, Any] = {
            "inverse_frequency": self.inverse_frequency.astype(np.float16),
            "longest": np.int64(self.longest),
        }
        for name, weights in self.weights.items():
            scale = float(np.abs(weights).max()) / 127 or 1.0
            arrays[f"weights_{name}"] = np.round(weights / scale).astype(np.int8)
            arrays[f"scale_{name}"] = np.float32(scale)
            arrays[f"bias_{name}"] = np.float64(self.biases[name])
        for name, words in self.topic_mask.common_words.items() if self.topic_mask else ():
            arrays[f"words_{name}"] = np.array(sorted(words), dtype=np.str_)
        np.savez_compressed(path, **arrays)

    @classmethod
    def load(cls, path: Path) -> LinearScorer:
        """Read what :meth:`save` wrote.

        Raises:
            FileNotFoundError: no file at ``path``.
            ValueError: the file is no linear detector.
        """
        with np.load(path, allow_pickle=False) as stored:
            names = [key.removeprefix("weights_") for key in stored.files if key.startswith("weights_")]
            if SHARED not in names or "inverse_frequency" not in stored.files:
                raise ValueError(f"{path} holds no linear detector")
            inverse = stored["inverse_frequency"].astype(np.float32)
            weights = {
                name: stored[f"weights_{name}"].astype(np.float32) * stored[f"scale_{name}"] for name in names
            }
            longest = int(stored["longest"])
            biases = {name: float(stored[f"bias_{name}"]) for name in names}
            words = {
                key.removeprefix("words_"): frozenset(stored[key].tolist())
                for key in stored.files
                if key.startswith("words_")
            }
        return cls(TopicMask(words) if words else None, longest, inverse, weights, biases)
