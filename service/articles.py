"""An article as callers send it, and as the analysis reads it.

`ArticleInput` is the form on the wire (HTTP body, audit line); `read_article` checks it, takes the text out
of HTML and returns a `Submission` whose text is what all offsets refer to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from classifiers.text import TextError, extract_html
from index.records import Text, WebAddress
from index.times import Moment
from service.errors import EmptyText, InvalidInput, NulCharacter, TextTooLong

Involvement = Literal["none", "assisted", "generated", "mixed"]

# BCP 47 in the part we need: a language, perhaps a script or region after it ("uz-Cyrl", "zh-Hans-CN").
LANGUAGE_TAG = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$"

_SURROGATE = re.compile("[\ud800-\udfff]")


class ArticleInput(BaseModel):
    """One article: `text` or `html`, and what the caller knows about it."""

    model_config = ConfigDict(extra="ignore")

    text: str | None = Field(
        None, description="Plain text. All offsets of the answer count its Unicode code points."
    )
    html: str | None = Field(None, description="A page instead; the answer then holds the extracted `text`.")
    title: Text | None = Field(None, max_length=2_000)
    outlet: Text | None = Field(
        None, max_length=500, description="Name of the outlet; the detector does not see it."
    )
    url: WebAddress | None = Field(None, description="Kept with the article; never fetched.")
    published_at: Moment | None = Field(None, description="ISO 8601 date or date-time.")
    language: str | None = Field(
        None,
        pattern=LANGUAGE_TAG,
        description="Language as a BCP 47 tag if it is known; identified from the text otherwise.",
        examples=["kk"],
    )
    declared: Involvement | bool | None = Field(
        None,
        description="What the author or the CMS declares about AI: true/false, or how far it was involved.",
    )


@dataclass(frozen=True, slots=True)
class Submission:
    """A checked input. `text` is non-empty and is the text that offsets count in; `page` is its HTML."""

    text: str
    from_html: bool
    title: str | None
    outlet: str | None
    url: str | None
    published_at: date | datetime | None
    language_hint: str | None
    declared: Involvement | bool | None
    page: str | None = None


def _check(text: str, pointer: str, max_chars: int) -> None:
    if len(text) > max_chars:
        detail = f"The text has {len(text):,} characters; the limit is {max_chars:,}."
        raise TextTooLong(detail, pointer=pointer)
    _check_characters(text, pointer)
    if not any(character.isalnum() for character in text):
        raise EmptyText("The text holds no letters or digits.", pointer=pointer)


def _check_characters(text: str, pointer: str) -> None:
    nul = text.find("\0")
    if nul >= 0:
        raise NulCharacter(f"NUL character at offset {nul}; remove it before sending.", pointer=pointer)
    surrogate = _SURROGATE.search(text)
    if surrogate is not None:
        # JSON can spell half a character ("\\ud800"); no file, database or hash can hold it.
        raise InvalidInput(f"Unpaired surrogate at offset {surrogate.start()}.", pointer=pointer)


def read_article(source: ArticleInput, *, max_chars: int) -> Submission:
    """Check an input and take the text out of its HTML.

    Metadata that the caller gives win over what the page says.

    Raises:
        InvalidInput: neither or both of text and html.
        EmptyText, NulCharacter, TextTooLong: see their titles.
    """
    if (source.text is None) == (source.html is None):
        raise InvalidInput("Give either `text` or `html`.", pointer="#")
    if source.text is not None:
        _check(source.text, "#/text", max_chars)
        return Submission(
            text=source.text,
            from_html=False,
            title=source.title,
            outlet=source.outlet,
            url=source.url,
            published_at=source.published_at,
            language_hint=source.language,
            declared=source.declared,
        )
    assert source.html is not None
    _check_characters(source.html, "#/html")
    try:
        page = extract_html(source.html)
    except TextError as error:
        raise EmptyText(str(error), pointer="#/html") from error
    _check(page.text, "#/html", max_chars)
    return Submission(
        text=page.text,
        from_html=True,
        title=source.title or page.title,
        outlet=source.outlet or page.outlet,
        url=source.url,
        published_at=source.published_at or page.published_at,
        # Not the page's own word: templates say "en" or "ru" over articles in every language.
        language_hint=source.language,
        declared=source.declared,
        page=source.html,
    )
