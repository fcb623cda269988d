"""When an article's text was dropped.

Revision: 0006, after: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, with what finds the oldest texts."""
    op.add_column("articles", sa.Column("text_dropped_at", sa.DateTime(timezone=True)))
    op.create_index("ix_articles_created_at", "articles", ["created_at"])


def downgrade() -> None:
    """Remove them; the texts stay away."""
    op.drop_index("ix_articles_created_at", "articles")
    op.drop_column("articles", "text_dropped_at")
