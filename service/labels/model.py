"""The words of a label: four independent axes, the evidence behind them, and the state that readers see.

Every standard for marking AI content mixes two of the axes differently. Kept apart, each output is a plain
mapping (`service.labels.encodings`):

- involvement: how far AI took part
- human review: did a person check it before publication
- basis: who or what asserts it
- status: where the label is in its life
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from classifiers.provenance.signal import HumanReview, Involvement, Outcome

__all__ = [
    "CONFIRMED_STATES",
    "CONFIRMING",
    "Basis",
    "Conflict",
    "Decision",
    "Evidence",
    "EvidenceType",
    "HumanReview",
    "Involvement",
    "Outcome",
    "ReviewReason",
    "State",
    "Status",
    "may_be_marked",
    "state_of",
]

Basis = Literal[
    "reviewer_decision",
    "provenance_signed",
    "watermark",
    "author_declared",
    "cms_recorded",
    "metadata_unsigned",
    "statistical_detector",
    "no_evidence",
]
Status = Literal["draft", "active", "disputed", "superseded", "revoked", "expired"]
State = Literal[
    "human_written", "ai_assisted", "ai_generated", "mixed", "likely_ai_unconfirmed", "undetermined"
]
EvidenceType = Literal[
    "declaration",
    "c2pa",
    "xmp",
    "jsonld",
    "microdata",
    "html_meta",
    "html_attribute",
    "http_header",
    "watermark_green_list",
    "watermark_synthid",
    "detector",
    "unicode",
]
ReviewReason = Literal[
    "conflict",
    "detector_disagrees",
    "metadata_disagrees",
    "likely_ai",
    "unsigned_metadata",
    "invalid_signature",
]

# The only grounds on which a label may say something as a fact.
CONFIRMING: Final[frozenset[Basis]] = frozenset(
    {"reviewer_decision", "provenance_signed", "watermark", "author_declared", "cms_recorded"}
)
CONFIRMED_STATES: Final[frozenset[State]] = frozenset(
    {"human_written", "ai_assisted", "ai_generated", "mixed"}
)

_STATES: Final[dict[Involvement, State]] = {
    "none": "human_written",
    "assisted": "ai_assisted",
    "generated": "ai_generated",
    "mixed": "mixed",
    "unknown": "undetermined",
}


class Evidence(BaseModel):
    """One thing that was declared, read or measured.

    `involvement` is None where the evidence says no more than `outcome`: AI took part, who knows how far.
    `basis` is the ground that this evidence gives a label, decided by whoever read it (a manifest with a
    trusted signature is `provenance_signed`, one without is not).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(max_length=100)
    type: EvidenceType
    outcome: Outcome
    basis: Basis
    involvement: Involvement | None = None
    human_review: HumanReview | None = None
    detail: dict[str, Any] = Field(default_factory=dict)
    tool: str = Field(max_length=200)
    at: datetime


class Conflict(BaseModel):
    """Statements that exclude each other, and what became of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    between: list[str] = Field(description="Ids of the evidence that says AI, then of that which says none.")
    resolution: Literal["open", "reviewer_decision"]
    by: str | None = Field(None, description="The reviewer who resolved it.")


class Decision(BaseModel):
    """What a reviewer decided. `overrides` names the evidence of AI that the reviewer sets aside."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: str = Field(min_length=1, max_length=200, description="Name or id of the reviewer.")
    involvement: Involvement
    human_review: HumanReview = "unknown"
    reason: str = Field(min_length=1, max_length=2_000)
    overrides: list[str] = Field(default_factory=list, max_length=100)


def state_of(involvement: Involvement, basis: Basis, *, suspected: bool = False) -> State:
    """The state that readers see. `suspected`: something that cannot confirm points to AI.

    Only a confirming basis gives a confirmed state, whatever the involvement says.
    """
    if basis in CONFIRMING:
        return _STATES[involvement]
    return "likely_ai_unconfirmed" if suspected else "undetermined"


def may_be_marked(state: State, status: Status) -> bool:
    """Whether anything machine-readable may be written: a confirmed state in force, nothing else."""
    return state in CONFIRMED_STATES and status == "active"
