"""Records, articles, their passages and vectors.

Revision: 0001, the first
"""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Types are spelled out: what a migration did must not change when the models do.
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def _documents_and_vectors() -> None:
    op.create_table(
        "documents",
        sa.Column("number", _NUMBER, primary_key=True),
        sa.Column("collection", sa.String(20), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_documents"),
        sa.UniqueConstraint("collection", "key", name="uq_documents_collection_key"),
        sa.UniqueConstraint("collection", "revision", name="uq_documents_collection_revision"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "passages",
        sa.Column("number", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("ordinal", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("field", sa.String(20), nullable=False),
        sa.Column("start_char", sa.Integer(), nullable=False),
        sa.Column("end_char", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", "ordinal", name="pk_passages"),
        sa.ForeignKeyConstraint(
            ["number"], ["documents.number"], name="fk_passages_number_documents", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "vectors",
        sa.Column("number", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("ordinal", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("model_id", sa.String(500), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", "ordinal", "model_id", name="pk_vectors"),
        sa.ForeignKeyConstraint(
            ["number", "ordinal"],
            ["passages.number", "passages.ordinal"],
            name="fk_vectors_number_ordinal_passages",
            ondelete="CASCADE",
        ),
    )


def _records() -> None:
    op.create_table(
        "records",
        sa.Column("number", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("claim", sa.Text(), nullable=False),
        sa.Column("title", sa.Text()),
        sa.Column("text", sa.Text()),
        sa.Column("url", sa.Text()),
        sa.Column("publisher", sa.String(500)),
        sa.Column("published_at", sa.String(40)),
        sa.Column("rating", sa.Text()),
        sa.Column("rating_normalised", sa.String(20)),
        sa.Column("language", sa.String(35)),
        sa.Column("valid_from", sa.String(40)),
        sa.Column("valid_to", sa.String(40)),
        sa.Column("superseded_by", sa.String(200)),
        sa.Column("sample", sa.Boolean(), nullable=False),
        sa.Column("first_valid", _MOMENT),
        sa.Column("last_valid", _MOMENT),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_records"),
        sa.UniqueConstraint("id", name="uq_records_id"),
        sa.ForeignKeyConstraint(
            ["number"], ["documents.number"], name="fk_records_number_documents", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_records_language", "records", ["language"])
    op.create_index("ix_records_publisher", "records", ["publisher"])
    op.create_table(
        "record_versions",
        sa.Column("version", _NUMBER, primary_key=True),
        sa.Column("record_id", sa.String(200), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("replaced_by", sa.String(20), nullable=False),
        sa.Column("replaced_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_record_versions"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_record_versions_record_id", "record_versions", ["record_id"])


def _articles() -> None:
    op.create_table(
        "articles",
        sa.Column("number", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("title", sa.Text()),
        sa.Column("language", sa.String(35)),
        sa.Column("outlet", sa.Text()),
        sa.Column("url", sa.Text()),
        sa.Column("published_at", sa.String(40)),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_articles"),
        sa.UniqueConstraint("id", name="uq_articles_id"),
        sa.ForeignKeyConstraint(
            ["number"], ["documents.number"], name="fk_articles_number_documents", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_articles_content_hash", "articles", ["content_hash"])
    op.create_table(
        "analyses",
        sa.Column("analysis_number", _NUMBER, primary_key=True),
        sa.Column("article_number", _NUMBER, nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("versions", sa.JSON(), nullable=False),
        sa.Column("index_generation", sa.BigInteger(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("analysis_number", name="pk_analyses"),
        sa.ForeignKeyConstraint(
            ["article_number"],
            ["articles.number"],
            name="fk_analyses_article_number_articles",
            ondelete="CASCADE",
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_analyses_article_number", "analyses", ["article_number"])


def upgrade() -> None:
    """Create everything; give the database its identity and start the revisions at 0."""
    meta = op.create_table(
        "meta",
        sa.Column("name", sa.String(50), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_meta"),
    )
    counters = op.create_table(
        "counters",
        sa.Column("name", sa.String(50), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_counters"),
    )
    op.bulk_insert(meta, [{"name": "store_id", "value": str(uuid.uuid4())}])
    op.bulk_insert(counters, [{"name": "records", "value": 0}, {"name": "articles", "value": 0}])
    _documents_and_vectors()
    _records()
    _articles()


def downgrade() -> None:
    """Drop everything, referring tables first."""
    for table in (
        "analyses",
        "articles",
        "record_versions",
        "records",
        "vectors",
        "passages",
        "documents",
        "counters",
        "meta",
    ):
        op.drop_table(table)
