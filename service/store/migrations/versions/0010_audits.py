"""Audits and their items.

Revision: 0010, after: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "audits",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("source", sa.String(500), nullable=False),
        sa.Column("format", sa.String(20), nullable=False),
        sa.Column("path", sa.Text()),
        sa.Column("checks", sa.JSON(), nullable=False),
        sa.Column("target_fpr", sa.Double()),
        sa.Column("created_by", sa.String(64), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("started_at", _MOMENT),
        sa.Column("finished_at", _MOMENT),
        sa.Column("total", sa.Integer()),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("reused", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("attempted", sa.Integer()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("seen_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audits"),
        sa.UniqueConstraint("id", name="uq_audits_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audits_state", "audits", ["state"])
    op.create_table(
        "audit_items",
        sa.Column("audit", _NUMBER, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("input", sa.LargeBinary()),
        sa.Column("result", sa.LargeBinary()),
        sa.Column("facts", sa.JSON()),
        sa.ForeignKeyConstraint(
            ["audit"], ["audits.number"], name="fk_audit_items_audit_audits", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("audit", "number", name="pk_audit_items"),
    )


def downgrade() -> None:
    """Remove them."""
    op.drop_table("audit_items")
    op.drop_table("audits")
