"""Reviews: what waits for a person, opinions, and their history.

Revision: 0011, after: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)

_SQLITE = """
CREATE TRIGGER review_events_no_{verb} BEFORE {verb} ON review_events
BEGIN SELECT RAISE(ABORT, 'the history of reviews is append-only'); END
"""
_POSTGRESQL_FUNCTION = """
CREATE FUNCTION review_events_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the history of reviews is append-only'; END $$
"""
_POSTGRESQL = """
CREATE TRIGGER review_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON review_events
FOR EACH STATEMENT EXECUTE FUNCTION review_events_refuse()
"""


def _reviews() -> None:
    op.create_table(
        "reviews",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(220), nullable=False),
        sa.Column("article_id", sa.String(200)),
        sa.Column("label_id", sa.String(36)),
        sa.Column("title", sa.Text()),
        sa.Column("url", sa.Text()),
        sa.Column("outlet", sa.String(200)),
        sa.Column("language", sa.String(35), nullable=False),
        sa.Column("kinds", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("proposed", sa.JSON(), nullable=False),
        sa.Column("versions", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("stage", sa.String(10), nullable=False),
        sa.Column("opinions_wanted", sa.Integer(), nullable=False),
        sa.Column("lock_owner", sa.String(64)),
        sa.Column("lock_name", sa.String(200)),
        sa.Column("lock_until", _MOMENT),
        sa.Column("issued_label_id", sa.String(36)),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("decided_at", _MOMENT),
        sa.PrimaryKeyConstraint("number", name="pk_reviews"),
        sa.UniqueConstraint("id", name="uq_reviews_id"),
        sqlite_autoincrement=True,
    )
    for name, columns in (
        ("queue", ["state", "rank", "number", "stage", "kinds", "language", "outlet"]),
        ("age", ["state", "number", "stage", "kinds", "language", "outlet"]),
        ("subject", ["subject", "state"]),
        ("article_id", ["article_id"]),
        ("lock_until", ["lock_until"]),
        ("decided_at", ["decided_at"]),
    ):
        op.create_index(f"ix_reviews_{name}", "reviews", columns)


def _opinions() -> None:
    op.create_table(
        "review_opinions",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("review_number", _NUMBER, nullable=False),
        sa.Column("reviewer", sa.String(64), nullable=False),
        sa.Column("reviewer_name", sa.String(200), nullable=False),
        sa.Column("stage", sa.String(10), nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("decision", sa.JSON(), nullable=False),
        sa.Column("overrides", sa.Boolean(), nullable=False),
        sa.Column("confirmed", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("detector", sa.String(200)),
        sa.Column("stance", sa.String(200)),
        sa.Column("language", sa.String(35), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("undone_at", _MOMENT),
        sa.PrimaryKeyConstraint("number", name="pk_review_opinions"),
        sa.ForeignKeyConstraint(
            ["review_number"],
            ["reviews.number"],
            name="fk_review_opinions_review_number_reviews",
            ondelete="CASCADE",
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_review_opinions_review_number", "review_opinions", ["review_number"])
    op.create_index("ix_review_opinions_at", "review_opinions", ["at"])


def _events() -> None:
    op.create_table(
        "review_events",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("review_number", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("actor_name", sa.String(200), nullable=False),
        sa.Column("opinion_number", sa.BigInteger()),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_review_events"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_review_events_review_number", "review_events", ["review_number"])
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(_SQLITE.format(verb=verb))
    else:
        op.execute(_POSTGRESQL_FUNCTION)
        op.execute(_POSTGRESQL)


def upgrade() -> None:
    """Create the tables and what guards the history."""
    _reviews()
    _opinions()
    _events()


def downgrade() -> None:
    """Drop everything; indexes and triggers go with their tables."""
    for table in ("review_events", "review_opinions", "reviews"):
        op.drop_table(table)
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION review_events_refuse()")
