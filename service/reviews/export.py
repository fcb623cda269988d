"""Decisions for retraining: one object per decided review, with the text where it is still kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from service.reviews.model import kinds_of
from service.store.reviews import StoredOpinion, StoredReview

if TYPE_CHECKING:
    from service.store import Store

_PART: Final = 100


def export(store: Store, *, texts: bool) -> Iterator[dict[str, Any]]:
    """Every decided review in order; reviewers by a pseudonym. `texts`: with article and claims."""
    after = 0
    while part := store.reviews.decided(after, _PART):
        for review, opinions in part:
            yield _line(store, review, opinions, texts)
        after = part[-1][0].number


def _line(
    store: Store, review: StoredReview, opinions: Sequence[StoredOpinion], texts: bool
) -> dict[str, Any]:
    active = [opinion for opinion in opinions if opinion.undone_at is None]
    article = store.articles.get(review.article_id) if review.article_id else None
    analysis = store.articles.analysis(review.article_id) if review.article_id else None
    line: dict[str, Any] = {
        "review_id": review.id,
        "article_id": review.article_id,
        "language": review.language,
        "outlet": review.outlet,
        "kinds": kinds_of(review.kinds),
        "proposed": review.proposed,
        "versions": review.versions,
        "created_at": review.created_at.isoformat(),
        "decided_at": review.decided_at.isoformat() if review.decided_at else None,
        "outcome": active[-1].outcome if active else None,
        "opinions": [
            {
                "reviewer": _pseudonym(opinion.reviewer),
                "stage": opinion.stage,
                "outcome": opinion.outcome,
                "overrides": opinion.overrides,
                "at": opinion.at.isoformat(),
                "decision": opinion.decision,
            }
            for opinion in active
        ],
        "matches": list(_matches(active, analysis, texts)),
    }
    if texts:
        line["title"] = review.title
        line["text"] = article.text if article is not None else None
    return line


def _matches(
    active: Sequence[StoredOpinion], analysis: dict[str, Any] | None, texts: bool
) -> Iterator[dict[str, Any]]:
    """What was decided about each match in the end, beside what the models had said."""
    decided = {
        (match["claim_start"], match["record_id"]): match
        for opinion in active
        for match in opinion.decision["matches"]
    }
    for claim in (analysis or {}).get("claims", []):
        for match in claim.get("matches", []):
            verdict = decided.get((claim["start"], match["record_id"]))
            if verdict is None:
                continue
            line = {
                "claim_start": claim["start"],
                "claim_end": claim["end"],
                "record_id": match["record_id"],
                "verdict": verdict["verdict"],
                "stance": verdict["stance"] or (match["stance"] if verdict["verdict"] == "confirm" else None),
                "model": {name: match[name] for name in ("score", "probability", "stance", "stance_scores")},
            }
            if texts:
                line |= {"claim": claim["text"], "evidence": match["evidence"]["text"]}
            yield line


def _pseudonym(reviewer: str) -> str:
    """The same for the same person, and no name: enough to learn from."""
    return hashlib.sha256(f"reviewer {reviewer}".encode()).hexdigest()[:12]
