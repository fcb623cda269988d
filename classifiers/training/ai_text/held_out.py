"""Scores of held-out texts for calibration and figures, by models and a fusion that never saw them."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from classifiers.ai_text.detector import ENCODER_FILE, LINEAR_FILE, PAIRED_FILE
from classifiers.ai_text.encoder import EncoderScorer
from classifiers.ai_text.fusion import Fusion, TextScorer
from classifiers.ai_text.linear import LinearScorer
from classifiers.models.prepared import sha256_of
from classifiers.training.ai_text.calibrate_stage import ScoredCrop, length_crops, score_crops
from classifiers.training.ai_text.corpus import Document
from classifiers.training.ai_text.fusion_stage import (
    ask_witnesses,
    encoder_scores,
    fit_fusion,
    keep_answers,
    kept_answers,
)
from classifiers.training.ai_text.splits import select, unit_hash

#: Held-out documents per language; more would sharpen intervals that are already narrow.
_LINEAR_LIMIT: Final = 4000
_ENCODER_LIMIT: Final = 3000
#: Raise when a witness is asked something else than before, such as another feature: kept answers then go.
_QUESTIONS: Final = 1


def at_most(documents: Sequence[Document], limit: int) -> list[Document]:
    """At most ``limit`` documents per language, chosen by their hash."""
    by_language: dict[str, list[Document]] = defaultdict(list)
    for document in documents:
        by_language[document.language].append(document)
    return [
        document
        for language in sorted(by_language)
        for document in sorted(by_language[language], key=lambda item: unit_hash(item.id))[:limit]
    ]


def held_out_scores(
    documents: Sequence[Document], weights: Path, work: Path
) -> tuple[list[ScoredCrop], Fusion | None]:
    """Score the calibration and test parts; fit the fusion where ``weights`` holds an encoder.

    Args:
        work: what the models said is kept here between runs.

    Returns:
        Crops with their scores (of fusions fitted without their group), and the fusion fitted on all of them;
        None without an encoder.
    """
    held_out = select(documents, "calibration", "test")
    linear = LinearScorer.load(weights / LINEAR_FILE)
    encoder_file = weights / ENCODER_FILE
    if not encoder_file.exists():
        return score_crops(length_crops(at_most(held_out, _LINEAR_LIMIT)), TextScorer(linear).raw), None
    crops = length_crops(at_most(held_out, _ENCODER_LIMIT))
    answers_file = work / f"answers-{_digest(weights)}.npz"
    answers = kept_answers(answers_file, crops)
    if answers is None:
        cache = work / f"encoder-scores-{sha256_of(encoder_file)[:12]}.npz"
        scores = encoder_scores(crops, EncoderScorer(encoder_file), cache)
        answers = ask_witnesses(crops, linear, LinearScorer.load(weights / PAIRED_FILE), scores)
        keep_answers(answers_file, answers)
    fusion, scored = fit_fusion(answers)
    return scored, fusion


def _digest(weights: Path) -> str:
    """Names the models that the fusion weighs."""
    hashes = [sha256_of(weights / name) for name in (LINEAR_FILE, PAIRED_FILE, ENCODER_FILE)]
    return hashlib.blake2b(f"{_QUESTIONS} {hashes}".encode(), digest_size=6).hexdigest()
