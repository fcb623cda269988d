"""What webhooks tell: the name of every event and the form of its data.

Data are ids, addresses and outcomes, never the text of an article: whoever may read it asks the API.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

EventName = Literal[
    "article.analysed",
    "label.issued",
    "label.disputed",
    "label.superseded",
    "label.revoked",
    "label.review_needed",
    "review.opened",
    "review.decided",
    "review.undone",
    "records.changed",
    "audit.finished",
    "audit.failed",
    "webhook.ping",
]
EVENT_NAMES: Final[tuple[EventName, ...]] = get_args(EventName)


class EventData(BaseModel):
    """What one event tells."""

    model_config = ConfigDict(extra="forbid")


class ArticleAnalysed(EventData):
    """An article was analysed and stored; `GET /v1/articles/{article_id}` has the Analysis."""

    article_id: str = Field(examples=["art_5f0c1d2e3b4a59687786f5e4"])
    url: str | None = Field(description="Address that the caller gave for the article.")
    outlet: str | None
    language: str
    verdict: Literal["likely_ai_unconfirmed", "undetermined"] | None = Field(
        description="Verdict on the origin; null where it was not asked for."
    )
    abstain_reason: str | None
    p_value: float | None
    claims: dict[str, int] = Field(
        description="Check-worthy claims by their status.", examples=[{"matched": 1, "no_match": 3}]
    )


class LabelChanged(EventData):
    """Something happened to a label; `GET /v1/labels/{label_id}` has it."""

    label_id: str = Field(examples=["0b7b2f0e-59b5-4a0e-b0c1-8f4f7b7d2a11"])
    version: int
    status: Literal["draft", "disputed", "active", "superseded", "revoked"]
    state: str = Field(examples=["ai_assisted"])
    url: str | None
    article_id: str | None
    superseded_by: str | None
    review_reasons: list[str] = Field(description="Why a person should look; empty: no need.")


class ReviewOpened(EventData):
    """Somebody has to look at an article or a label; `GET /v1/reviews/{review_id}` says why."""

    review_id: str = Field(examples=["rev_5f0c1d2e3b4a59687786f5e4"])
    article_id: str | None
    label_id: str | None = Field(description="The label that waits for it.")
    url: str | None
    language: str
    kinds: list[str] = Field(examples=[["contradiction", "likely_ai"]])
    risk: float = Field(description="Between 0 and 1, for sorting.")


class ReviewDecided(EventData):
    """A review was decided, or a decision was undone and the review is open again."""

    review_id: str = Field(examples=["rev_5f0c1d2e3b4a59687786f5e4"])
    article_id: str | None
    url: str | None
    outcome: str = Field(description="An involvement of AI, `dismissed` or `not_judged`.")
    label_id: str | None = Field(description="The label that deciding issued, or that undoing revoked.")
    confirmed: int = Field(description="Matches with records that were confirmed.")
    rejected: int


class RecordsChanged(EventData):
    """Verified records were added, corrected or removed, in one transaction."""

    added: list[str] = Field(description="Ids of new records.")
    updated: list[str]
    removed: list[str]


class AuditEnded(EventData):
    """An audit has ended; `GET /v1/audits/{audit_id}` has it, with its results and its report."""

    audit_id: str = Field(examples=["aud_5f0c1d2e3b4a59687786f5e4"])
    kind: Literal["archive", "chat_answers"]
    state: Literal["done", "failed"]
    items: int | None = Field(description="How many items there are; null where they could not be read.")
    done: int = Field(description="How many of them have a result.")
    refused: int = Field(description="How many of these results are errors.")
    error: str | None = Field(description="Why it failed; null where it did not.")


class Ping(EventData):
    """A test that somebody asked for; it says nothing happened."""

    webhook_id: str
    asked_at: AwareDatetime


DATA_OF: Final[dict[EventName, type[EventData]]] = {
    "article.analysed": ArticleAnalysed,
    "label.issued": LabelChanged,
    "label.disputed": LabelChanged,
    "label.superseded": LabelChanged,
    "label.revoked": LabelChanged,
    "label.review_needed": LabelChanged,
    "review.opened": ReviewOpened,
    "review.decided": ReviewDecided,
    "review.undone": ReviewDecided,
    "records.changed": RecordsChanged,
    "audit.finished": AuditEnded,
    "audit.failed": AuditEnded,
    "webhook.ping": Ping,
}
