"""Which evidence wins: the whole matrix, and by hypothesis that no detector ever confirms."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import InvalidInput
from service.labels.model import (
    CONFIRMED_STATES,
    CONFIRMING,
    Basis,
    Decision,
    Evidence,
    EvidenceType,
    HumanReview,
    Involvement,
    Outcome,
    Status,
    may_be_marked,
    state_of,
)
from service.labels.precedence import RANKS, Proposal, UncitedEvidenceError, propose

NOW = datetime(2026, 11, 23, tzinfo=UTC)
TYPE_OF: dict[str, EvidenceType] = {
    "provenance_signed": "c2pa",
    "watermark": "watermark_green_list",
    "author_declared": "declaration",
    "cms_recorded": "declaration",
    "metadata_unsigned": "jsonld",
    "statistical_detector": "detector",
    "no_evidence": "unicode",
}
EVIDENCE_BASES = [basis for basis in get_args(Basis) if basis != "reviewer_decision"]
STATEMENTS = ("provenance_signed", "author_declared", "cms_recorded")
EXTENTS = ("assisted", "mixed", "generated")


def piece(basis: Any, outcome: Any, involvement: Any = None, review: Any = None, name: str = "") -> Evidence:
    return Evidence(
        id=name or f"{basis}-{outcome}-{involvement}",
        type=TYPE_OF[basis],
        outcome=outcome,
        basis=basis,
        involvement=involvement,
        human_review=review,
        tool="test",
        at=NOW,
    )


STATES = {"none": "human_written", "assisted": "ai_assisted", "mixed": "mixed", "generated": "ai_generated"}


@pytest.mark.parametrize("basis", EVIDENCE_BASES)
@pytest.mark.parametrize("involvement", ["none", *EXTENTS])
def test_one_piece_of_evidence(basis: Basis, involvement: Involvement) -> None:
    """Every involvement on every basis, nothing else known."""
    outcome: Outcome = "human" if involvement == "none" else "ai"
    found = propose([piece(basis, outcome, involvement)])
    if basis in STATEMENTS or (basis == "watermark" and involvement != "none"):
        assert (found.state, found.status, found.basis) == (STATES[involvement], "active", basis)
    elif basis == "watermark":
        # A watermark detector has no way to say "human"; were it to, the rank would hold all the same.
        assert found.involvement == "none"
    else:
        assert found.status == "draft"
        suspected = outcome == "ai" and basis != "no_evidence"
        assert found.state == ("likely_ai_unconfirmed" if suspected else "undetermined")
        assert found.involvement == "unknown"
    assert found.conflict is None


@pytest.mark.parametrize("ai_basis", EVIDENCE_BASES)
@pytest.mark.parametrize("human_basis", [*STATEMENTS, "metadata_unsigned"])
@pytest.mark.parametrize("extent", EXTENTS)
def test_evidence_of_ai_against_a_claim_of_none(
    ai_basis: Basis, human_basis: Basis, extent: Involvement
) -> None:
    """Every pair of bases that disagree: AI outranks none, and statements that exclude each other dispute."""
    found = propose([piece(human_basis, "human", "none"), piece(ai_basis, "ai", extent)])
    stated = human_basis in STATEMENTS
    if ai_basis in ("statistical_detector", "no_evidence"):
        assert found.conflict is None
        assert found.status == ("active" if stated else "draft")
        assert (found.state == "human_written") == stated
        if ai_basis == "statistical_detector" and stated:
            assert found.review_reasons == ("detector_disagrees",)
        return
    assert found.state != "human_written"
    if stated:
        assert found.status == "disputed"
        assert found.conflict is not None
        assert found.conflict.resolution == "open"
        assert set(found.conflict.between) == {item.id for item in found.evidence}
        assert found.review_reasons[0] == "conflict"
    elif ai_basis == "metadata_unsigned":
        assert found.status == "draft"
    else:
        assert (found.status, found.state) == ("active", STATES[extent])
        assert found.review_reasons == ("metadata_disagrees",)


@pytest.mark.parametrize(
    ("higher", "lower"), list(itertools.combinations(sorted(CONFIRMING - {"reviewer_decision"}), 2))
)
@pytest.mark.parametrize("extents", list(itertools.permutations(EXTENTS, 2)))
def test_the_higher_basis_says_how_far(higher: Basis, lower: Basis, extents: tuple[Any, Any]) -> None:
    if RANKS[higher] > RANKS[lower]:
        higher, lower = lower, higher
    found = propose([piece(lower, "ai", extents[1]), piece(higher, "ai", extents[0])])
    assert found.conflict is None
    if RANKS[higher] < RANKS[lower]:
        assert (found.involvement, found.basis) == (extents[0], higher)
    else:
        order = ["assisted", "mixed", "generated"]
        assert found.involvement == max(extents, key=order.index)


def test_a_watermark_is_a_floor_that_a_declaration_can_raise() -> None:
    mark = piece("watermark", "ai")
    assert (propose([mark]).involvement, propose([mark]).human_review) == ("assisted", "unknown")
    declared = piece("author_declared", "ai", "generated", "reviewed")
    raised = propose([mark, declared])
    assert (raised.involvement, raised.basis, raised.human_review) == (
        "generated",
        "author_declared",
        "reviewed",
    )


def test_a_watermark_that_was_not_found_changes_nothing() -> None:
    declared = piece("author_declared", "human", "none")
    not_found = piece("watermark", "none")
    assert propose([declared, not_found]).state == "human_written"
    assert propose([not_found]).state == "undetermined"


DECIDED = list(itertools.product(get_args(Involvement), get_args(HumanReview)))


@pytest.mark.parametrize(("involvement", "review"), DECIDED)
def test_a_reviewer_decides_over_everything(involvement: Involvement, review: HumanReview) -> None:
    evidence = [
        piece("provenance_signed", "ai", "generated"),
        piece("author_declared", "human", "none"),
        piece("statistical_detector", "ai"),
    ]
    assert propose(evidence).status == "disputed"
    cites = [item.id for item in evidence if item.outcome == "ai" and item.basis != "statistical_detector"]
    found = propose(
        evidence,
        Decision(
            by="A. Editor", involvement=involvement, human_review=review, reason="asked", overrides=cites
        ),
    )
    assert (found.basis, found.status) == ("reviewer_decision", "active")
    assert found.state == state_of(involvement, "reviewer_decision")
    assert found.conflict is not None
    assert (found.conflict.resolution, found.conflict.by) == ("reviewer_decision", "A. Editor")


@pytest.mark.parametrize("basis", ["provenance_signed", "watermark", "author_declared", "metadata_unsigned"])
def test_a_reviewer_must_name_the_evidence_set_aside(basis: Basis) -> None:
    evidence = [piece(basis, "ai", "generated")]
    with pytest.raises(UncitedEvidenceError, match=evidence[0].id):
        propose(evidence, Decision(by="A. Editor", involvement="none", reason="asked"))


def test_a_reviewer_need_not_answer_the_detector() -> None:
    found = propose(
        [piece("statistical_detector", "ai")], Decision(by="A. Editor", involvement="none", reason="asked")
    )
    assert (found.state, found.conflict) == ("human_written", None)


def test_a_decision_cannot_cite_what_is_not_there() -> None:
    with pytest.raises(InvalidInput, match="no evidence nothing"):
        propose([], Decision(by="A. Editor", involvement="none", reason="asked", overrides=["nothing"]))


def test_evidence_cannot_pose_as_a_decision() -> None:
    posed = Evidence(id="x", type="declaration", outcome="ai", basis="reviewer_decision", tool="test", at=NOW)
    with pytest.raises(InvalidInput, match="reviewer decides"):
        propose([posed])


@pytest.mark.parametrize("state_status", list(itertools.product(sorted(CONFIRMED_STATES), get_args(Status))))
def test_only_what_is_confirmed_and_in_force_is_marked(state_status: Any) -> None:
    state, status = state_status
    assert may_be_marked(state, status) == (status == "active")


@pytest.mark.parametrize("state", ["likely_ai_unconfirmed", "undetermined"])
@pytest.mark.parametrize("status", get_args(Status))
def test_what_is_not_confirmed_is_never_marked(state: Any, status: Status) -> None:
    assert not may_be_marked(state, status)


@pytest.mark.parametrize("basis", [basis for basis in get_args(Basis) if basis not in CONFIRMING])
@pytest.mark.parametrize("involvement", get_args(Involvement))
@pytest.mark.parametrize("suspected", [True, False])
def test_no_state_is_confirmed_without_ground(
    basis: Basis, involvement: Involvement, suspected: bool
) -> None:
    assert state_of(involvement, basis, suspected=suspected) not in CONFIRMED_STATES


evidence_lists = st.lists(
    st.builds(
        piece,
        st.sampled_from(EVIDENCE_BASES),
        st.sampled_from(get_args(Outcome)),
        st.sampled_from([None, *get_args(Involvement)]),
        st.sampled_from([None, *get_args(HumanReview)]),
    ),
    max_size=7,
    unique_by=lambda item: item.id,
)


def _marked(proposal: Proposal) -> bool:
    return may_be_marked(proposal.state, proposal.status)


@given(evidence_lists)
def test_a_detector_never_confirms_and_never_marks(evidence: list[Evidence]) -> None:
    """Whatever else is known, the detector and traces add no confirmed state and no mark."""
    with_detector = propose(evidence)
    without = propose([item for item in evidence if RANKS[item.basis] < RANKS["statistical_detector"]])
    if with_detector.state in CONFIRMED_STATES:
        assert with_detector.state == without.state
        assert with_detector.basis in CONFIRMING
    assert _marked(with_detector) == _marked(without)
    assert with_detector.status == without.status
    if all(item.basis in ("statistical_detector", "no_evidence") for item in evidence):
        assert with_detector.state in ("likely_ai_unconfirmed", "undetermined")
        assert with_detector.status == "draft"
        assert not _marked(with_detector)


@given(evidence_lists, st.randoms())
def test_the_order_of_evidence_does_not_matter(evidence: list[Evidence], random: Any) -> None:
    shuffled = evidence.copy()
    random.shuffle(shuffled)
    first, second = propose(evidence), propose(shuffled)
    assert (first.state, first.status, first.involvement, RANKS[first.basis]) == (
        second.state,
        second.status,
        second.involvement,
        RANKS[second.basis],
    )


@given(evidence_lists)
def test_more_evidence_of_none_never_removes_ai(evidence: list[Evidence]) -> None:
    says_ai = [item for item in evidence if item.outcome == "ai"]
    before, after = propose(says_ai), propose(evidence)
    if before.state in ("ai_assisted", "mixed", "ai_generated"):
        assert after.state == before.state
