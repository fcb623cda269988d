"""The tables.

`documents` gives records and articles alike a number for the vector index, and a revision for every change; a
deleted one stays as a tombstone, so that every index learns of it and its number is never given again.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import (
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

RECORDS = "records"
ARTICLES = "articles"
LABELS = "labels"

# SQLite counts by itself only in a column declared INTEGER, which holds 64 bits there.
Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, aware and in UTC on both sides; SQLite keeps no offset of its own."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC; a moment without an offset is a mistake of the caller."""
        if value is not None and value.tzinfo is None:
            raise ValueError(f"a moment without an offset cannot be stored: {value}")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Back with its offset."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Constraint names by rule, so that migrations can name them on every database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class MetaRow(Base):
    """Facts about the database itself, such as its identity."""

    __tablename__ = "meta"

    name: Mapped[str] = mapped_column(String(50), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class CounterRow(Base):
    """The last revision given out, per collection; the row's lock puts writers in order."""

    __tablename__ = "counters"

    name: Mapped[str] = mapped_column(String(50), primary_key=True)
    value: Mapped[int] = mapped_column(sa.BigInteger)


class DocumentRow(Base):
    """A record or an article, as the vector index knows it."""

    __tablename__ = "documents"
    __table_args__ = (
        UniqueConstraint("collection", "key"),
        UniqueConstraint("collection", "revision"),
        {"sqlite_autoincrement": True},
    )

    number: Mapped[int] = mapped_column(Number, primary_key=True)
    collection: Mapped[str] = mapped_column(String(20))
    key: Mapped[str] = mapped_column(String(200))
    revision: Mapped[int] = mapped_column(sa.BigInteger)
    deleted: Mapped[bool] = mapped_column(default=False)


class PassageRow(Base):
    """Code points [start_char, end_char) of a document's field."""

    __tablename__ = "passages"

    number: Mapped[int] = mapped_column(ForeignKey("documents.number", ondelete="CASCADE"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    field: Mapped[str] = mapped_column(String(20))
    start_char: Mapped[int] = mapped_column()
    end_char: Mapped[int] = mapped_column()


class VectorRow(Base):
    """A passage's vector by one encoder: little-endian float32, so that a rebuild never embeds again."""

    __tablename__ = "vectors"
    __table_args__ = (
        ForeignKeyConstraint(
            ["number", "ordinal"], ["passages.number", "passages.ordinal"], ondelete="CASCADE"
        ),
    )

    number: Mapped[int] = mapped_column(Number, primary_key=True, autoincrement=False)
    ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    model_id: Mapped[str] = mapped_column(String(500), primary_key=True)
    vector: Mapped[bytes] = mapped_column(LargeBinary)


class RecordRow(Base):
    """A verified record. Dates as they were given (ISO 8601), and as moments where queries compare them."""

    __tablename__ = "records"
    __table_args__ = (Index("ix_records_language", "language"), Index("ix_records_publisher", "publisher"))

    number: Mapped[int] = mapped_column(
        ForeignKey("documents.number", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    id: Mapped[str] = mapped_column(String(200), unique=True)
    claim: Mapped[str] = mapped_column(Text)
    title: Mapped[str | None] = mapped_column(Text)
    text: Mapped[str | None] = mapped_column(Text)
    url: Mapped[str | None] = mapped_column(Text)
    publisher: Mapped[str | None] = mapped_column(String(500))
    published_at: Mapped[str | None] = mapped_column(String(40))
    rating: Mapped[str | None] = mapped_column(Text)
    rating_normalised: Mapped[str | None] = mapped_column(String(20))
    language: Mapped[str | None] = mapped_column(String(35))
    valid_from: Mapped[str | None] = mapped_column(String(40))
    valid_to: Mapped[str | None] = mapped_column(String(40))
    superseded_by: Mapped[str | None] = mapped_column(String(200))
    sample: Mapped[bool] = mapped_column(default=False)
    first_valid: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_valid: Mapped[datetime | None] = mapped_column(UtcDateTime)
    content_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RecordVersionRow(Base):
    """What a record said before it was corrected or removed."""

    __tablename__ = "record_versions"
    __table_args__ = ({"sqlite_autoincrement": True},)

    version: Mapped[int] = mapped_column(Number, primary_key=True)
    record_id: Mapped[str] = mapped_column(String(200), index=True)
    content: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    replaced_by: Mapped[str] = mapped_column(String(20))
    replaced_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ArticleRow(Base):
    """An article that was analysed, as it was sent; without its text where that was not to be kept."""

    __tablename__ = "articles"

    number: Mapped[int] = mapped_column(
        ForeignKey("documents.number", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    id: Mapped[str] = mapped_column(String(200), unique=True)
    content_hash: Mapped[str] = mapped_column(String(64), index=True)
    text: Mapped[str] = mapped_column(Text)
    title: Mapped[str | None] = mapped_column(Text)
    language: Mapped[str | None] = mapped_column(String(35))
    outlet: Mapped[str | None] = mapped_column(Text)
    url: Mapped[str | None] = mapped_column(Text)
    published_at: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    text_dropped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class AnalysisRow(Base):
    """One analysis of an article, with the versions of everything that took part."""

    __tablename__ = "analyses"
    __table_args__ = ({"sqlite_autoincrement": True},)

    analysis_number: Mapped[int] = mapped_column(Number, primary_key=True)
    article_number: Mapped[int] = mapped_column(ForeignKey("articles.number", ondelete="CASCADE"), index=True)
    content: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    versions: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    index_generation: Mapped[int] = mapped_column(sa.BigInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LabelRow(Base):
    """A label: what it says in columns that queries need, and whole as a document, signed once it is in
    force.
    """

    __tablename__ = "labels"
    __table_args__ = (UniqueConstraint("subject_key", "version"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    version: Mapped[int] = mapped_column()
    subject_key: Mapped[str] = mapped_column(String(80))
    status: Mapped[str] = mapped_column(String(20), index=True)
    status_reason: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(30))
    involvement: Mapped[str] = mapped_column(String(20))
    human_review: Mapped[str] = mapped_column(String(20))
    basis: Mapped[str] = mapped_column(String(30))
    review_reasons: Mapped[list[str]] = mapped_column(sa.JSON)
    url: Mapped[str | None] = mapped_column(Text)
    article_id: Mapped[str | None] = mapped_column(String(200), index=True)
    language: Mapped[str | None] = mapped_column(String(35))
    hash_exact: Mapped[str] = mapped_column(String(80), index=True)
    hash_text: Mapped[str | None] = mapped_column(String(80), index=True)
    supersedes: Mapped[str | None] = mapped_column(String(36))
    superseded_by: Mapped[str | None] = mapped_column(String(36))
    document: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    jws: Mapped[str | None] = mapped_column(Text)
    kid: Mapped[str | None] = mapped_column(String(64))
    valid_to: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LabelEventRow(Base):
    """What happened to a label; rows are only ever added, and chained by hashes."""

    __tablename__ = "label_events"

    sequence: Mapped[int] = mapped_column(Number, primary_key=True, autoincrement=False)
    label_id: Mapped[str] = mapped_column(ForeignKey("labels.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    detail: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    previous: Mapped[str | None] = mapped_column(String(80))
    log_previous: Mapped[str | None] = mapped_column(String(80))
    hash: Mapped[str] = mapped_column(String(80))


class LabelManifestRow(Base):
    """A C2PA manifest of a label, for the asset with this hash."""

    __tablename__ = "label_manifests"
    __table_args__ = (UniqueConstraint("label_id", "asset_hash"), {"sqlite_autoincrement": True})

    number: Mapped[int] = mapped_column(Number, primary_key=True)
    label_id: Mapped[str] = mapped_column(ForeignKey("labels.id"))
    asset_hash: Mapped[str] = mapped_column(String(80))
    media_type: Mapped[str] = mapped_column(String(100))
    manifest: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class FeedRow(Base):
    """A feed of verified reporting, and the state of its refreshes."""

    __tablename__ = "feeds"

    id: Mapped[str] = mapped_column(String(60), primary_key=True)
    url: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(20))
    publisher: Mapped[str | None] = mapped_column(String(500))
    language: Mapped[str | None] = mapped_column(String(35))
    every_seconds: Mapped[int] = mapped_column()
    complete: Mapped[bool] = mapped_column()
    next_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    etag: Mapped[str | None] = mapped_column(Text)
    last_modified: Mapped[str | None] = mapped_column(Text)
    failures: Mapped[int] = mapped_column()
    last_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str | None] = mapped_column(Text)
    records: Mapped[int] = mapped_column()


class FeedItemRow(Base):
    """A record that came from a feed; `content` tells the same claim with the same verdict elsewhere."""

    __tablename__ = "feed_items"

    record_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    feed_id: Mapped[str] = mapped_column(ForeignKey("feeds.id", ondelete="CASCADE"), index=True)
    content: Mapped[str] = mapped_column(String(64), index=True)
