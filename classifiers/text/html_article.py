"""An HTML page to its article: text without navigation, and what the page says about itself. Done by
trafilatura."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from datetime import date

import trafilatura
from lxml.etree import ParserError  # type: ignore[import-untyped]
from lxml.html import fromstring  # type: ignore[import-untyped]
from trafilatura.settings import Document

from classifiers.text.errors import NoTextFoundError

_LOG = logging.getLogger(__name__)
# Control characters, unpaired surrogates and noncharacters, of broken decoding; the parser refuses pages that
# hold them.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LANGUAGE = re.compile(r"<html\b[^>]{0,1000}?\slang\s*=\s*[\"']?([A-Za-z]{2,3})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HtmlArticle:
    """The article of a page. ``text`` has paragraphs on lines of their own; what the page does not say is
    ``None``.

    ``language`` is the page's own declaration (``<html lang>``), as a bare code such as "kk".
    """

    text: str
    title: str | None
    published_at: date | None
    outlet: str | None
    language: str | None


def extract_html(html: str) -> HtmlArticle:
    """Extract the article of an HTML page, well-formed or not.

    Raises ``NoTextFoundError`` when the page holds no readable text.
    """
    page = _NOT_XML.sub("", html)
    document = _extract(page)
    text = ((document.text if document else None) or _all_text(page)).strip()
    if not any(character.isalnum() for character in text):
        raise NoTextFoundError("The HTML page holds no readable article text.")
    return HtmlArticle(
        text=text,
        title=_clean(document.title if document else None),
        published_at=_date(document.date if document else None),
        outlet=_clean(document.sitename if document else None),
        language=_declared_language(page),
    )


def _extract(page: str) -> Document | None:
    try:
        document = trafilatura.bare_extraction(page, with_metadata=True, include_comments=False)
    except Exception as error:
        # Pages of strangers find new ways to be broken; the plain text of the page is still to be had.
        _LOG.info("Article extraction failed on a malformed page: %s", error)
        return None
    return document if isinstance(document, Document) else None


def _all_text(page: str) -> str:
    """The text of the whole page, block by block: for pages too short or too broken to find an article in."""
    try:
        root = fromstring(f"<div>{page}</div>" if "<body" not in page.lower() else page)
    except (ParserError, ValueError) as error:
        _LOG.info("Reading a malformed page as text failed: %s", error)
        return ""
    for element in list(root.iter("script", "style", "template", "noscript", "head")):
        element.drop_tree()
    for element in root.iter(
        "p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "blockquote", "section", "article"
    ):
        element.tail = "\n" + (element.tail or "")
        if element.tag != "br":
            element.text = "\n" + (element.text or "")
    lines = (" ".join(line.split()) for line in str(root.text_content()).splitlines())
    return "\n".join(line for line in lines if line)


def _clean(value: str | None) -> str | None:
    stripped = (value or "").strip()
    return stripped or None


def _date(value: str | None) -> date | None:
    try:
        return date.fromisoformat((value or "")[:10])
    except ValueError:
        return None


def _declared_language(page: str) -> str | None:
    match = _LANGUAGE.search(page[:20_000])
    return match.group(1).lower() if match else None
