"""What an assessment of a text's origin says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["likely_ai_unconfirmed", "undetermined"]
AbstainReason = Literal[
    "too_short", "unsupported_language", "not_prose", "tampered", "too_few_calibration_texts"
]


@dataclass(frozen=True, slots=True)
class CalibrationCell:
    """The human texts a p-value was taken from.

    ``length_bin`` is in words ("100-199", "400+", or "50+" when lengths were pooled); ``n`` counts texts;
    ``pooled`` says that the texts are not all of this language and length.
    """

    language: str
    length_bin: str
    n: int
    pooled: bool


@dataclass(frozen=True, slots=True)
class OriginSegment:
    """A stretch of the text, [start, end) code points of the text as sent, with its own score and verdict."""

    start: int
    end: int
    score: float
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class FeatureEvidence:
    """A named property of the text beside human texts of its language.

    ``percentile`` is the share (0 to 100) of human texts in that language with a smaller value, ties
    counted half; ``machine_like`` is the end of the scale at which machine texts lie ("low" or "high").
    """

    name: str
    value: float
    percentile: float
    machine_like: Literal["low", "high"]


@dataclass(frozen=True, slots=True)
class OriginAssessment:
    """Evidence on whether a machine wrote a text; never proof.

    ``score`` lies in (0, 1), grows with "more like machine text" on one scale for all languages and
    lengths, and is present on abstention too. ``p_value`` is the share of human calibration texts at least
    as machine-like (split conformal, so never 0); the verdict flags when it is at most ``target_fpr`` and
    nothing speaks for abstaining. ``fraction_machine`` is the share of words in flagged segments, None on
    abstention. ``kinds`` gives probabilities of generated / rewritten / translated for flagged texts where
    the model supports it.
    """

    verdict: Verdict
    score: float
    p_value: float | None
    target_fpr: float
    abstain_reason: AbstainReason | None
    calibration: CalibrationCell | None
    segments: tuple[OriginSegment, ...]
    fraction_machine: float | None
    kinds: dict[str, float] | None
    features: tuple[FeatureEvidence, ...]
    model_version: str
