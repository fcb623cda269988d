"""The label as it is signed: what it says, about which content, on which evidence.

The document never changes once it is signed. What happens to it later (superseded, revoked) is in its
history, which the issuer keeps.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal

import rfc8785
from pydantic import BaseModel, ConfigDict, Field

from service.labels.model import Basis, Conflict, Evidence, HumanReview, Involvement, State
from service.labels.obligations import Obligation

SCHEMA: Final = "tamga-ai-label/1"
URN_PREFIX: Final = "urn:uuid:"

Task = Literal["draft", "edit", "translate", "summarise", "headline", "transcribe", "image"]
Kind = Literal["text", "image", "audio", "video"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Issuer(_Part):
    """Who signs: the newsroom that runs this service."""

    id: str
    name: str | None = None


class Segment(_Part):
    """A part of the content with an involvement of its own: code points of the text, or an element's id."""

    start: int | None = Field(None, ge=0)
    end: int | None = Field(None, ge=0)
    element_id: str | None = Field(None, max_length=200)
    involvement: Involvement


class Subject(_Part):
    """The content that the label is about."""

    url: str | None = None
    article_id: str | None = None
    title: str | None = None
    lang: str | None = None
    translation_of: str | None = Field(None, description="Label id or address of the original.")
    media_type: str
    kind: Kind
    hash_exact: str
    hash_text_v1: str | None = None
    segments: list[Segment] = Field(default_factory=list)


class AiSystem(_Part):
    """The system that took part, as far as it is known."""

    name: str = Field(min_length=1, max_length=200)
    provider: str | None = Field(None, max_length=200)
    version: str | None = Field(None, max_length=100)


class Responsibility(_Part):
    """Who answers for the publication."""

    name: str = Field(min_length=1, max_length=200)
    role: str | None = Field(None, max_length=200)


class LabelDocument(_Part):
    """Everything that is signed."""

    schema_: Literal["tamga-ai-label/1"] = Field(SCHEMA, alias="schema")
    label_id: str
    version: int = Field(ge=1)
    supersedes: str | None = None
    issuer: Issuer
    subject: Subject
    involvement: Involvement
    ai_tasks: list[Task] = Field(default_factory=list)
    human_review: HumanReview
    editorial_responsibility: Responsibility | None = None
    state: State
    basis: Basis
    decided_by: str | None = Field(None, description="The reviewer, where one decided.")
    decision_reason: str | None = None
    evidence: list[Evidence] = Field(default_factory=list)
    conflict: Conflict | None = None
    ai_system: AiSystem | None = None
    obligations: list[Obligation] = Field(default_factory=list)
    issued_at: datetime
    valid_to: datetime | None = None
    prev_event_hash: str | None = Field(
        None, description="Last event of the label that this one supersedes: the histories are linked."
    )

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values, absent ones left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    def canonical(self) -> bytes:
        """The bytes that are signed (RFC 8785)."""
        return rfc8785.dumps(self.as_json())
