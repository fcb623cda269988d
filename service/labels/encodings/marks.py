"""One label in the values of every vocabulary that we write. Pure.

| involvement, reviewed | IPTC | W3C draft (2026-09) | IETF mode | C2PA oversight |
|---|---|---|---|---|
| generated, no | trainedAlgorithmicMedia | ai-autonomous | machine-generated | prompt_guided |
| generated, yes | trainedAlgorithmicMedia | ai-assisted | ai-originated | human_validated |
| assisted, yes | compositeWithTrainedAlgorithmicMedia | ai-assisted | ai-modified | human_validated |
| assisted, no | compositeWithTrainedAlgorithmicMedia | ai-autonomous | ai-modified | prompt_guided |
| mixed | compositeSynthetic | by element | – | by review |
| none | digitalCreation | human-only | none | – |

A review that is not known is not claimed: the W3C value, which always speaks of it, is then left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from classifiers.provenance.vocabularies import SOURCE_TYPES, SourceType
from service.labels.document import LabelDocument
from service.labels.model import HumanReview, Involvement, Status, may_be_marked

_SOURCE_TYPES: Final[dict[Involvement, str]] = {
    "none": "digitalCreation",
    "assisted": "compositeWithTrainedAlgorithmicMedia",
    "generated": "trainedAlgorithmicMedia",
    "mixed": "compositeSynthetic",
}
_OVERSIGHT: Final[dict[HumanReview, str]] = {"reviewed": "human_validated", "none": "prompt_guided"}


@dataclass(frozen=True, slots=True)
class Marks:
    """The values to write; None: this vocabulary has nothing to say."""

    label_id: str
    involvement: Involvement
    human_review: HumanReview
    source_type: SourceType
    disclosure: str | None
    header_mode: str | None
    oversight: str | None


def marks_of(document: LabelDocument, status: Status) -> Marks | None:
    """The marks of a label; None for one that must not be marked."""
    if not may_be_marked(document.state, status) or document.involvement not in _SOURCE_TYPES:
        return None
    return Marks(
        label_id=document.label_id,
        involvement=document.involvement,
        human_review=document.human_review,
        source_type=SOURCE_TYPES[_SOURCE_TYPES[document.involvement]],
        disclosure=disclosure_of(document.involvement, document.human_review),
        header_mode=_header_mode(document.involvement, document.human_review),
        oversight=None if document.involvement == "none" else _OVERSIGHT.get(document.human_review),
    )


def disclosure_of(involvement: Involvement, review: HumanReview) -> str | None:
    """The W3C draft's value for a whole page or one element."""
    if involvement == "none":
        return "human-only"
    if involvement in ("mixed", "unknown"):
        return None
    return {"reviewed": "ai-assisted", "none": "ai-autonomous"}.get(review)


def _header_mode(involvement: Involvement, review: HumanReview) -> str | None:
    match involvement:
        case "none":
            return "none"
        case "assisted":
            return "ai-modified"
        case "generated":
            return "machine-generated" if review == "none" else "ai-originated"
    return None
