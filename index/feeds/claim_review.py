"""ClaimReview of schema.org: JSON-LD in the pages of fact-checkers, and dumps of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from index.feeds.content import FeedError, Item, moment_text, plain_text
from index.ratings import NormalisedRating

_MAX_DEPTH = 60
_TAKEN_BACK = ("retracted", "withdrawn", "removed")

# Where a number stands between the worst and the best of its scale, from this share on.
_SCALE: tuple[tuple[float, NormalisedRating], ...] = (
    (0.95, "true"), (0.7, "mostly_true"), (0.4, "mixed"), (0.1, "mostly_false"), (0.0, "false"),
)  # fmt: skip


def read(content: bytes) -> Iterator[Item]:
    """The reviews in a page, or in a JSON document of any nesting, such as the data feed of a dump.

    Raises FeedError where the bytes are neither.
    """
    text = content.decode("utf-8-sig", "replace").strip()
    documents = [_parsed(text)] if text[:1] in ("{", "[") else _in_page(content)
    reviews = [review for document in documents for review in _reviews(document, 0)]
    claims_at: dict[str, int] = {}
    for review in reviews:
        address = _text(review.get("url")) or _text(review.get("@id")) or ""
        claims_at[address] = claims_at.get(address, 0) + 1
    for review in reviews:
        yield _item(review, claims_at)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise FeedError(f"not JSON: {error}") from error


def _in_page(content: bytes) -> list[Any]:
    from lxml import html  # type: ignore[import-untyped]

    if not content.strip():
        raise FeedError("the page is empty")
    try:
        root = html.document_fromstring(content)
    except (ValueError, html.etree.LxmlError) as error:
        raise FeedError(f"neither JSON nor a page: {error}") from error
    documents = []
    for script in root.xpath("//script[contains(@type, 'ld+json')]"):
        try:
            # Publishers break lines within strings, which strict JSON forbids.
            documents.append(json.loads(script.text or "", strict=False))
        except (json.JSONDecodeError, RecursionError):  # one broken block must not hide the others
            continue
    return documents


def _reviews(node: Any, depth: int) -> Iterator[dict[str, Any]]:
    if depth > _MAX_DEPTH:
        raise FeedError("nested too deeply")
    if isinstance(node, list):
        for item in node:
            yield from _reviews(item, depth + 1)
    elif isinstance(node, dict):
        if "ClaimReview" in _list(node.get("@type")):
            yield node
        else:
            for value in node.values():
                if isinstance(value, dict | list):
                    yield from _reviews(value, depth + 1)


def _item(review: dict[str, Any], claims_at: dict[str, int]) -> Item:
    claim = plain_text(_text(review.get("claimReviewed")))
    address = _text(review.get("url")) or _text(review.get("@id")) or ""
    # A page with one review keeps its id when the claim is reworded; of several, the claim tells which.
    identifier = address if address and claims_at[address] == 1 else f"{claim} ({address})"
    rating, normalised = _rating(_first(review.get("reviewRating")))
    author = _first(review.get("author")) or _first(review.get("publisher"))
    fields = {
        "claim": claim,
        "title": plain_text(_text(review.get("headline")) or _text(review.get("name"))),
        "text": plain_text(_text(review.get("reviewBody"))),
        "url": _text(review.get("url")),
        "publisher": _name(author),
        "published_at": moment_text(review.get("dateModified")) or moment_text(review.get("datePublished")),
        "rating": rating,
        "rating_normalised": normalised,
        "language": _text(review.get("inLanguage")),
    }
    status = (_text(review.get("creativeWorkStatus")) or "").casefold()
    return Item(identifier, fields, retracted=status in _TAKEN_BACK)


def _rating(rating: Any) -> tuple[str | None, NormalisedRating | None]:
    """The rating in the publisher's words, a number as it stands on its scale; and that number's meaning."""
    if not isinstance(rating, dict):
        return _text(rating), None
    words = _text(rating.get("alternateName")) or _text(rating.get("name"))
    value, best, worst = (_number(rating.get(name)) for name in ("ratingValue", "bestRating", "worstRating"))
    if value is None or best is None or worst is None or best <= worst or not worst <= value <= best:
        return words, None
    share = (value - worst) / (best - worst)
    meaning = next(name for least, name in _SCALE if share >= least)
    return words or f"{value:g} / {best:g}", None if words else meaning


def _number(value: Any) -> float | None:
    try:
        number = float(str(value).replace(",", "."))
    except ValueError:
        return None
    return number if abs(number) < 1e6 else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value


def _name(value: Any) -> str | None:
    return _text(value.get("name")) if isinstance(value, dict) else _text(value)


def _text(value: Any) -> str | None:
    value = _first(value)
    if isinstance(value, dict):
        value = value.get("@value") or value.get("alternateName") or value.get("name")
    return value.strip() or None if isinstance(value, str) else None
