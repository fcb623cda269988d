"""schema.org JSON-LD: the label on the article, and a reviewed claim as ClaimReview."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

from classifiers.provenance.html import LABEL_PROPERTY
from classifiers.provenance.vocabularies import schema_org_value
from service.labels.document import LabelDocument
from service.labels.encodings.marks import Marks

CONTEXT: Final = "https://schema.org"
_TYPES: Final = {
    "text": "NewsArticle",
    "image": "ImageObject",
    "audio": "AudioObject",
    "video": "VideoObject",
}


def article_jsonld(document: LabelDocument, marks: Marks, credit: str) -> dict[str, Any]:
    """The label as a schema.org object; `credit` is the sentence that readers see."""
    subject = document.subject
    found = {
        "@context": CONTEXT,
        "@type": _TYPES[subject.kind],
        "@id": subject.url,
        "url": subject.url,
        "headline": subject.title,
        "inLanguage": subject.lang,
        "digitalSourceType": schema_org_value(marks.source_type),
        "creditText": credit,
        "identifier": {
            "@type": "PropertyValue",
            "propertyID": LABEL_PROPERTY,
            "value": marks.label_id,
        },
    }
    return {name: value for name, value in found.items() if value is not None}


def claim_review_jsonld(
    *,
    claim: str,
    rating: str,
    review_url: str,
    publisher: str,
    reviewed_on: date | datetime,
    claim_url: str | None = None,
    claim_author: str | None = None,
    language: str | None = None,
    label_id: str | None = None,
) -> dict[str, Any]:
    """A claim that a person reviewed, as ClaimReview. `rating` is the publisher's own words.

    There is no number for the rating: the words are the verdict, and no scale is invented for them.
    """
    appearance = {"@type": "CreativeWork", "url": claim_url} if claim_url else None
    author = {"@type": "Person", "name": claim_author} if claim_author else None
    reviewed = {"@type": "Claim", "appearance": appearance, "author": author}
    reviewed = {name: value for name, value in reviewed.items() if value is not None}
    found = {
        "@context": CONTEXT,
        "@type": "ClaimReview",
        "url": review_url,
        "claimReviewed": claim,
        "datePublished": reviewed_on.isoformat(),
        "inLanguage": language,
        "author": {"@type": "Organization", "name": publisher},
        "reviewRating": {"@type": "Rating", "alternateName": rating},
        "itemReviewed": reviewed if len(reviewed) > 1 else None,
        "identifier": {"@type": "PropertyValue", "propertyID": LABEL_PROPERTY, "value": label_id}
        if label_id
        else None,
    }
    return {name: value for name, value in found.items() if value is not None}
