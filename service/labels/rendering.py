"""A label for people and programs: badge and QR code as SVG, and every encoding at once."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from html import escape
from typing import Any

import segno
from pydantic import BaseModel, Field

from service.labels.document import LabelDocument
from service.labels.encodings import headers, html, linked_data, ninjs, xmp
from service.labels.encodings.marks import marks_of
from service.labels.issuing import LabelDesk, document_of
from service.labels.wording import badge, best_locale, sentence
from service.store.labels import StoredLabel

_CHARACTER_WIDTH = 7.4
_PADDING = 12


class HtmlMarks(BaseModel):
    """The parts of a labelled page, for templates that put them in place themselves."""

    badge: str
    meta: str | None
    attribute: str | None
    link: str


class Encodings(BaseModel):
    """One label in every form."""

    html: HtmlMarks
    jsonld: dict[str, Any]
    ninjs: dict[str, Any]
    xmp: str
    headers: dict[str, str] = Field(description="Response headers to send with the article.")


def encodings_of(desk: LabelDesk, label: StoredLabel) -> Encodings | None:
    """Everything to write; None for a label that must not be marked."""
    document = document_of(label)
    marks = marks_of(document, label.status_at(datetime.now(UTC)))
    if marks is None:
        return None
    locale = best_locale([label.language or ""])
    credit = sentence(label.state, label.human_review, locale)
    line = badge(label.state, label.human_review, locale)
    manifest_url = desk.manifest_url(label.id)
    return Encodings(
        html=HtmlMarks(
            badge=html.badge_html(marks.label_id, line, locale, desk.page_url(label.id)),
            meta=f'<meta name="ai-disclosure" content="{marks.disclosure}">' if marks.disclosure else None,
            attribute=f'ai-disclosure="{marks.disclosure}"' if marks.disclosure else None,
            link=f'<link rel="c2pa-manifest" href="{escape(manifest_url)}" type="application/c2pa">',
        ),
        jsonld=linked_data.article_jsonld(document, marks, credit),
        ninjs=ninjs.ninjs_item(document, marks, credit),
        xmp=xmp.xmp_packet(document, marks).decode("utf-8"),
        headers=headers.response_headers(document, marks, manifest_url),
    )


def badge_svg(document: LabelDocument, locale: str) -> str:
    """The one line as a picture, for places that take no HTML."""
    text = badge(document.state, document.human_review, locale)
    width = round(len(text) * _CHARACTER_WIDTH + 2 * _PADDING)
    shown = escape(text)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="28" viewBox="0 0 {width} 28" '
        f'role="img" xml:lang="{locale}"><title>{shown}</title>'
        f'<rect x=".5" y=".5" width="{width - 1}" height="27" rx="6" fill="#fff" stroke="#1f2937"/>'
        f'<text x="{width / 2}" y="19" font-family="system-ui, Noto Sans, Arial, sans-serif" font-size="13" '
        f'text-anchor="middle" textLength="{width - 2 * _PADDING}" lengthAdjust="spacingAndGlyphs" '
        f'fill="#1f2937">{shown}</text></svg>'
    )


def qr_svg(address: str) -> str:
    """A QR code of an address."""
    out = io.BytesIO()
    segno.make(address, error="m").save(out, kind="svg", scale=4, border=4, light="#fff", xmldecl=False)
    return out.getvalue().decode("utf-8")
