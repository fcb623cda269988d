"""Changing reviews, opinions and their history, always within a transaction of the caller's: a review is
opened in the one that stores its article, and decided in the one that issues its label.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from service.auth.actor import current_actor
from service.reviews.cases import Case
from service.reviews.model import EventKind, bits_of, kinds_of
from service.store.audit_log import append
from service.store.database import insert_if_absent, wait_for_turn
from service.store.outbox import publish
from service.store.review_models import OpinionRow, ReviewCountRow, ReviewEventRow, ReviewRow
from service.store.reviews import RANKS, StoredReview, opinions

__all__ = ["add_event", "add_opinion", "change", "for_update", "open_case", "opinions", "undo_opinion"]

_COLUMNS = tuple(getattr(ReviewRow, name) for name in StoredReview.__slots__)


def open_case(connection: Connection, case: Case, *, opinions_wanted: int = 1) -> str:
    """Open a review for a case within the caller's transaction, or add the case to the one of its subject
    that is not decided yet. Returns the review's id.
    """
    wait_for_turn(connection, f"review {case.subject}")
    query = sa.select(*_COLUMNS).where(ReviewRow.subject == case.subject, ReviewRow.state == "open")
    row = connection.execute(query.order_by(ReviewRow.number).limit(1).with_for_update()).one_or_none()
    if row is not None:
        return _add_to(connection, StoredReview(*row), case)
    review_id, now = "rev_" + secrets.token_hex(12), datetime.now(UTC)
    number = connection.execute(
        sa.insert(ReviewRow)
        .values(
            id=review_id,
            version=1,
            subject=case.subject,
            article_id=case.article_id,
            label_id=case.label_id,
            title=case.title,
            url=case.url,
            outlet=case.outlet,
            language=case.language,
            kinds=bits_of(case.kinds),
            rank=_rank(case.risk),
            proposed=case.proposed.model_dump(mode="json"),
            versions=case.versions.model_dump(mode="json"),
            state="open",
            stage="first",
            opinions_wanted=opinions_wanted,
            created_at=now,
        )
        .returning(ReviewRow.number)
    ).scalar_one()
    _count(connection, {("first", case.language, case.outlet or "", bits_of(case.kinds)): 1})
    told = {"kinds": list(case.kinds), "risk": case.risk}
    add_event(connection, number, "opened", current_actor(), "", detail=told)
    publish(
        connection,
        "review.opened",
        {
            "review_id": review_id,
            "article_id": case.article_id,
            "label_id": case.label_id,
            "url": case.url,
            "language": case.language,
            **told,
        },
    )
    append(connection, "review.open", review_id, {"article_id": case.article_id, **told})
    return review_id


def _add_to(connection: Connection, review: StoredReview, case: Case) -> str:
    kinds = review.kinds | bits_of(case.kinds)
    newer = {
        "kinds": kinds,
        "rank": min(review.rank, _rank(case.risk)),
        "label_id": case.label_id or review.label_id,
        "proposed": case.proposed.model_dump(mode="json"),
        "versions": {**review.versions, **case.versions.model_dump(mode="json", exclude_none=True)},
    }
    change(connection, review, **newer)
    told = {"kinds": kinds_of(kinds), "label_id": case.label_id}
    add_event(connection, review.number, "updated", current_actor(), "", detail=told)
    append(connection, "review.update", review.id, told)
    return review.id


def for_update(connection: Connection, review_id: str) -> StoredReview | None:
    """A review that nobody else changes before the caller's transaction ends."""
    query = sa.select(*_COLUMNS).where(ReviewRow.id == review_id).with_for_update()
    row = connection.execute(query).one_or_none()
    return None if row is None else StoredReview(*row)


def change(connection: Connection, review: StoredReview, **values: Any) -> None:
    """Change columns of a review and raise its version."""
    query = sa.update(ReviewRow).where(ReviewRow.number == review.number)
    connection.execute(query.values(**values, version=review.version + 1))
    changes: Counter[_Facet] = Counter()
    if review.state == "open":
        changes[_facet(review)] -= 1
    after = replace(review, **{name: values[name] for name in ("state", "stage", "kinds") if name in values})
    if after.state == "open":
        changes[_facet(after)] += 1
    _count(connection, changes)


_Facet = tuple[str, str, str, int]


def _facet(review: StoredReview) -> _Facet:
    return review.stage, review.language, review.outlet or "", review.kinds


def _count(connection: Connection, changes: Mapping[_Facet, int]) -> None:
    row = ReviewCountRow
    # In one order, so that two transactions do not wait for each other.
    for facet, by in sorted(changes.items()):
        if by:
            stage, language, outlet, kinds = facet
            key = {"stage": stage, "language": language, "outlet": outlet, "kinds": kinds}
            if not insert_if_absent(connection, row, {**key, "reviews": by}):
                query = sa.update(row).where(*(getattr(row, name) == value for name, value in key.items()))
                connection.execute(query.values(reviews=row.reviews + by))


def add_event(
    connection: Connection,
    number: int,
    kind: EventKind,
    actor: str,
    actor_name: str,
    *,
    opinion: int | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Add to the history of the review with this number."""
    connection.execute(
        sa.insert(ReviewEventRow).values(
            review_number=number,
            kind=kind,
            at=datetime.now(UTC),
            actor=actor,
            actor_name=actor_name,
            opinion_number=opinion,
            detail=dict(detail or {}),
        )
    )


def add_opinion(connection: Connection, values: Mapping[str, Any]) -> int:
    """Store an opinion; returns its number."""
    query = sa.insert(OpinionRow).values(**values).returning(OpinionRow.number)
    return connection.execute(query).scalar_one()


def undo_opinion(connection: Connection, number: int, now: datetime) -> None:
    """Let an opinion count no longer."""
    connection.execute(sa.update(OpinionRow).where(OpinionRow.number == number).values(undone_at=now))


def _rank(risk: float) -> int:
    return round((1 - risk) * RANKS)
