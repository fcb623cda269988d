"""What waits is counted, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa

from service.feeds import new_feed
from service.store import Store
from service.store.backlog import backlog
from service.store.models import FeedRow


def test_a_new_database_has_no_backlog(store: Store) -> None:
    counts = backlog(store.database)
    assert set(counts) == {
        "labels_undecided",
        "reviews_open",
        "audits_unfinished",
        "webhook_deliveries_pending",
        "webhooks_failing",
        "feeds_failing",
    }
    assert set(counts.values()) == {0}


def test_only_feeds_that_fail_are_counted(store: Store) -> None:
    for number in range(3):
        store.feeds.add(new_feed(f"https://example.org/{number}", "jsonl", every_seconds=60))
    with store.database.writing() as connection:
        first = connection.execute(sa.select(FeedRow.id).limit(1)).scalar_one()
        connection.execute(
            sa.update(FeedRow).where(FeedRow.id == first).values(failures=2, last_at=datetime.now(UTC))
        )
    assert backlog(store.database)["feeds_failing"] == 1
