"""Input lines of the commands that look claims up."""

from __future__ import annotations

from pydantic import BaseModel, Field

from index.records import Text
from index.times import Moment
from service.articles import LANGUAGE_TAG


class QueryLine(BaseModel):
    """A line of `tamga index match`."""

    text: Text = Field(min_length=1)
    language: str | None = Field(None, pattern=LANGUAGE_TAG)
    published_at: Moment | None = None


class PairLine(BaseModel):
    """A line of `tamga compare`."""

    claim: Text = Field(min_length=1)
    evidence: Text = Field(min_length=1)
    language: str | None = Field(None, pattern=LANGUAGE_TAG)
    evidence_language: str | None = Field(None, pattern=LANGUAGE_TAG)
