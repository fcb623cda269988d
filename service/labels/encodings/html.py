"""A page with its label: visible badge, `ai-disclosure` meta element and attribute, JSON-LD, manifest link.

The page is changed in these places alone and is otherwise left byte for byte as it came. Everything we write
carries `data-ai-label`, so that a later label takes its place.
"""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any, Final

from classifiers.provenance.html import LABEL_ATTRIBUTE, MANIFEST_RELATION, MANIFEST_TYPE
from service.labels.document import Segment
from service.labels.encodings.marks import Marks, disclosure_of

_OWN: Final = re.compile(
    rf"\n?<(aside|script)\b[^>]*\s{LABEL_ATTRIBUTE}=[^>]*>.*?</\1>|\n?<(?:meta|link)\b[^>]*\s{LABEL_ATTRIBUTE}=[^>]*>",
    re.IGNORECASE | re.DOTALL,
)
# Other disclosures of the same page would contradict ours: the first meta element counts, and a page may name
# one manifest only.
_OTHERS: Final = re.compile(
    r"\n?<meta\b[^>]*\sname\s*=\s*[\"']?ai-disclosure\b[^>]*>"
    rf"|\n?<link\b[^>]*\srel\s*=\s*[\"']?{MANIFEST_RELATION}\b[^>]*>",
    re.IGNORECASE,
)
_ATTRIBUTES: Final = re.compile(r"\s(?:data-)?ai-disclosure=(?:\"[^\"]*\"|'[^']*'|[^\s>]+)", re.IGNORECASE)
_HEAD_END: Final = re.compile(r"</head\s*>", re.IGNORECASE)
_BODY: Final = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
_ROOT: Final = re.compile(r"<(article|main|body)\b[^>]*>", re.IGNORECASE)


def badge_html(label_id: str, text: str, language: str, page_url: str) -> str:
    """The visible notice: one line and a link to the reader page."""
    return (
        f'<aside role="note" class="ai-label" lang="{escape(language)}"'
        f' {LABEL_ATTRIBUTE}="{escape(label_id)}">'
        f'<a href="{escape(page_url)}">{escape(text)}</a></aside>'
    )


def embed(
    page: str,
    marks: Marks,
    *,
    badge: str,
    jsonld: dict[str, Any],
    manifest_url: str | None,
    segments: list[Segment],
) -> str:
    """The page with the label written into it."""
    page = strip(page)
    own = f'{LABEL_ATTRIBUTE}="{escape(marks.label_id)}"'
    # "<" cannot end a script element once it is escaped.
    linked = json.dumps(jsonld, ensure_ascii=False).replace("<", "\\u003c")
    head = [f'<script type="application/ld+json" {own}>{linked}</script>']
    if marks.disclosure is not None:
        head.insert(0, f'<meta name="ai-disclosure" content="{marks.disclosure}" {own}>')
    if manifest_url is not None:
        link = f'rel="{MANIFEST_RELATION}" href="{escape(manifest_url)}" type="{MANIFEST_TYPE}"'
        head.append(f"<link {link} {own}>")
    page = _into_head(page, "\n".join(head))
    root = _article(page)
    if root is None:
        return f"{badge}\n{page}"
    opening = root.group()
    if marks.disclosure is not None:
        opening = _with_disclosure(opening, marks.disclosure)
    page = f"{page[: root.start()]}{opening}\n{badge}{page[root.end() :]}"
    for segment in segments:
        value = disclosure_of(segment.involvement, marks.human_review)
        if segment.element_id is not None and value is not None:
            page = _mark_element(page, segment.element_id, value)
    return page


def strip(page: str) -> str:
    """The page without labels: ours, and disclosures of others that ours would contradict."""
    return _ATTRIBUTES.sub("", _OTHERS.sub("", _OWN.sub("", page)))


def without_badge(page: str) -> str:
    """The page without what we wrote, to read the article as it was before."""
    return _OWN.sub("", page)


def _into_head(page: str, elements: str) -> str:
    end = _HEAD_END.search(page)
    if end is not None:
        return f"{page[: end.start()]}{elements}\n{page[end.start() :]}"
    body = _BODY.search(page)
    if body is not None:
        return f"{page[: body.start()]}<head>{elements}</head>\n{page[body.start() :]}"
    # A fragment of a page: whoever puts it into one gets the elements at its top.
    return f"{elements}\n{page}"


def _article(page: str) -> re.Match[str] | None:
    """The opening tag of the first article, else of main, else of body."""
    found = {match.group(1).lower(): match for match in reversed(list(_ROOT.finditer(page)))}
    return found.get("article") or found.get("main") or found.get("body")


def _with_disclosure(tag: str, value: str) -> str:
    return f'{tag[:-1].rstrip("/")} ai-disclosure="{value}" data-ai-disclosure="{value}">'


def _mark_element(page: str, element_id: str, value: str) -> str:
    pattern = re.compile(
        rf"<[a-z][a-z0-9-]*\b[^>]*\sid=([\"']?){re.escape(element_id)}\1(?=[\s>])[^>]*>", re.I
    )
    match = pattern.search(page)
    if match is None:
        return page
    return f"{page[: match.start()]}{_with_disclosure(match.group(), value)}{page[match.end() :]}"
