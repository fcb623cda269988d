"""From evidence, and perhaps a reviewer's decision, to a proposed label. Pure.

Highest first:

1. a reviewer's decision, which must name the evidence of AI it sets aside
2. a manifest with a trusted signature
3. the newsroom's own watermark: AI took part, at least as an assistant; its absence says nothing
4. what the author declares or the CMS recorded
5. unsigned metadata: a reason to ask, no confirmation
6. the statistical detector: `likely_ai_unconfirmed` at most
7. traces in the characters: a note

Evidence of AI outranks claims of none, never the reverse. Two statements that exclude each other make the
label `disputed`: a person decides, and the public sees what was confirmed before, or nothing. The detector
makes no statement, so it never disputes one; it asks for a review.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from service.errors import InvalidInput
from service.labels.model import (
    Basis,
    Conflict,
    Decision,
    Evidence,
    HumanReview,
    Involvement,
    ReviewReason,
    State,
    Status,
    state_of,
)

RANKS: Final[dict[Basis, int]] = {
    "reviewer_decision": 1,
    "provenance_signed": 2,
    "watermark": 3,
    "author_declared": 4,
    "cms_recorded": 4,
    "metadata_unsigned": 5,
    "statistical_detector": 6,
    "no_evidence": 7,
}
_LAST_CONFIRMING: Final = 4
_LAST_STATEMENT: Final = 5
# What AI involvement of unknown extent amounts to: at least this.
_FLOOR: Final[Involvement] = "assisted"
_EXTENT: Final[dict[Involvement, int]] = {"unknown": 0, "none": 1, "assisted": 2, "mixed": 3, "generated": 4}


class UncitedEvidenceError(InvalidInput):
    """A reviewer sets evidence aside without naming it."""

    slug = "uncited-evidence"
    title = "The decision contradicts evidence that it does not name"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A label before it is issued. `status` is active where it may be issued as it stands."""

    involvement: Involvement
    human_review: HumanReview
    basis: Basis
    state: State
    status: Status
    conflict: Conflict | None
    review_reasons: tuple[ReviewReason, ...]
    evidence: tuple[Evidence, ...]


def propose(evidence: Sequence[Evidence], decision: Decision | None = None) -> Proposal:
    """Weigh `evidence`; a `decision` settles it.

    Raises:
        InvalidInput: evidence claims to be a reviewer's decision, two have the same id, or the decision names
            evidence that is not there.
        UncitedEvidenceError: the decision says less AI than evidence that it does not name.
    """
    _check(evidence)
    if decision is not None:
        return _decided(evidence, decision)
    says_ai = _saying(evidence, "ai", _LAST_STATEMENT)
    says_none = _saying(evidence, "human", _LAST_CONFIRMING)
    confirmed_ai = [item for item in says_ai if RANKS[item.basis] <= _LAST_CONFIRMING]
    suspected = bool(says_ai) or any(
        item.outcome == "ai" and item.basis == "statistical_detector" for item in evidence
    )
    involvement: Involvement
    basis: Basis
    if confirmed_ai:
        involvement, basis = _extent(confirmed_ai)
    elif says_ai:
        involvement, basis = "unknown", "metadata_unsigned"
    elif says_none:
        involvement, basis = "none", says_none[0].basis
    else:
        involvement, basis = "unknown", _weakest_ground(evidence, suspected)
    state = state_of(involvement, basis, suspected=suspected)
    conflict = None
    if says_ai and says_none:
        between = [item.id for item in (*says_ai, *says_none)]
        conflict = Conflict(between=between, resolution="open")
    return Proposal(
        involvement=involvement,
        human_review=_review(evidence, involvement),
        basis=basis,
        state=state,
        status=_status(basis, conflict),
        conflict=conflict,
        review_reasons=_review_reasons(evidence, state, conflict),
        evidence=tuple(evidence),
    )


def _check(evidence: Sequence[Evidence]) -> None:
    ids = {item.id for item in evidence}
    if len(ids) < len(evidence):
        raise InvalidInput("Two pieces of evidence have the same id.", pointer="#/evidence")
    for item in evidence:
        if item.basis == "reviewer_decision":
            raise InvalidInput("A reviewer decides; evidence does not.", pointer="#/evidence")


def _saying(evidence: Sequence[Evidence], outcome: str, last_rank: int) -> list[Evidence]:
    """Evidence with this outcome down to a rank, highest first."""
    found = [item for item in evidence if item.outcome == outcome and RANKS[item.basis] <= last_rank]
    return sorted(found, key=lambda item: RANKS[item.basis])


def _extent(confirmed: Sequence[Evidence]) -> tuple[Involvement, Basis]:
    """How far AI took part by the highest evidence that says; where none says, the least it can have been."""
    for rank in sorted({RANKS[item.basis] for item in confirmed}):
        exact = [
            (_EXTENT[item.involvement], item.involvement, item.basis)
            for item in confirmed
            if RANKS[item.basis] == rank and item.involvement in ("assisted", "mixed", "generated")
        ]
        if exact:
            # Between equals, the one that admits more.
            _, involvement, basis = max(exact, key=lambda found: found[0])
            return involvement, basis
    return _FLOOR, confirmed[0].basis


def _weakest_ground(evidence: Sequence[Evidence], suspected: bool) -> Basis:
    if suspected or any(item.basis == "statistical_detector" for item in evidence):
        return "statistical_detector"
    if any(item.basis == "metadata_unsigned" and item.outcome == "human" for item in evidence):
        return "metadata_unsigned"
    return "no_evidence"


def _review(evidence: Sequence[Evidence], involvement: Involvement) -> HumanReview:
    """Human review as the highest statement has it; a claim of review that the label's AI part does not share
    says nothing about it.
    """
    if involvement == "unknown":
        return "unknown"
    for item in sorted(evidence, key=lambda item: RANKS[item.basis]):
        if RANKS[item.basis] > _LAST_CONFIRMING:
            break
        if item.human_review in ("none", "reviewed") and (item.outcome == "human") == (involvement == "none"):
            return item.human_review
    return "unknown"


def _status(basis: Basis, conflict: Conflict | None) -> Status:
    if conflict is not None:
        return "disputed"
    return "active" if RANKS[basis] <= _LAST_CONFIRMING else "draft"


def _review_reasons(
    evidence: Sequence[Evidence], state: State, conflict: Conflict | None
) -> tuple[ReviewReason, ...]:
    reasons: list[ReviewReason] = []
    if conflict is not None:
        reasons.append("conflict")
    detector = any(item.basis == "statistical_detector" and item.outcome == "ai" for item in evidence)
    unsigned = {item.outcome for item in evidence if item.basis == "metadata_unsigned"}
    if detector and state == "human_written":
        reasons.append("detector_disagrees")
    if "human" in unsigned and state in ("ai_assisted", "ai_generated", "mixed"):
        reasons.append("metadata_disagrees")
    if detector and state == "likely_ai_unconfirmed":
        reasons.append("likely_ai")
    if "ai" in unsigned and state == "likely_ai_unconfirmed":
        reasons.append("unsigned_metadata")
    if any(item.type == "c2pa" and item.detail.get("validation") == "Invalid" for item in evidence):
        reasons.append("invalid_signature")
    return tuple(reasons)


def _decided(evidence: Sequence[Evidence], decision: Decision) -> Proposal:
    unknown = sorted(set(decision.overrides) - {item.id for item in evidence})
    if unknown:
        detail = f"There is no evidence {', '.join(unknown)}."
        raise InvalidInput(detail, pointer="#/decision/overrides")
    contradicted = [item for item in evidence if _contradicts(item, decision.involvement)]
    uncited = [item.id for item in contradicted if item.id not in decision.overrides]
    if uncited:
        raise UncitedEvidenceError(
            f"Name {', '.join(uncited)} among the overrides, or decide otherwise.",
            pointer="#/decision/overrides",
        )
    disputed = propose(evidence).conflict
    conflict = None
    if disputed is not None or contradicted:
        between = disputed.between if disputed is not None else [item.id for item in contradicted]
        conflict = Conflict(between=between, resolution="reviewer_decision", by=decision.by)
    return Proposal(
        involvement=decision.involvement,
        human_review=decision.human_review,
        basis="reviewer_decision",
        state=state_of(decision.involvement, "reviewer_decision"),
        status="active",
        conflict=conflict,
        review_reasons=(),
        evidence=tuple(evidence),
    )


def _contradicts(item: Evidence, involvement: Involvement) -> bool:
    """Whether evidence says more AI than a decision grants. A detector's suspicion need not be answered."""
    if item.outcome != "ai" or RANKS[item.basis] > _LAST_STATEMENT:
        return False
    if involvement in ("none", "unknown"):
        return True
    return item.basis == "provenance_signed" and _EXTENT[item.involvement or _FLOOR] > _EXTENT[involvement]
