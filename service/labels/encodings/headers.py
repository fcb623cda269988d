"""HTTP response headers: `AI-Disclosure` (draft-abaris-aicdh-01) and `Link` to the C2PA manifest."""

from __future__ import annotations

from datetime import UTC

from http_sfv.dictionary import Dictionary
from http_sfv.item import Item
from http_sfv.types import Token

from classifiers.provenance.header import HEADER
from classifiers.provenance.html import MANIFEST_RELATION
from service.labels.document import LabelDocument
from service.labels.encodings.marks import Marks


def response_headers(document: LabelDocument, marks: Marks, manifest_url: str | None) -> dict[str, str]:
    """The headers to send with the article. A mixed article has no mode, so it gets no `AI-Disclosure`."""
    headers: dict[str, str] = {}
    if marks.header_mode is not None:
        headers[HEADER] = _disclosure(document, marks)
    if manifest_url is not None:
        headers["Link"] = f'<{manifest_url}>; rel="{MANIFEST_RELATION}"'
    return headers


def _disclosure(document: LabelDocument, marks: Marks) -> str:
    fields: dict[str, str | None] = {}
    system = document.ai_system
    if system is not None and marks.involvement != "none":
        fields["model"] = " ".join(part for part in (system.name, system.version) if part)
        fields["provider"] = system.provider
    if marks.human_review == "reviewed":
        responsible = document.editorial_responsibility
        fields["reviewed-by"] = (
            responsible.name if responsible else document.issuer.name or document.issuer.id
        )
    written = Dictionary()
    # A token stands bare; the same word as a string would be quoted, which the draft does not allow.
    written["mode"] = Item(Token(marks.header_mode))
    for name, value in fields.items():
        if value is not None:
            written[name] = Item(_ascii(value))
    written["date"] = Item(document.issued_at.astimezone(UTC).replace(microsecond=0))
    return str(written)


def _ascii(value: str) -> str:
    """Header strings hold visible ASCII alone; anything else is written as its code point."""
    return "".join(c if " " <= c <= "~" else f"U+{ord(c):04X}" for c in value)
