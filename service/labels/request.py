"""What a caller sends to have content labelled, and the content as labels see it."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from classifiers.provenance import sniff_media_type
from index.records import Text, WebAddress
from index.times import Moment
from service.articles import LANGUAGE_TAG, ArticleInput, read_article
from service.errors import InvalidInput
from service.labels.document import AiSystem, Kind, Responsibility, Segment, Task
from service.labels.encodings.html import without_badge
from service.labels.evidence import DeclaredBy
from service.labels.fingerprint import Fingerprint, fingerprint_text, hash_bytes, hash_text
from service.labels.model import Decision, HumanReview, Involvement
from service.labels.obligations import jurisdictions


def _known_country(code: str) -> str:
    if code not in jurisdictions():
        raise ValueError(f"there are rules for {', '.join(jurisdictions())}")
    return code


def _base64(value: str) -> str:
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("is not base64") from error
    return value


Base64 = Annotated[str, AfterValidator(_base64)]


class ContentInput(BaseModel):
    """Content: exactly one of `text`, `html` and `file`."""

    model_config = ConfigDict(extra="forbid")

    text: str | None = None
    html: str | None = None
    file: Base64 | None = Field(None, description="A picture or document (JPEG, PNG, WebP, PDF), base64.")
    manifest: Base64 | None = Field(None, description="A C2PA manifest that lies beside the content, base64.")


class LabelRequest(ContentInput):
    """Content to label, with what is known about how it was made.

    `article_id` instead of content takes a stored article, with the detector's result.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "text": "Қала әкімдігі жаңа кітапхананың ашылғанын хабарлады.",
                    "url": "https://example.org/kitaphana",
                    "language": "kk",
                    "declared": "assisted",
                    "human_review": "reviewed",
                    "ai_tasks": ["translate"],
                    "jurisdictions": ["KZ"],
                }
            ]
        },
    )

    article_id: str | None = Field(None, max_length=200)
    headers: dict[str, str] = Field(
        default_factory=dict, max_length=100, description="Headers that the page was served with."
    )
    title: Text | None = Field(None, max_length=2_000)
    url: WebAddress | None = None
    language: str | None = Field(None, pattern=LANGUAGE_TAG)
    translation_of: Text | None = Field(
        None, max_length=2_000, description="Label id or address of the original."
    )
    declared: Involvement | bool | None = None
    declared_by: DeclaredBy = "author_declared"
    human_review: HumanReview | None = Field(None, description="As declared.")
    ai_tasks: list[Task] = Field(default_factory=list, max_length=10)
    ai_system: AiSystem | None = None
    segments: list[Segment] = Field(default_factory=list, max_length=500)
    editorial_responsibility: Responsibility | None = None
    decision: Decision | None = None
    jurisdictions: list[Annotated[str, AfterValidator(_known_country)]] | None = Field(
        None,
        max_length=20,
        description="Countries whose rules are weighed; by default those of the settings.",
    )
    public_interest: bool | None = None
    imitates_person_or_unreal_event: bool | None = None
    valid_to: Moment | None = None
    actor: Text = Field("api", min_length=1, max_length=200, description="Who asks, for the history.")


@dataclass(frozen=True, slots=True)
class Content:
    """Content, checked. `text` is its words, None for a picture; `raw` what hashes and manifests bind to."""

    raw: bytes
    text: str | None
    page: str | None
    media_type: str
    kind: Kind
    fingerprint: Fingerprint
    manifest: bytes | None = None


def read_content(given: ContentInput, *, max_chars: int) -> Content:
    """Check content and take its words.

    Raises:
        InvalidInput: none or several of text, html and file, or a file of an unknown type.
        EmptyText, NulCharacter, TextTooLong: see `service.articles.read_article`.
    """
    if sum(value is not None for value in (given.text, given.html, given.file)) != 1:
        raise InvalidInput("Give one of `text`, `html` and `file`.", pointer="#")
    manifest = base64.b64decode(given.manifest) if given.manifest is not None else None
    if given.file is not None:
        return _file(base64.b64decode(given.file), manifest)
    if given.text is not None:
        text = read_article(ArticleInput(text=given.text), max_chars=max_chars).text
        found = fingerprint_text(text)
        return Content(text.encode("utf-8"), text, None, "text/plain", "text", found, manifest)
    assert given.html is not None
    words = read_article(ArticleInput(html=without_badge(given.html)), max_chars=max_chars).text
    raw = given.html.encode("utf-8")
    found = Fingerprint(exact=hash_bytes(raw), text=hash_text(words))
    return Content(raw, words, given.html, "text/html", "text", found, manifest)


def _file(raw: bytes, manifest: bytes | None) -> Content:
    media_type = sniff_media_type(raw)
    if media_type is None:
        raise InvalidInput("The file is none of JPEG, PNG, WebP and PDF.", pointer="#/file")
    kind: Literal["text", "image"] = "text" if media_type == "application/pdf" else "image"
    found = Fingerprint(exact=hash_bytes(raw), text=None)
    return Content(raw, None, None, media_type, kind, found, manifest)
