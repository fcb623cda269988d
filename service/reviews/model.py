"""The words of a review.

A review is `open` until somebody decides it; while somebody works on it, it is `locked`. It passes through
stages: a `first` opinion, perhaps a `second` one by somebody who does not see the first, and where the two
differ a `settle`ment by an editor.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from service.analysis_models import Stance
from service.labels.model import HumanReview, Involvement

Kind = Literal["likely_ai", "declared_conflict", "contradiction", "unknown_origin"]
ReviewState = Literal["open", "locked", "decided"]
Stage = Literal["first", "second", "settle", "done"]
LabelAction = Literal["accept", "change", "dismiss"]
# What an opinion says about the origin: an involvement, that no label is needed, or nothing.
Outcome = Literal["none", "assisted", "generated", "mixed", "unknown", "dismissed", "not_judged"]
EventKind = Literal[
    "opened", "updated", "locked", "unlocked", "decided", "disagreed", "settled", "undone", "second_opinion"
]

KINDS: Final[tuple[Kind, ...]] = ("likely_ai", "declared_conflict", "contradiction", "unknown_origin")
BITS: Final[dict[Kind, int]] = {kind: 1 << place for place, kind in enumerate(KINDS)}

Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000, pattern=r"^[^\x00]*$")]


def bits_of(kinds: Collection[Kind]) -> int:
    """Kinds as a sum of bits."""
    return sum(BITS[kind] for kind in set(kinds))


def kinds_of(bits: int) -> list[Kind]:
    """The kinds in a sum of bits."""
    return [kind for kind in KINDS if bits & BITS[kind]]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LabelDecision(_Part):
    """What becomes of the proposed label: accepted as it is, changed, or dismissed (no label is issued)."""

    action: LabelAction
    involvement: Involvement | None = Field(
        None, description="How far AI took part; needed with `change`, and nowhere else."
    )
    human_review: HumanReview | None = Field(None, description="Did a person check it before publication?")
    overrides: list[Annotated[str, StringConstraints(max_length=100)]] = Field(
        default_factory=list, max_length=100, description="Ids of the evidence of AI that is set aside."
    )

    @model_validator(mode="after")
    def _fits(self) -> LabelDecision:
        if (self.action == "change") != (self.involvement is not None):
            raise ValueError("`involvement` belongs to the action `change`, which needs it")
        if self.action == "dismiss" and (self.human_review is not None or self.overrides):
            raise ValueError("where no label is issued, there is nothing to say about it")
        return self


class MatchDecision(_Part):
    """Whether a record is about the same statement as a claim, and how it stands to it."""

    claim_start: int = Field(ge=0, description="Where the claim begins in the article.")
    record_id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    verdict: Literal["confirm", "reject"]
    stance: Stance | None = Field(None, description="The reviewer's stance, where it is not the model's.")

    @model_validator(mode="after")
    def _fits(self) -> MatchDecision:
        if self.verdict == "reject" and self.stance is not None:
            raise ValueError("a rejected match has no stance")
        return self


class ReviewDecision(_Part):
    """What a reviewer decides, all at once."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "label": {"action": "change", "involvement": "assisted", "human_review": "reviewed"},
                    "matches": [
                        {"claim_start": 0, "record_id": "r1", "verdict": "confirm", "stance": "contradicts"}
                    ],
                    "note": "The desk confirms that the translation was made by a machine.",
                }
            ]
        },
    )

    label: LabelDecision | None = None
    matches: list[MatchDecision] = Field(default_factory=list, max_length=2_000)
    note: Note = ""

    @model_validator(mode="after")
    def _decides(self) -> ReviewDecision:
        if self.label is None and not self.matches:
            raise ValueError("decide about the label, a match, or both")
        keys = [(match.claim_start, match.record_id) for match in self.matches]
        if len(set(keys)) < len(keys):
            raise ValueError("a match is decided twice")
        return self


class Proposed(BaseModel):
    """What the machine proposed when the review was opened."""

    state: str
    involvement: Involvement
    human_review: HumanReview
    basis: str
    review_reasons: list[str]
    p_value: float | None = None
    contradictions: int = 0


class Versions(BaseModel):
    """What the proposal was made with."""

    models: dict[str, str] = Field(default_factory=dict)
    index_generation: int | None = None
    target_fpr: float | None = None


def disagreements(one: ReviewDecision, other: ReviewDecision, outcomes: tuple[Outcome, Outcome]) -> list[str]:
    """Where two opinions differ: `label`, or the matches by their place and record. A match that only one of
    them judged is no disagreement.
    """
    found = ["label"] if outcomes[0] != outcomes[1] else []
    return found + list(_differing_matches(one, other))


def _differing_matches(one: ReviewDecision, other: ReviewDecision) -> Iterator[str]:
    judged: dict[tuple[int, str], Any] = {
        (match.claim_start, match.record_id): match for match in other.matches
    }
    for match in one.matches:
        against = judged.get((match.claim_start, match.record_id))
        if against is None:
            continue
        if match.verdict != against.verdict or (
            match.stance is not None and against.stance is not None and match.stance != against.stance
        ):
            yield f"match {match.claim_start} {match.record_id}"
