"""Features of a claim/evidence pair for the stance head: what the guards saw, how the cross-encoder reads
the pair, word overlap, lengths and the cosine.

No feature knows the language, so that what is learnt in one holds in all.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from classifiers.stance.evidence import ClaimEvidence
from classifiers.stance.guards import GuardReport, Pairing, inspect
from classifiers.stance.latin import to_latin
from classifiers.stance.match import MatchCalibration
from classifiers.stance.names import word_overlap

_WORD = re.compile(r"\w+")
FEATURE_NAMES: tuple[str, ...] = (
    "cosine",
    "same_statement",
    "claim_words_in_evidence",
    "evidence_words_in_claim",
    "claim_trigrams_in_evidence",
    "log_length_ratio",
    "log_claim_words",
    "same_language",
    "numbers_agreeing",
    "numbers_clashing",
    "numbers_only_claim",
    "numbers_only_evidence",
    "numbers_in_claim",
    "dates_agreeing",
    "dates_clashing",
    "dates_only_claim",
    "dates_only_evidence",
    "names_shared",
    "names_only_claim",
    "names_only_evidence",
    "share_of_claim_names",
    "names_reordered",
    "claim_negated",
    "evidence_negated",
    "negation_differs",
    "opposites",
    "read_as_support",
    "read_as_contradiction",
    "support_over_contradiction",
)


def pair_features(
    pairs: Sequence[ClaimEvidence],
    cosines: NDArray[np.floating] | None,
    readings: NDArray[np.floating],
) -> tuple[NDArray[np.float32], list[GuardReport]]:
    """Feature rows ``(n, len(FEATURE_NAMES))`` and the guards' reports.

    ``cosines``: one per pair, or None when no vectors are at hand (the column is then NaN, which the head
    can handle). ``readings``: the cross-encoder's logits, shape ``(n, 3)``.
    Raises ValueError when their number differs from that of the pairs.
    """
    if cosines is not None and len(cosines) != len(pairs):
        raise ValueError(f"{len(cosines)} cosines for {len(pairs)} pairs")
    if len(readings) != len(pairs):
        raise ValueError(f"{len(readings)} readings for {len(pairs)} pairs")
    reports = [inspect(pair) for pair in pairs]
    rows = [
        _row(pair, report, math.nan if cosines is None else float(cosines[i]), readings[i].tolist())
        for i, (pair, report) in enumerate(zip(pairs, reports, strict=True))
    ]
    return np.asarray(rows, dtype=np.float32).reshape(len(rows), len(FEATURE_NAMES)), reports


def _row(pair: ClaimEvidence, report: GuardReport, cosine: float, reading: list[float]) -> list[float]:
    claim, evidence = (pair.claim, pair.claim_language), (pair.evidence, pair.evidence_language)
    claim_words, evidence_words = len(_WORD.findall(pair.claim)), len(_WORD.findall(pair.evidence))
    names = report.names
    known = len(names.shared) + len(names.only_claim)
    return [
        cosine,
        math.nan if math.isnan(cosine) else _calibration().logit(cosine, claim[1], evidence[1]),
        word_overlap(*claim, *evidence),
        word_overlap(*evidence, *claim),
        _trigram_share(claim, evidence),
        math.log((claim_words + 1) / (evidence_words + 1)),
        math.log(claim_words + 1),
        float(pair.claim_language == pair.evidence_language),
        *_pairing(report.numbers),
        report.numbers.certain_in_claim,
        *_pairing(report.dates),
        len(names.shared),
        len(names.only_claim),
        len(names.only_evidence),
        len(names.shared) / known if known else math.nan,
        math.nan if names.order_kept is None else float(not names.order_kept),
        len(report.claim_negations),
        len(report.evidence_negations),
        float(bool(report.claim_negations)) - float(bool(report.evidence_negations)),
        len(report.opposites),
        reading[0] - reading[2],
        reading[1] - reading[2],
        reading[0] - reading[1],
    ]


@cache
def _calibration() -> MatchCalibration:
    """The packaged curves: cosines of one pair of languages are not those of another."""
    return MatchCalibration.load()


def same_words(pair: ClaimEvidence) -> bool:
    """Whether the texts differ in nothing but case, marks and blanks."""
    return _WORD.findall(pair.claim.casefold()) == _WORD.findall(pair.evidence.casefold())


def _pairing(pairing: Pairing) -> tuple[float, float, float, float]:
    return pairing.agreeing, len(pairing.clashing), pairing.only_claim, pairing.only_evidence


def _trigram_share(claim: tuple[str, str], evidence: tuple[str, str]) -> float:
    def trigrams(text: str, language: str) -> set[str]:
        joined = " ".join(to_latin(word, language) for word in _WORD.findall(text))
        return {joined[i : i + 3] for i in range(len(joined) - 2)}

    mine = trigrams(*claim)
    return len(mine & trigrams(*evidence)) / len(mine) if mine else 0.0
