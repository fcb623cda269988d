"""`tamga serve` with stand-ins for the models, so that pages are tested without loading any: what a page does
with an analysis does not depend on how good it is. Everything else is real: database, index, queue, routes.

    python stand_in.py PORT

The detector flags a text with the word "machine", and abstains on a short one; every sentence with a digit is
a claim; the first records of the store match it.
"""

from __future__ import annotations

import re
import sys
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from classifiers.text import identify_language, split_sentences
from index.articles import EmbeddedArticle
from service import cli
from service.analysis import Analyser, AnalysisOptions, _article
from service.analysis_models import (
    Analysis,
    Calibration,
    Claim,
    ClaimMatches,
    Evidence,
    Feature,
    LabelProposal,
    Match,
    Mismatch,
    Origin,
    RelatedRecord,
    Segment,
    Signal,
    TextSpan,
    Truncated,
)
from service.articles import ArticleInput, read_article
from service.matching import ClaimQuery
from service.origin import _declaration
from service.runtime import Runtime
from service.store import Store

FEATURES = ("sentence_length_variation", "lexical_diversity", "comma_rate", "compression")
NUMBER = re.compile(r"\d+")


class TrigramEncoder:
    """Texts that share three-letter sequences have vectors that lie near to each other."""

    model_id = "trigrams"
    dimension = 64
    max_tokens = 512

    def encode(self, texts: Sequence[str], *, prompt: str = "", progress: bool = False) -> Any:
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            for start in range(max(1, len(text) - 2)):
                vectors[row, zlib.crc32(text[start : start + 3].encode()) % self.dimension] += 1
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) + 2 for text in texts]


def matches(store: Store, claim: str) -> list[Match]:
    found = []
    for place, record in enumerate(store.records.list(None, 3)):
        here, there = NUMBER.findall(claim), NUMBER.findall(record.claim)
        differ = (
            [Mismatch(type="number", claim_value=here[0], source_value=there[0])] if here and there else []
        )
        found.append(
            Match(
                record_id=record.id,
                score=0.9 - place / 10,
                similarity=0.9,
                probability=0.93 - place / 5,
                level="link" if place == 0 else "suggest",
                stance=("contradicts" if differ else "supports") if place < 2 else "not_enough_info",
                stance_scores={},
                stance_abstained=place == 2,
                mismatches=differ if place == 0 else [],
                evidence=Evidence(start=0, end=len(record.claim), text=record.claim, field="claim"),
                claim=record.claim,
                title=record.title,
                language=record.language,
                publisher=record.publisher,
                url=record.url,
                rating=record.rating,
                published_at=record.published_at,
                sample=record.sample,
                warnings=["newer_record"] if place == 1 else [],
            )
        )
    return found


class Matcher:
    def __init__(self, store: Store) -> None:
        self.store = store

    def match(self, queries: Sequence[ClaimQuery], **_options: Any) -> list[ClaimMatches]:
        return [
            ClaimMatches(status="matched", reason=None, matches=matches(self.store, query.text))
            for query in queries
        ]


def analyse(self: Analyser, source: ArticleInput, options: AnalysisOptions | None = None) -> Analysis:
    runtime = self._runtime
    submission = read_article(source, max_chars=runtime.settings.max_text_chars)
    text = submission.text
    language = submission.language_hint or identify_language(text).code
    sentences = split_sentences(text, language)
    flagged, short = "machine" in text.casefold(), len(text.split()) < 20
    verdict = "likely_ai_unconfirmed" if flagged and not short else "undetermined"
    article = _article(submission, language)
    related = runtime.store.records.list(None, 2)
    store = options is not None and options.store
    analysis = Analysis(
        id=article.id,
        created_at=datetime.now(UTC),
        stored=store,
        language=language,
        script="Latn",
        language_confidence=None,
        text=text if submission.from_html else None,
        title=submission.title,
        sentences=[TextSpan(start=span.start, end=span.end) for span in sentences],
        origin=Origin(
            verdict=verdict,
            score=0.9 if flagged else 0.2,
            p_value=None if short else (0.004 if flagged else 0.4),
            target_fpr=0.01,
            abstain_reason="too_short" if short else None,
            calibration=None
            if short
            else Calibration(language=language, length_bin="100-199", n=412, pooled=False),
            segments=[
                Segment(start=span.start, end=span.end, score=0.9, verdict=verdict) for span in sentences[:2]
            ],
            fraction_machine=None,
            kinds=None,
            features=[
                Feature(name=name, value=0.1, percentile=93.4, machine_like="low") for name in FEATURES
            ],
            signals=[
                *_declaration(submission),
                Signal(
                    type="hidden_characters", outcome="inconclusive", detail={"zero_width": 1}, tool="text"
                ),
            ],
            label=LabelProposal(
                state="likely_ai_unconfirmed" if flagged else "undetermined",
                involvement="unknown",
                human_review="unknown",
                basis="statistical_detector" if flagged else "no_evidence",
                status="draft",
                review_reasons=["likely_ai"] if flagged else [],
            ),
        ),
        claims=[
            Claim(
                start=span.start,
                end=span.end,
                text=text[span.start : span.end],
                worthiness=0.8,
                status="matched",
                matches=matches(runtime.store, text[span.start : span.end]),
            )
            for span in sentences
            if any(character.isdigit() for character in text[span.start : span.end])
        ],
        claims_status="done",
        related_records=[
            RelatedRecord(
                score=0.5, record_id=record.id, **record.model_dump(include=set(RelatedRecord.model_fields))
            )
            for record in related
        ],
        near_duplicates=[],
        models={"ai_text": "stand-in 1", "stance": "stand-in 1"},
        index_generation=1,
        timings={"total": 0.0},
        truncated=Truncated(sentences=False, windows=False),
    )
    if store:
        embedded = EmbeddedArticle((), np.zeros((0, TrigramEncoder.dimension), np.float32), 0)
        self._store(article, embedded, analysis)
    return analysis


def stand_in() -> None:
    """Put the stand-ins where the models are."""
    encoder = TrigramEncoder()
    Runtime.encoder = Runtime.search_encoder = property(lambda self: encoder)  # type: ignore[assignment, method-assign]
    Runtime.matcher = property(lambda self: Matcher(self.store))  # type: ignore[assignment, method-assign]
    Runtime.load = lambda self: None  # type: ignore[method-assign]
    Analyser.analyse = analyse  # type: ignore[method-assign]


if __name__ == "__main__":
    stand_in()
    cli.main(["serve", "--port", sys.argv[1], "--samples"])
