"""Which words of a record a claim is held against, and where they stand in the record."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from classifiers.models import Encoder
from classifiers.text import split_sentences
from index.passages import PASSAGE_PROMPT, encoder_inputs
from index.search import SearchHit
from service.analysis_models import Evidence

# A statement spread over sentences is nearer to its whole window than to any of them, by this at least.
_WINDOW_AHEAD = 0.01
_REMEMBERED = 4_096


def whole(hit: SearchHit) -> Evidence:
    """What a hit by claim or headline is held against: the claim. A headline finds the record but states too
    little to be compared: its numbers are missing.
    """
    if hit.field == "title":
        return Evidence(text=hit.record.claim, start=0, end=len(hit.record.claim), field="claim")
    return Evidence(text=hit.passage, start=hit.passage_start, end=hit.passage_end, field=hit.field)


def sentences_of(hit: SearchHit, language: str) -> list[Evidence]:
    """The quotations that a hit offers: each sentence of a window of the text, then the window; else one."""
    quoted = whole(hit)
    if hit.field != "text":
        return [quoted]
    spans = split_sentences(quoted.text, language)
    if len(spans) < 2:
        return [quoted]
    offers = [
        Evidence(
            text=quoted.text[span.start : span.end],
            start=quoted.start + span.start,
            end=quoted.start + span.end,
            field=quoted.field,
        )
        for span in spans
    ]
    return [*offers, quoted]


class EvidenceVectors:
    """Vectors of quotations by the packaged encoder; those of lately quoted ones are remembered."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: OrderedDict[str, NDArray[np.float32]] = OrderedDict()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, d); all that are new in one call of the encoder."""
        found = {text: self._known[text] for text in texts if text in self._known}
        new = [text for text in dict.fromkeys(texts) if text not in found]
        if new:
            vectors = self._encoder.encode(encoder_inputs(new), prompt=PASSAGE_PROMPT)
            found.update(zip(new, vectors, strict=True))
        for text, vector in found.items():
            self._known[text] = vector
            self._known.move_to_end(text)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        if not texts:
            return np.empty((0, self._encoder.dimension), dtype=np.float32)
        return np.stack([found[text] for text in texts])


def choose(offers: Sequence[Evidence], cosines: NDArray[np.float32]) -> tuple[Evidence, float]:
    """The quotation nearest to the claim and its cosine; the whole window (the last of several) only where it
    says clearly more than its best sentence.
    """
    best = int(cosines[:-1].argmax()) if len(offers) > 1 else 0
    if len(offers) > 1 and cosines[-1] > cosines[best] + _WINDOW_AHEAD:
        best = len(offers) - 1
    return offers[best], float(cosines[best])
