"""Which words of a record a claim is held against, and where they stand in the record."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from classifiers.text import split_sentences
from index.search import SearchHit
from service.analysis_models import Evidence

# A statement spread over sentences is nearer to its whole window than to any of them, by this at least.
_WINDOW_AHEAD = 0.01


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


def choose(offers: Sequence[Evidence], cosines: NDArray[np.float32]) -> tuple[Evidence, float]:
    """The quotation nearest to the claim and its cosine; the whole window (the last of several) only where it
    says clearly more than its best sentence.
    """
    best = int(cosines[:-1].argmax()) if len(offers) > 1 else 0
    if len(offers) > 1 and cosines[-1] > cosines[best] + _WINDOW_AHEAD:
        best = len(offers) - 1
    return offers[best], float(cosines[best])
