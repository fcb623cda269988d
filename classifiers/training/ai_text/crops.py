"""Cutting texts to the same lengths in both classes, at sentence ends."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from classifiers.text import count_words
from classifiers.training.ai_text.corpus import Document

SHORTEST: Final = 40
LONGEST: Final = 400
#: Upper ends of the length classes within which human and machine crops get equal weight.
LENGTH_EDGES: Final = (80, 120, 200, 10_000)


@dataclass(frozen=True, slots=True)
class Crop:
    """Consecutive ``sentences`` of a document, as detector views; ``words`` is their length together."""

    document: Document
    sentences: tuple[str, ...]
    words: int

    @property
    def text(self) -> str:
        return " ".join(self.sentences)

    @property
    def length_class(self) -> int:
        return next(index for index, edge in enumerate(LENGTH_EDGES) if self.words < edge)


def log_uniform_length(generator: random.Random) -> int:
    """A crop length between :data:`SHORTEST` and :data:`LONGEST` words, uniform in its logarithm."""
    return round(float(SHORTEST * (LONGEST / SHORTEST) ** generator.random()))


def cut(document: Document, target_words: int, generator: random.Random) -> Crop:
    """Take consecutive whole sentences of about ``target_words`` words from a random place.

    A document shorter than the target comes back whole. What runs a third over the target is cut at a word:
    long sentences are commoner in one class, and length must not tell the classes apart.
    """
    lengths = [count_words(sentence) for sentence in document.sentences]
    if document.words <= target_words:
        return Crop(document, document.sentences, document.words)
    latest = len(lengths) - 1
    remaining = 0
    while latest > 0 and remaining + lengths[latest] < target_words:
        remaining += lengths[latest]
        latest -= 1
    start = generator.randint(0, latest)
    taken: list[str] = []
    words = 0
    for sentence, length in zip(document.sentences[start:], lengths[start:], strict=True):
        if words >= target_words * 0.8 and words + length > target_words * 1.15:
            break
        taken.append(sentence)
        words += length
        if words >= target_words:
            break
    if words > target_words * 1.3:
        # Only the last sentence can have overrun the target.
        kept = max(1, target_words - words + count_words(taken[-1]))
        taken[-1] = " ".join(taken[-1].split()[:kept])
        words = sum(count_words(sentence) for sentence in taken)
    return Crop(document, tuple(taken), words)


def cut_all(documents: Sequence[Document], *, per_document: int, seed: int) -> list[Crop]:
    """Cut every document ``per_document`` times, lengths drawn alike for both classes; drop equals."""
    crops: list[Crop] = []
    for document in documents:
        generator = random.Random(f"{seed}:{document.id}")  # noqa: S311 - sampling, not secrecy
        seen: set[str] = set()
        for _ in range(per_document):
            crop = cut(document, log_uniform_length(generator), generator)
            if crop.text not in seen and crop.words >= SHORTEST // 2:
                seen.add(crop.text)
                crops.append(crop)
    return crops


def balanced_weights(crops: Sequence[Crop]) -> NDArray[np.float64]:
    """Weights that make class, length class and source neutral within each language.

    Within a language and a length class human and machine crops get equal total weight; within one such
    half every source (for machine crops: source and generator) gets weight proportional to the square root
    of its crops, so that one large outlet does not define "human". Mean weight is 1.
    """
    cells: dict[tuple[str, int, bool], dict[tuple[str, str], list[int]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for index, crop in enumerate(crops):
        document = crop.document
        cell = (document.language, crop.length_class, document.machine)
        cells[cell][(document.source, document.generator)].append(index)
    weights = np.zeros(len(crops))
    for (language, length_class, machine), sources in cells.items():
        if (language, length_class, not machine) not in cells:
            continue  # a length class with one class only would teach length
        share = {source: len(members) ** 0.5 for source, members in sources.items()}
        size = sum(len(members) for members in sources.values())
        other = sum(len(m) for m in cells[(language, length_class, not machine)].values())
        total = (size + other) / 2
        for source, members in sources.items():
            weights[members] = total * share[source] / sum(share.values()) / len(members)
    mean = weights.mean() if len(weights) else 0.0
    return weights / mean if mean > 0 else weights
