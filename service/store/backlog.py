"""How much waits to be done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import sqlalchemy as sa

from service.store.database import Database
from service.store.models import FeedRow, LabelRow

_COUNTS: Final[Mapping[str, sa.Select[tuple[int]]]] = {
    # Evidence did not suffice: a person has to decide.
    "labels_undecided": sa.select(sa.func.count())
    .select_from(LabelRow)
    .where(LabelRow.status.in_(("draft", "disputed"))),
    "feeds_failing": sa.select(sa.func.count()).select_from(FeedRow).where(FeedRow.failures > 0),
}


def backlog(database: Database) -> dict[str, int]:
    """Counts by kind, all at one moment. Raises StoreError."""
    with database.reading() as connection:
        return {kind: connection.execute(query).scalar_one() for kind, query in _COUNTS.items()}
