"""The same for many reviews at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from service.auth.scopes import Caller
from service.errors import TamgaError
from service.reviews.model import LabelDecision, Note, ReviewDecision, ReviewState

if TYPE_CHECKING:
    from service.reviews.desk import ReviewDesk
    from service.store.reviews import StoredReview

MAX_REVIEWS = 200


class BulkRequest(BaseModel):
    """What to do, and to which reviews."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "ids": ["rev_5f0c1d2e3b4a59687786f5e4"],
                    "action": "decide",
                    "label": {"action": "dismiss"},
                    "note": "Quiz texts of the weekend.",
                }
            ]
        },
    )

    ids: list[Annotated[str, StringConstraints(min_length=1, max_length=36)]] = Field(
        min_length=1, max_length=MAX_REVIEWS
    )
    action: Literal["lock", "unlock", "decide", "second_opinion", "undo"]
    label: LabelDecision | None = Field(None, description="Needed with `decide`, and nowhere else.")
    note: Note = ""

    @model_validator(mode="after")
    def _fits(self) -> BulkRequest:
        if (self.action == "decide") != (self.label is not None):
            raise ValueError("`label` belongs to the action `decide`, which needs it")
        if len(set(self.ids)) < len(self.ids):
            raise ValueError("a review is named twice")
        return self


class BulkError(BaseModel):
    """Why one review was left as it is."""

    type: str
    title: str
    detail: str


class BulkResult(BaseModel):
    """What became of one review."""

    id: str
    state: ReviewState | None = Field(description="Null where there is no such review, or it was refused.")
    issued_label_id: str | None = None
    error: BulkError | None = None


def carry_out(desk: ReviewDesk, request: BulkRequest, caller: Caller) -> list[BulkResult]:
    """Do it for one review after the other, each in a transaction of its own."""
    return [_one(desk, review_id, request, caller) for review_id in request.ids]


def _one(desk: ReviewDesk, review_id: str, request: BulkRequest, caller: Caller) -> BulkResult:
    try:
        review = _act(desk, review_id, request, caller)
    except TamgaError as error:
        if error.status >= 500:
            raise
        return BulkResult(id=review_id, state=None, error=BulkError(**error.as_error()))
    state: ReviewState = "decided" if review.state == "decided" else "locked" if review.lock_owner else "open"
    return BulkResult(id=review_id, state=state, issued_label_id=review.issued_label_id)


def _act(desk: ReviewDesk, review_id: str, request: BulkRequest, caller: Caller) -> StoredReview:
    match request.action:
        case "lock":
            return desk.lock(review_id, caller)
        case "unlock":
            return desk.unlock(review_id, caller)
        case "undo":
            return desk.undo(review_id, caller, request.note)
        case "second_opinion":
            return desk.second_opinion(review_id, caller, request.note)
        case "decide":
            return desk.decide(review_id, ReviewDecision(label=request.label, note=request.note), caller)
