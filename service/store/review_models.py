"""The tables of reviews: what waits for a person, what persons decided, and everything that happened."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.store.models import Base, Number, UtcDateTime


class ReviewRow(Base):
    """Something a person has to look at. No text of an article stands here.

    `rank` orders by risk, the riskiest first: 10,000 * (1 - risk). `kinds` is a sum of bits, see
    `service.reviews.model.BITS`. `versions` are the models, thresholds and the index generation behind it.
    """

    __tablename__ = "reviews"
    __table_args__ = (
        # Every order of the queue, with what filters it, so that only the rows of a page are fetched.
        Index("ix_reviews_queue", "state", "rank", "number", "stage", "kinds", "language", "outlet"),
        Index("ix_reviews_age", "state", "number", "stage", "kinds", "language", "outlet"),
        Index("ix_reviews_subject", "subject", "state"),
        {"sqlite_autoincrement": True},
    )

    number: Mapped[int] = mapped_column(Number, primary_key=True)
    id: Mapped[str] = mapped_column(String(36), unique=True)
    version: Mapped[int] = mapped_column()
    subject: Mapped[str] = mapped_column(String(220))
    article_id: Mapped[str | None] = mapped_column(String(200), index=True)
    label_id: Mapped[str | None] = mapped_column(String(36))
    title: Mapped[str | None] = mapped_column(Text)
    url: Mapped[str | None] = mapped_column(Text)
    outlet: Mapped[str | None] = mapped_column(String(200))
    language: Mapped[str] = mapped_column(String(35))
    kinds: Mapped[int] = mapped_column()
    rank: Mapped[int] = mapped_column()
    proposed: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    versions: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    state: Mapped[str] = mapped_column(String(10))
    stage: Mapped[str] = mapped_column(String(10))
    opinions_wanted: Mapped[int] = mapped_column()
    lock_owner: Mapped[str | None] = mapped_column(String(64))
    lock_name: Mapped[str | None] = mapped_column(String(200))
    lock_until: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    issued_label_id: Mapped[str | None] = mapped_column(String(36))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)


class OpinionRow(Base):
    """What one person decided. One that was undone stays, with the moment."""

    __tablename__ = "review_opinions"
    __table_args__ = ({"sqlite_autoincrement": True},)

    number: Mapped[int] = mapped_column(Number, primary_key=True)
    review_number: Mapped[int] = mapped_column(ForeignKey("reviews.number", ondelete="CASCADE"), index=True)
    reviewer: Mapped[str] = mapped_column(String(64))
    reviewer_name: Mapped[str] = mapped_column(String(200))
    stage: Mapped[str] = mapped_column(String(10))
    outcome: Mapped[str] = mapped_column(String(20))
    decision: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    overrides: Mapped[bool] = mapped_column()
    confirmed: Mapped[int] = mapped_column()
    rejected: Mapped[int] = mapped_column()
    detector: Mapped[str | None] = mapped_column(String(200))
    stance: Mapped[str | None] = mapped_column(String(200))
    language: Mapped[str] = mapped_column(String(35))
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ReviewEventRow(Base):
    """What happened to a review; rows are only ever added: triggers refuse anything else."""

    __tablename__ = "review_events"
    __table_args__ = ({"sqlite_autoincrement": True},)

    number: Mapped[int] = mapped_column(Number, primary_key=True)
    review_number: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    kind: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(String(64))
    actor_name: Mapped[str] = mapped_column(String(200))
    opinion_number: Mapped[int | None] = mapped_column(sa.BigInteger)
    detail: Mapped[dict[str, Any]] = mapped_column(sa.JSON)


class ReviewCountRow(Base):
    """How many undecided reviews have this stage, language, outlet ('' for none) and these kinds; kept along
    with every change, so that counting the queue does not read it.
    """

    __tablename__ = "review_counts"

    stage: Mapped[str] = mapped_column(String(10), primary_key=True)
    language: Mapped[str] = mapped_column(String(35), primary_key=True)
    outlet: Mapped[str] = mapped_column(String(200), primary_key=True)
    kinds: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    reviews: Mapped[int] = mapped_column()
