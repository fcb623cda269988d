"""Reviews as the API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from service.reviews.model import (
    EventKind,
    Kind,
    Note,
    Outcome,
    Proposed,
    ReviewDecision,
    ReviewState,
    Stage,
    Versions,
    kinds_of,
)
from service.store.reviews import StoredReview


class Lock(BaseModel):
    """Who works on a review, and until when at most."""

    owner: str
    name: str
    until: AwareDatetime


class Review(BaseModel):
    """Something a person has to look at."""

    id: str
    state: ReviewState
    stage: Stage = Field(
        description="first, second: whose opinion is wanted; settle: two differ, an editor decides; done."
    )
    kinds: list[Kind]
    risk: float = Field(description="Between 0 and 1: what to look at first, nothing more.")
    article_id: str | None
    label_id: str | None = Field(description="The label that waits for it.")
    title: str | None
    url: str | None
    outlet: str | None
    language: str
    proposed: Proposed
    versions: Versions
    opinions_wanted: int
    lock: Lock | None
    issued_label_id: str | None = Field(description="The label that deciding it issued.")
    created_at: AwareDatetime
    decided_at: AwareDatetime | None


class ReviewPage(BaseModel):
    """A page of the queue."""

    items: list[Review]
    next: str | None = Field(description="Pass as `after` to get the next page; null on the last one.")


class Opinion(BaseModel):
    """What one person decided."""

    reviewer: str
    reviewer_name: str
    stage: Stage
    outcome: Outcome
    decision: ReviewDecision
    overrides: bool = Field(description="It sets aside what the machine proposed.")
    at: AwareDatetime
    undone_at: AwareDatetime | None


class ReviewDetail(Review):
    """A review with the opinions that the caller may see."""

    opinions: list[Opinion]
    hidden_opinions: int = Field(
        description="Opinions of others that are not shown until the caller has given their own."
    )


class HistoryEntry(BaseModel):
    """Something that happened to a review."""

    kind: EventKind
    at: AwareDatetime
    actor: str
    actor_name: str
    detail: dict[str, Any]


class Request(BaseModel):
    """A note to go with it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"note": "I am not sure."}]})

    note: Note = ""


class AgreementView(BaseModel):
    """Agreement among reviews that two people judged without seeing each other's opinion."""

    reviews: int
    agreeing: int
    alpha: float | None = Field(
        description="Krippendorff's alpha, nominal; null where it is not defined (fewer than two reviews, or "
        "everybody always said the same)."
    )


class VersionOverrides(BaseModel):
    """How often persons set aside what one version of the models proposed."""

    detector: str | None
    stance: str | None
    language: str
    judged: int = Field(description="Opinions about the origin.")
    overridden: int
    confirmed: int = Field(description="Matches confirmed.")
    rejected: int


class AgreementReport(BaseModel):
    """How far reviewers agree with each other, and with the machine."""

    all: AgreementView
    by_language: dict[str, AgreementView]
    overrides: list[VersionOverrides]


def shown(review: StoredReview, now: datetime) -> dict[str, Any]:
    """What the API shows of a review, by field."""
    lock = None
    if review.lock_holder(now) is not None:
        lock = {"owner": review.lock_owner, "name": review.lock_name, "until": review.lock_until}
    computed = {
        "state": review.state_at(now),
        "kinds": kinds_of(review.kinds),
        "risk": review.risk,
        "lock": lock,
    }
    return {**{name: getattr(review, name, None) for name in Review.model_fields}, **computed}
