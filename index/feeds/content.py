"""What every kind of feed yields, and which parser reads which kind."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal, get_args
from urllib.parse import urlsplit, urlunsplit

from pydantic import ValidationError

from index.records import VerifiedRecord
from index.stories import story_key

FeedKind = Literal["claimreview", "syndication", "news-sitemap", "jsonl", "csv", "parquet"]
FEED_KINDS: tuple[FeedKind, ...] = get_args(FeedKind)

MAX_ITEMS = 200_000
"""Items read of one answer; more is refused, never cut silently."""


_BLOCKS = ("p", "br", "div", "li", "tr", "td", "th", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote")


class FeedError(ValueError):
    """The bytes are not a feed of the kind they were said to be; the text says why."""


@dataclass(frozen=True, slots=True)
class FeedSource:
    """Where a feed comes from: fills in what its items do not say. `id` begins the ids of its records."""

    id: str
    url: str | None = None
    publisher: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One item as a parser found it. `identifier` is the publisher's own for it, such as its address."""

    identifier: str
    fields: Mapping[str, Any]
    retracted: bool = False


@dataclass(slots=True)
class FeedContent:
    """The records of one answer, each once; ids of items that the publisher took back; and why items were
    left out, in words.
    """

    records: list[VerifiedRecord] = field(default_factory=list)
    retracted: list[str] = field(default_factory=list)
    rejected: list[str] = field(default_factory=list)
    duplicates: int = 0


def read_feed(content: bytes, kind: FeedKind, source: FeedSource) -> FeedContent:
    """Read one answer. Raises FeedError where it is no feed of this kind; single bad items are left out and
    named.
    """
    # Parsers are imported when they are needed: pyarrow alone takes longer to load than a feed to read.
    from index.feeds import claim_review, news_sitemap, syndication, tables

    parsers: dict[FeedKind, Callable[[bytes], Iterable[Item]]] = {
        "claimreview": claim_review.read,
        "syndication": syndication.read,
        "news-sitemap": news_sitemap.read,
        "jsonl": tables.read_jsonl,
        "csv": tables.read_csv,
        "parquet": tables.read_parquet,
    }
    return collect(parsers[kind](content), source)


def collect(items: Iterable[Item], source: FeedSource) -> FeedContent:
    """Items as records: of one identifier the last counts, of one content the first."""
    found = FeedContent()
    records: dict[str, VerifiedRecord] = {}
    retracted: dict[str, None] = {}
    for number, item in enumerate(items, 1):
        if number > MAX_ITEMS:
            raise FeedError(f"the feed has more than {MAX_ITEMS:,} items")
        record_id = identifier_of(source, item.identifier)
        if item.retracted:
            records.pop(record_id, None)
            retracted[record_id] = None
            continue
        try:
            record = VerifiedRecord.model_validate({**_complete(item.fields, source), "id": record_id})
        except ValidationError as error:
            problem = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, problem["loc"])) or "item"
            found.rejected.append(f"item {number}: {place}: {problem['msg'].removeprefix('Value error, ')}")
            continue
        retracted.pop(record_id, None)
        records[record_id] = record
    seen: set[str] = set()
    for record in records.values():
        key = content_key(record)
        if key in seen:
            found.duplicates += 1
        else:
            seen.add(key)
            found.records.append(record)
    found.retracted = list(retracted)
    return found


def identifier_of(source: FeedSource, identifier: str) -> str:
    """The record id of an item: the same whenever the feed is read again, and unlike those of other feeds."""
    digest = hashlib.sha256(plain_address(identifier).encode("utf-8", "surrogatepass")).hexdigest()[:24]
    return f"{source.id}:{digest}"


def plain_address(address: str) -> str:
    """An address without fragment and tracking parameters; other identifiers as they are."""
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return address.strip()
    if parts.scheme not in ("http", "https"):
        return address.strip()
    query = "&".join(
        pair
        for pair in parts.query.split("&")
        if pair and not pair.lower().startswith(("utm_", "fbclid=", "gclid="))
    )
    return urlunsplit((parts.scheme, parts.netloc.lower(), parts.path, query, ""))


def content_key(record: VerifiedRecord) -> str:
    """Equal for the same claim with the same verdict by the same publisher, wherever it was published."""
    told = "\n".join([story_key(record), record.publisher or "", record.rating or ""])
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()


def moment_text(value: object) -> str | None:
    """A date as records take it: ISO 8601, also out of the form that mail and RSS write; None for others."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if not isinstance(value, str) or not value.strip():
        return None
    text = value.strip()
    for read in (datetime.fromisoformat, _mail_date):
        try:
            moment = read(text)
        except (ValueError, TypeError):
            continue
        return moment.date().isoformat() if len(text) <= 10 else moment.isoformat()
    return None


def _mail_date(text: str) -> datetime:
    from email.utils import parsedate_to_datetime

    return parsedate_to_datetime(text)


def plain_text(markup: str | None) -> str | None:
    """The words of a piece of HTML, or of plain text."""
    if not markup or not markup.strip():
        return None
    if "<" not in markup and "&" not in markup:
        return " ".join(markup.split())
    from lxml import html  # type: ignore[import-untyped]

    try:
        root = html.fragment_fromstring(f"<div>{markup}</div>")
    except (ValueError, html.etree.LxmlError):
        return None
    for hidden in root.xpath(".//script | .//style"):
        hidden.drop_tree()
    for block in root.iter(*_BLOCKS):
        block.tail = f" {block.tail or ''}"
    return " ".join("".join(root.itertext()).split()) or None


def _complete(fields: Mapping[str, Any], source: FeedSource) -> dict[str, Any]:
    told = {name: value for name, value in fields.items() if value is not None}
    for name, value in (("publisher", source.publisher), ("language", source.language)):
        if value is not None:
            told.setdefault(name, value)
    return told
