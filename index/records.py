"""The verified record: one published check or statement of fact, shaped after schema.org ClaimReview."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import date, datetime
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from index.ratings import NormalisedRating, normalise_rating
from index.times import Moment, end_of, start_of

MAX_RECORD_TEXT = 200_000
"""Characters of a record's text; more is refused, never cut silently."""

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8})*")


def _storable(value: str) -> str:
    # PostgreSQL has no NUL in texts, and would say so only when it is stored.
    place = value.find("\x00")
    if place >= 0:
        raise ValueError(f"holds a NUL character at position {place}")
    return value


def _web_address(value: str) -> str:
    # The address becomes a link on pages: only the two schemes that cannot run a script.
    try:
        parts = urlsplit(value)
    except ValueError as error:
        raise ValueError(f"is not a web address: {error}") from error
    if parts.scheme.lower() not in ("http", "https") or not parts.netloc or re.search(r"\s", value):
        raise ValueError("must be an http or https address")
    return value


Text = Annotated[str, AfterValidator(_storable)]
WebAddress = Annotated[str, Field(max_length=2_000), AfterValidator(_storable), AfterValidator(_web_address)]


def language_code(value: str | None) -> str | None:
    """A lower-case BCP 47 tag; ValueError for what is not one."""
    if value is None or not value.strip():
        return None
    code = value.strip().replace("_", "-").lower()
    if not _LANGUAGE.fullmatch(code):
        raise ValueError(f"is not a language tag such as kk or ru: {value[:40]!r}")
    return code


class VerifiedRecord(BaseModel):
    """One verified statement with its source.

    `rating` is the publisher's own wording and is never changed; `rating_normalised` is read from it when it
    is not given. `valid_from` and `valid_to` bound the time in which the statement holds (a `valid_to` day
    counts whole); `superseded_by` names the record that replaces this one. Unknown input fields are ignored,
    since records come from feeds that carry more than is needed here.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True)

    id: Text = Field(
        min_length=1, max_length=200, description="The caller's own identifier, unique in the index"
    )
    claim: Text = Field(
        min_length=1,
        max_length=10_000,
        description="The statement that was checked, as one or a few sentences",
    )
    title: Text | None = Field(None, max_length=2_000, description="Headline of the publication")
    text: Text | None = Field(None, max_length=MAX_RECORD_TEXT, description="Body of the publication")
    url: WebAddress | None = Field(None, description="Where it was published")
    publisher: Text | None = Field(None, max_length=500, description="Who published it")
    published_at: Moment | None = Field(None, description="When it was published, ISO 8601")
    rating: Text | None = Field(None, max_length=1_000, description="The publisher's rating, verbatim")
    rating_normalised: NormalisedRating | None = Field(
        None, description="The rating on one scale, where known"
    )
    language: str | None = Field(None, max_length=35, description="Language tag of the claim, such as kk")
    valid_from: Moment | None = Field(None, description="The statement holds from this day or moment on")
    valid_to: Moment | None = Field(
        None, description="The statement holds up to this day (included) or moment"
    )
    superseded_by: Text | None = Field(
        None, min_length=1, max_length=200, description="Id of the record replacing this one"
    )
    sample: bool = Field(False, description="True for the demonstration records that come with Tamga")

    @field_validator(
        "title", "text", "url", "publisher", "rating", "published_at", "valid_from", "valid_to", mode="before"
    )
    @classmethod
    def _blank_is_absent(cls, value: object, info: ValidationInfo) -> object:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("language", mode="after")
    @classmethod
    def _language(cls, value: str | None) -> str | None:
        return language_code(value)

    @model_validator(mode="before")
    @classmethod
    def _read_rating(cls, data: object) -> object:
        if (
            isinstance(data, dict)
            and data.get("rating_normalised") is None
            and isinstance(data.get("rating"), str)
        ):
            return {**data, "rating_normalised": normalise_rating(data["rating"])}
        return data

    @model_validator(mode="after")
    def _times_in_order(self) -> Self:
        if (
            self.valid_from is not None
            and self.valid_to is not None
            and start_of(self.valid_from) > end_of(self.valid_to)
        ):
            raise ValueError("valid_to lies before valid_from")
        if self.superseded_by == self.id:
            raise ValueError("superseded_by names the record itself")
        return self

    def valid_at(self, moment: date | datetime) -> bool:
        """Whether the statement holds on a day (at any time of it) or at a moment."""
        if self.valid_from is not None and end_of(moment) < start_of(self.valid_from):
            return False
        return self.valid_to is None or start_of(moment) <= end_of(self.valid_to)

    @property
    def content_hash(self) -> str:
        """SHA-256 over every field: two records with the same hash are the same record."""
        return content_hash(self)


def content_hash(model: BaseModel) -> str:
    """SHA-256 of a model's JSON form with sorted keys, hexadecimal."""
    encoded = json.dumps(model.model_dump(mode="json"), ensure_ascii=False, sort_keys=True).encode()
    return hashlib.sha256(encoded).hexdigest()
