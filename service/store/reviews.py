"""Reviews, opinions and their history in the database; what changes them is in `review_changes`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from service.reviews.model import BITS, EventKind, Kind, ReviewState, Stage
from service.store.database import Database
from service.store.review_models import OpinionRow, ReviewCountRow, ReviewEventRow, ReviewRow

RANKS: Final = 10_000
# More than people can work on at once; a statement takes only so many values.
_MOST_LOCKED: Final = 10_000
Sort = Literal["risk", "age"]


@dataclass(frozen=True, slots=True)
class StoredReview:
    """A row of the table; see `ReviewRow`."""

    number: int
    id: str
    version: int
    subject: str
    article_id: str | None
    label_id: str | None
    title: str | None
    url: str | None
    outlet: str | None
    language: str
    kinds: int
    rank: int
    proposed: dict[str, Any]
    versions: dict[str, Any]
    state: str
    stage: Stage
    opinions_wanted: int
    lock_owner: str | None
    lock_name: str | None
    lock_until: datetime | None
    issued_label_id: str | None
    created_at: datetime
    decided_at: datetime | None

    @property
    def risk(self) -> float:
        """Between 0 and 1, for sorting."""
        return round(1 - self.rank / RANKS, 4)

    def lock_holder(self, now: datetime) -> str | None:
        """Who works on it, as long as their lock lasts."""
        return self.lock_owner if self.lock_until is not None and self.lock_until > now else None

    def state_at(self, now: datetime) -> ReviewState:
        """The state at a moment: a lock ends by itself."""
        if self.state == "decided":
            return "decided"
        return "locked" if self.lock_holder(now) is not None else "open"


@dataclass(frozen=True, slots=True)
class StoredOpinion:
    """A row of the table; see `OpinionRow`."""

    number: int
    reviewer: str
    reviewer_name: str
    stage: Stage
    outcome: str
    decision: dict[str, Any]
    overrides: bool
    at: datetime
    undone_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A row of the table; see `ReviewEventRow`."""

    number: int
    kind: EventKind
    at: datetime
    actor: str
    actor_name: str
    opinion_number: int | None
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ReviewFilter:
    """Which reviews are asked for; what is None does not matter."""

    state: ReviewState | Literal["undecided"] | None = None
    stage: Stage | None = None
    language: str | None = None
    outlet: str | None = None
    kind: Kind | None = None
    lock_owner: str | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many undecided reviews there are by stage, by sum of kinds, by language and outlet ('': none)."""

    stages: dict[str, int]
    kinds: dict[int, int]
    languages: dict[str, int]
    outlets: dict[str, int]


_REVIEW_COLUMNS = tuple(getattr(ReviewRow, field.name) for field in fields(StoredReview))
_OPINION_COLUMNS = tuple(getattr(OpinionRow, field.name) for field in fields(StoredOpinion))
_EVENT_COLUMNS = tuple(getattr(ReviewEventRow, field.name) for field in fields(StoredEvent))


def opinions(connection: Connection, number: int) -> Sequence[StoredOpinion]:
    """All opinions about the review with this number, oldest first; those that were undone, too."""
    query = sa.select(*_OPINION_COLUMNS).where(OpinionRow.review_number == number)
    return [_opinion(row) for row in connection.execute(query.order_by(OpinionRow.number))]


class SqlReviewRepository:
    """Reading reviews. Safe to use from threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, review_id: str) -> StoredReview | None:
        """The review with this id."""
        with self._database.reading() as connection:
            return _one(connection, ReviewRow.id == review_id)

    def of_article(self, article_id: str) -> StoredReview | None:
        """The newest review of an article."""
        query = sa.select(*_REVIEW_COLUMNS).where(ReviewRow.article_id == article_id)
        with self._database.reading() as connection:
            row = connection.execute(query.order_by(ReviewRow.number.desc()).limit(1)).one_or_none()
        return None if row is None else _review(row)

    def whole(
        self, review_id: str
    ) -> tuple[StoredReview, Sequence[StoredOpinion], Sequence[StoredEvent]] | None:
        """A review with its opinions and its history, oldest first, as of one moment."""
        with self._database.reading() as connection:
            review = _one(connection, ReviewRow.id == review_id)
            if review is None:
                return None
            query = sa.select(*_EVENT_COLUMNS).where(ReviewEventRow.review_number == review.number)
            rows = connection.execute(query.order_by(ReviewEventRow.number))
            return review, opinions(connection, review.number), [_event(row) for row in rows]

    def page(
        self,
        wanted: ReviewFilter,
        *,
        sort: Sort,
        after: tuple[int, int] | None,
        limit: int,
        now: datetime,
    ) -> Sequence[StoredReview]:
        """At most `limit` reviews: the riskiest first, or the oldest. `after` is (rank, number) of the last
        one of the page before.
        """
        row = ReviewRow
        locked: list[int] | None = None
        if wanted.state == "locked" or wanted.lock_owner is not None:
            # Few at any moment, so they are looked up first.
            locked = self._locked(wanted.lock_owner, now)
        order: tuple[Any, ...] = (row.rank, row.number) if sort == "risk" else (row.number,)
        query = sa.select(*_REVIEW_COLUMNS).order_by(*order).limit(limit)
        for condition in _conditions(wanted, now):
            query = query.where(condition)
        if locked is not None:
            query = query.where(row.number.in_(locked))
        if after is not None:
            rank, number = after
            here: sa.ColumnElement[bool] = row.number > number
            if sort == "risk":
                here = sa.tuple_(row.rank, row.number) > sa.tuple_(sa.literal(rank), sa.literal(number))
            query = query.where(here)
        with self._database.reading() as connection:
            return [_review(found) for found in connection.execute(query)]

    def counts(self) -> Counts:
        """How many reviews wait, by everything that the queue is filtered by, as of one moment."""
        row = ReviewCountRow
        reviews = sa.func.sum(row.reviews)

        def by(connection: Connection, column: Any) -> dict[Any, int]:
            query = sa.select(column, reviews).group_by(column).having(reviews > 0)
            return {item[0]: int(item[1]) for item in connection.execute(query)}

        with self._database.reading() as connection:
            return Counts(
                stages=by(connection, row.stage),
                kinds=by(connection, row.kinds),
                languages=by(connection, row.language),
                outlets=by(connection, row.outlet),
            )

    def locked_count(self, now: datetime) -> int:
        """How many reviews somebody works on."""
        return len(self._locked(None, now))

    def _locked(self, owner: str | None, now: datetime) -> list[int]:
        query = sa.select(ReviewRow.number).where(ReviewRow.lock_until > now).limit(_MOST_LOCKED)
        if owner is not None:
            query = query.where(ReviewRow.lock_owner == owner)
        with self._database.reading() as connection:
            return list(connection.execute(query).scalars())

    def decided(
        self, after: int = 0, limit: int = 200
    ) -> Sequence[tuple[StoredReview, Sequence[StoredOpinion]]]:
        """Decided reviews with their opinions, in order of number, those after the number `after`."""
        query = (
            sa.select(*_REVIEW_COLUMNS)
            .where(ReviewRow.state == "decided", ReviewRow.number > after)
            .order_by(ReviewRow.number)
            .limit(limit)
        )
        with self._database.reading() as connection:
            reviews = [_review(row) for row in connection.execute(query)]
            return [(review, opinions(connection, review.number)) for review in reviews]

    def double_judged(self, since: datetime | None = None) -> Iterator[tuple[int, str, str, str]]:
        """(review number, language, reviewer, outcome) of reviews that two judged independently of each
        other.
        """
        row = OpinionRow
        counting = (row.undone_at.is_(None), row.stage.in_(("first", "second")))
        several = (
            sa.select(row.review_number)
            .where(*counting)
            .group_by(row.review_number)
            .having(sa.func.count() > 1)
        )
        query = sa.select(row.review_number, row.language, row.reviewer, row.outcome).where(
            *counting, row.review_number.in_(several)
        )
        if since is not None:
            query = query.where(row.at >= since)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(row.number)).all()
        yield from ((item.review_number, item.language, item.reviewer, item.outcome) for item in rows)

    def overrides(self, since: datetime | None = None) -> Sequence[Row[*tuple[Any, ...]]]:
        """For every detector and stance version and language: judged labels, those of them that override the
        machine, and matches confirmed and rejected.
        """
        row = OpinionRow
        by = (row.detector, row.stance, row.language)
        judged = sa.func.sum(sa.case((row.outcome != "not_judged", 1), else_=0)).label("judged")
        overridden = sa.func.sum(sa.case((row.overrides, 1), else_=0)).label("overridden")
        query = (
            sa.select(
                *by,
                judged,
                overridden,
                sa.func.sum(row.confirmed).label("confirmed"),
                sa.func.sum(row.rejected).label("rejected"),
            )
            .where(row.undone_at.is_(None))
            .group_by(*by)
            .order_by(*by)
        )
        if since is not None:
            query = query.where(row.at >= since)
        with self._database.reading() as connection:
            return connection.execute(query).all()


def _conditions(wanted: ReviewFilter, now: datetime) -> Iterator[sa.ColumnElement[bool]]:
    row = ReviewRow
    if wanted.state == "decided":
        yield row.state == "decided"
    elif wanted.state is not None:
        yield row.state == "open"
    if wanted.state == "open":
        yield sa.or_(row.lock_until.is_(None), row.lock_until <= now)
    for column, value in (
        (row.stage, wanted.stage),
        (row.language, wanted.language),
        (row.outlet, wanted.outlet),
    ):
        if value is not None:
            yield column == value
    if wanted.kind is not None:
        yield row.kinds.bitwise_and(BITS[wanted.kind]) != 0


def _one(connection: Connection, where: sa.ColumnElement[bool]) -> StoredReview | None:
    row = connection.execute(sa.select(*_REVIEW_COLUMNS).where(where)).one_or_none()
    return None if row is None else _review(row)


def _review(row: Row[*tuple[Any, ...]]) -> StoredReview:
    return StoredReview(*row)


def _opinion(row: Row[*tuple[Any, ...]]) -> StoredOpinion:
    return StoredOpinion(*row)


def _event(row: Row[*tuple[Any, ...]]) -> StoredEvent:
    return StoredEvent(*row)
