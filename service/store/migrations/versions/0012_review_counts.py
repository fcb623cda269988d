"""How many reviews wait, kept along with every change.

Revision: 0012, after: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_FILL = """
INSERT INTO review_counts (stage, language, outlet, kinds, reviews)
SELECT stage, language, COALESCE(outlet, ''), kinds, COUNT(*) FROM reviews
WHERE state = 'open' GROUP BY stage, language, COALESCE(outlet, ''), kinds
"""


def upgrade() -> None:
    """Create the table, and count what is there."""
    op.create_table(
        "review_counts",
        sa.Column("stage", sa.String(10), nullable=False),
        sa.Column("language", sa.String(35), nullable=False),
        sa.Column("outlet", sa.String(200), nullable=False),
        sa.Column("kinds", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("reviews", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("stage", "language", "outlet", "kinds", name="pk_review_counts"),
    )
    op.execute(_FILL)


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("review_counts")
