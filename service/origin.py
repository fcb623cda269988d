"""The origin part of an Analysis: the detector's assessment beside what was declared and what the article
carries with it, and the label that all of it together would give.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from classifiers.provenance import ProvenanceReader, ProvenanceSignal
from classifiers.text import Tampering, canonicalise
from service.analysis_models import Calibration, Feature, LabelProposal, Origin, Segment, Signal
from service.articles import Submission
from service.labels.evidence import from_declaration, from_detector, from_signals
from service.labels.precedence import propose

if TYPE_CHECKING:
    from classifiers.ai_text import Detector, OriginAssessment


def assess_origin(
    detector: Detector, reader: ProvenanceReader, submission: Submission, language: str, target_fpr: float
) -> Origin:
    """Run the detector on a submission, read the signals, and propose a label.

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
    read = _read(reader, submission, canonical.tampering)
    signals = [*_declaration(submission), *map(_shown, read)]
    label = _label(assessment, submission, read, detector.model_version)
    return _origin(assessment, signals, label)


def _origin(assessment: OriginAssessment, signals: list[Signal], label: LabelProposal) -> Origin:
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
        label=label,
    )


def _read(reader: ProvenanceReader, submission: Submission, tampering: Tampering) -> list[ProvenanceSignal]:
    if submission.page is not None:
        return list(reader.read_page(submission.page, submission.text, tampering=tampering).signals)
    return list(reader.read_text(submission.text, tampering=tampering).signals)


def _shown(signal: ProvenanceSignal) -> Signal:
    # A note for the reviewer, never evidence of AI: they come from word processors and web pages as well.
    name = "hidden_characters" if signal.type == "unicode" else signal.type
    return Signal.model_validate(
        {"type": name, "outcome": signal.outcome, "detail": signal.detail, "tool": signal.tool}
    )


def _declaration(submission: Submission) -> list[Signal]:
    declared = submission.declared
    if declared is None:
        return []
    involved = declared not in (False, "none")
    detail = {"involvement": declared} if isinstance(declared, str) else {"involved": declared}
    return [Signal(type="declaration", outcome="ai" if involved else "human", detail=detail, tool="caller")]


def _label(
    assessment: OriginAssessment, submission: Submission, read: list[ProvenanceSignal], model: str
) -> LabelProposal:
    """What all of it together would be labelled as. The detector adds a suspicion at most."""
    now = datetime.now(UTC)
    evidence = from_signals(read, now)
    if submission.declared is not None:
        evidence.append(from_declaration(submission.declared, None, "author_declared", now))
    evidence.append(
        from_detector(
            flagged=assessment.verdict == "likely_ai_unconfirmed",
            abstain_reason=assessment.abstain_reason,
            detail={
                "score": assessment.score,
                "p_value": assessment.p_value,
                "target_fpr": assessment.target_fpr,
            },
            model=model,
            at=now,
        )
    )
    found = propose(evidence)
    return LabelProposal(
        state=found.state,
        involvement=found.involvement,
        human_review=found.human_review,
        basis=found.basis,
        status=found.status,
        review_reasons=list(found.review_reasons),
        evidence=list(found.evidence),
    )
