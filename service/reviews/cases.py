"""Which analyses and labels a person has to look at, and how urgently.

Risk is between 0 and 1, for sorting alone: it says what to look at first, not how likely anything is. Each
kind of issue gives a part; together they are 1 - product(1 - part), so that two issues weigh more than one.

| kind | part |
|---|---|
| declared_conflict | 0.8 where statements exclude each other, 0.6 where the detector or metadata disagree |
| likely_ai | 0.4 + 0.4 * (1 - p_value / target_fpr): how far beyond the threshold |
| contradiction | 0.9 * probability that record and claim are about the same statement, of the strongest |
| unknown_origin | 0.2 |
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any, Final

from service.reviews.model import Kind, Proposed, Versions

if TYPE_CHECKING:
    from index.articles import Article
    from service.analysis_models import Analysis
    from service.labels.document import LabelDocument

_SUSPICIONS: Final = frozenset({"likely_ai", "unsigned_metadata"})
_DISAGREEMENTS: Final = frozenset({"detector_disagrees", "metadata_disagrees", "invalid_signature"})
MAX_OUTLET: Final = 200


@dataclass(frozen=True, slots=True)
class Case:
    """Something for a person. `subject` is what makes two cases one review: the article, or what the label is
    about.
    """

    subject: str
    parts: Mapping[Kind, float]
    proposed: Proposed
    versions: Versions
    language: str
    article_id: str | None = None
    label_id: str | None = None
    title: str | None = None
    url: str | None = None
    outlet: str | None = None
    kinds: tuple[Kind, ...] = field(init=False)
    risk: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "kinds", tuple(sorted(self.parts)))
        object.__setattr__(self, "risk", round(1 - prod(1 - part for part in self.parts.values()), 4))


def case_of_analysis(article: Article, analysis: Analysis) -> Case | None:
    """The case that an analysis makes; None where nobody need look."""
    origin = analysis.origin
    parts: dict[Kind, float] = {}
    if origin is not None:
        parts |= _by_reasons(origin.label.review_reasons, origin.p_value, origin.target_fpr)
    contradicting = [
        match.probability
        for claim in analysis.claims
        for match in claim.matches
        if match.level == "link" and match.stance == "contradicts" and not match.stance_abstained
    ]
    if contradicting:
        parts["contradiction"] = 0.9 * max(contradicting)
    if not parts:
        return None
    label = origin.label if origin is not None else None
    return Case(
        subject=_subject_of_article(article.id),
        parts=parts,
        proposed=Proposed(
            state=label.state if label else "undetermined",
            involvement=label.involvement if label else "unknown",
            human_review=label.human_review if label else "unknown",
            basis=label.basis if label else "no_evidence",
            review_reasons=list(label.review_reasons) if label else [],
            p_value=origin.p_value if origin else None,
            contradictions=len(contradicting),
        ),
        versions=Versions(
            models=analysis.models,
            index_generation=analysis.index_generation,
            target_fpr=origin.target_fpr if origin else None,
        ),
        language=analysis.language,
        article_id=article.id,
        title=article.title,
        url=article.url,
        outlet=article.outlet[:MAX_OUTLET] if article.outlet else None,
    )


def case_of_label(
    document: LabelDocument, *, status: str, subject_key: str, review_reasons: list[str]
) -> Case | None:
    """The case that a label makes which somebody asked for: one that waits, or one in force that evidence
    speaks against.
    """
    detector = next((item for item in document.evidence if item.type == "detector"), None)
    detail: Mapping[str, Any] = detector.detail if detector is not None else {}
    p_value, target = detail.get("p_value"), detail.get("target_fpr")
    parts = _by_reasons(review_reasons, p_value, target)
    if not parts and status == "draft":
        parts["unknown_origin"] = 0.2
    if not parts:
        return None
    subject, models = document.subject, {}
    if detector is not None:
        models["ai_text"] = detector.tool.removeprefix("ai_text/")
    article_id = subject.article_id
    return Case(
        subject=f"label {subject_key}" if article_id is None else _subject_of_article(article_id),
        parts=parts,
        proposed=Proposed(
            state=document.state,
            involvement=document.involvement,
            human_review=document.human_review,
            basis=document.basis,
            review_reasons=review_reasons,
            p_value=p_value,
        ),
        versions=Versions(models=models, target_fpr=target),
        language=subject.lang or "und",
        article_id=article_id,
        label_id=document.label_id.removeprefix("urn:uuid:"),
        title=subject.title,
        url=subject.url,
    )


def opinions_wanted(subject: str, share: float) -> int:
    """1, or 2 for a `share` of all subjects: those are given to two reviewers, to see how far they agree.
    Which ones is fixed by the subject, and not to be foreseen by it.
    """
    drawn = int.from_bytes(hashlib.sha256(f"overlap {subject}".encode()).digest()[:6]) / 2**48
    return 2 if drawn < share else 1


def _subject_of_article(article_id: str) -> str:
    return f"article {article_id}"


def _by_reasons(reasons: Any, p_value: float | None, target_fpr: float | None) -> dict[Kind, float]:
    parts: dict[Kind, float] = {}
    given = set(reasons)
    if "conflict" in given:
        parts["declared_conflict"] = 0.8
    elif given & _DISAGREEMENTS:
        parts["declared_conflict"] = 0.6
    if given & _SUSPICIONS:
        beyond = 0.0
        if p_value is not None and target_fpr:
            beyond = min(1.0, max(0.0, 1 - p_value / target_fpr))
        parts["likely_ai"] = 0.4 + 0.4 * beyond
    return parts
