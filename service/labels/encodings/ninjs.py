"""ninjs 3.1, the IPTC's JSON for news items."""

from __future__ import annotations

from typing import Any, Final

from service.labels.document import LabelDocument
from service.labels.encodings.marks import Marks

STANDARD: Final = {
    "name": "ninjs",
    "version": "3.1",
    "schema": "https://www.iptc.org/std/ninjs/ninjs-schema_3.1.json",
}
_TYPES: Final = {"text": "text", "image": "picture", "audio": "audio", "video": "video"}


def ninjs_item(document: LabelDocument, marks: Marks, credit: str) -> dict[str, Any]:
    """The label as a ninjs item to merge into the CMS's own: source type, and the label among the alternative
    identifiers.
    """
    subject = document.subject
    found: dict[str, Any] = {
        "uri": subject.url or marks.label_id,
        "standard": dict(STANDARD),
        "type": _TYPES[subject.kind],
        "language": subject.lang,
        "digitalSourceType": {"name": marks.source_type.name, "uri": marks.source_type.uri},
        "altIds": [{"role": "ai-label", "value": marks.label_id}],
        "headlines": [{"value": subject.title}] if subject.title else None,
        "usageTerms": credit,
    }
    return {name: value for name, value in found.items() if value is not None}
