"""RSS and Atom of outlets that the newsroom trusts: each entry is a statement of fact by its headline."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from time import struct_time
from typing import Any

from index.feeds.content import FeedError, Item, plain_text
from index.feeds.xml import parse_xml

_TOMBSTONE = "{http://purl.org/atompub/tombstones/1.0}deleted-entry"


def read(content: bytes) -> Iterator[Item]:
    """The entries, and the ids of deleted ones (RFC 6721). Raises FeedError for what is no feed."""
    import feedparser  # type: ignore[import-untyped]

    parsed = feedparser.parse(content, sanitize_html=True, resolve_relative_uris=False)
    if not parsed.get("version"):
        reason = parsed.get("bozo_exception")
        raise FeedError(f"neither RSS nor Atom{f': {reason}' if reason else ''}")
    publisher = plain_text(parsed.feed.get("title"))
    language = parsed.feed.get("language")
    for entry in parsed.entries:
        address = entry.get("link")
        identifier = entry.get("id") or address or entry.get("title") or ""
        yield Item(
            identifier,
            {
                "claim": plain_text(entry.get("title")) or plain_text(entry.get("summary")),
                "text": _body(entry),
                "url": address,
                "publisher": publisher,
                "published_at": _moment(entry.get("updated_parsed") or entry.get("published_parsed")),
                "language": entry.get("language") or language,
            },
        )
    for deleted in parse_xml(content).iter(_TOMBSTONE):
        if deleted.get("ref"):
            yield Item(str(deleted.get("ref")), {}, retracted=True)


def _body(entry: Any) -> str | None:
    whole = [plain_text(part.get("value")) for part in entry.get("content") or []]
    return max(filter(None, whole), key=len, default=None) or plain_text(entry.get("summary"))


def _moment(parsed: struct_time | None) -> str | None:
    return None if parsed is None else datetime(*parsed[:6], tzinfo=UTC).isoformat()
