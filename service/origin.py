"""The origin part of an Analysis: the detector's assessment beside what was declared and what is hidden in
the text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from classifiers.text import CanonicalText, canonicalise
from service.analysis_models import Calibration, Feature, Origin, Segment, Signal
from service.articles import Submission

if TYPE_CHECKING:
    from classifiers.ai_text import Detector, OriginAssessment


def assess_origin(detector: Detector, submission: Submission, language: str, target_fpr: float) -> Origin:
    """Run the detector on a submission and read the signals.

    `language` is one of the nine codes or "other" (the detector then abstains). A declaration never changes
    the detector's verdict: they stand side by side, since their difference is what a reviewer looks for.
    """
    canonical = canonicalise(submission.text, title=submission.title, outlet=submission.outlet)
    assessment = detector.assess(
        submission.text,
        language=language,
        target_fpr=target_fpr,
        title=submission.title,
        outlet=submission.outlet,
        canonical=canonical,
    )
    return _origin(assessment, [*_declaration(submission), *_hidden_characters(canonical)])


def _origin(assessment: OriginAssessment, signals: list[Signal]) -> Origin:
    cell = assessment.calibration
    return Origin(
        verdict=assessment.verdict,
        score=assessment.score,
        p_value=assessment.p_value,
        target_fpr=assessment.target_fpr,
        abstain_reason=assessment.abstain_reason,
        calibration=cell
        and Calibration(language=cell.language, length_bin=cell.length_bin, n=cell.n, pooled=cell.pooled),
        segments=[
            Segment(start=part.start, end=part.end, score=part.score, verdict=part.verdict)
            for part in assessment.segments
        ],
        fraction_machine=assessment.fraction_machine,
        kinds=assessment.kinds,
        features=[
            Feature(
                name=item.name,
                value=item.value,
                percentile=item.percentile,
                machine_like=item.machine_like,
            )
            for item in assessment.features
        ],
        signals=signals,
        label=None,
    )


def _declaration(submission: Submission) -> list[Signal]:
    declared = submission.declared
    if declared is None:
        return []
    involved = declared not in (False, "none")
    detail = {"involvement": declared} if isinstance(declared, str) else {"involved": declared}
    return [Signal(type="declaration", outcome="ai" if involved else "human", detail=detail, tool="caller")]


def _hidden_characters(canonical: CanonicalText) -> list[Signal]:
    """A note, never evidence of AI: hidden characters come from word processors and web pages as well."""
    tampering = canonical.tampering
    if tampering.total == 0:
        return []
    counts = {
        name: count
        for name in ("zero_width", "bidi", "variation_selectors", "tags", "other_hidden", "homoglyphs")
        if (count := getattr(tampering, name))
    }
    return [Signal(type="hidden_characters", outcome="inconclusive", detail=counts, tool="classifiers.text")]
