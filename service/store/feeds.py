"""The feeds, when each is due, and which records came from which item."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Row

from index.feeds.content import FeedKind
from service.store.database import Database
from service.store.documents import in_parts
from service.store.models import FeedItemRow, FeedRow


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed and the state of its refreshes. `complete` says that an answer holds all there is: what is no
    longer in it was taken back.
    """

    id: str
    url: str
    kind: FeedKind
    publisher: str | None
    language: str | None
    every_seconds: int
    complete: bool
    next_at: datetime
    etag: str | None = None
    last_modified: str | None = None
    failures: int = 0
    last_at: datetime | None = None
    last_error: str | None = None
    records: int = 0


_FIELDS = tuple(Feed.__dataclass_fields__)


class SqlFeedRepository:
    """Feeds and their items; every method is one transaction. Safe to use from threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, feed: Feed) -> bool:
        """Add a feed, or change one with its id, which is then due anew; says whether it is new."""
        values = {name: getattr(feed, name) for name in _FIELDS}
        with self._database.writing() as connection:
            changed = connection.execute(sa.update(FeedRow).where(FeedRow.id == feed.id).values(values))
            if changed.rowcount == 0:
                connection.execute(sa.insert(FeedRow).values(values))
            return changed.rowcount == 0

    def get(self, feed_id: str) -> Feed | None:
        """The feed with this id."""
        with self._database.reading() as connection:
            row = connection.execute(_FEEDS.where(FeedRow.id == feed_id)).one_or_none()
        return None if row is None else _feed(row)

    def list(self) -> Sequence[Feed]:
        """All feeds in order of their ids."""
        with self._database.reading() as connection:
            return [_feed(row) for row in connection.execute(_FEEDS.order_by(FeedRow.id))]

    def due(self, now: datetime) -> Sequence[Feed]:
        """The feeds to be refreshed, the longest due first."""
        query = _FEEDS.where(FeedRow.next_at <= now).order_by(FeedRow.next_at)
        with self._database.reading() as connection:
            return [_feed(row) for row in connection.execute(query)]

    def claim(self, feed: Feed, until: datetime) -> bool:
        """Take a feed's turn, so that no other process fetches it too; false where one was faster.

        A process that dies gives the turn up at `until`.
        """
        query = (
            sa.update(FeedRow)
            .where(FeedRow.id == feed.id, FeedRow.next_at == feed.next_at)
            .values(next_at=until)
        )
        with self._database.writing() as connection:
            return connection.execute(query).rowcount == 1

    def finish(self, feed: Feed) -> None:
        """Keep the state after a refresh; nothing where the feed was removed meanwhile."""
        state = ("next_at", "etag", "last_modified", "failures", "last_at", "last_error", "records")
        values = {name: getattr(feed, name) for name in state}
        with self._database.writing() as connection:
            connection.execute(sa.update(FeedRow).where(FeedRow.id == feed.id).values(values))

    def remove(self, feed_id: str) -> bool:
        """Remove a feed; its records stay. Says whether there was one."""
        with self._database.writing() as connection:
            connection.execute(sa.delete(FeedItemRow).where(FeedItemRow.feed_id == feed_id))
            return connection.execute(sa.delete(FeedRow).where(FeedRow.id == feed_id)).rowcount == 1

    def items(self, feed_id: str) -> set[str]:
        """The ids of the records that came from a feed."""
        query = sa.select(FeedItemRow.record_id).where(FeedItemRow.feed_id == feed_id)
        with self._database.reading() as connection:
            return set(connection.execute(query).scalars())

    def owners(self, contents: Collection[str]) -> Mapping[str, str]:
        """The record that each of the contents came first with, in any feed."""
        owners: dict[str, str] = {}
        with self._database.reading() as connection:
            for part in in_parts(contents):
                query = sa.select(FeedItemRow.content, FeedItemRow.record_id)
                for content, record_id in connection.execute(query.where(FeedItemRow.content.in_(part))):
                    owners.setdefault(content, record_id)
        return owners

    def keep_items(self, feed_id: str, contents: Mapping[str, str], gone: Collection[str]) -> None:
        """Note the content of records (record id -> content) that are in, and forget those that are gone."""
        with self._database.writing() as connection:
            for part in in_parts({*contents, *gone}):
                connection.execute(sa.delete(FeedItemRow).where(FeedItemRow.record_id.in_(part)))
            rows = [
                {"record_id": record_id, "feed_id": feed_id, "content": content}
                for record_id, content in contents.items()
            ]
            if rows:
                connection.execute(sa.insert(FeedItemRow), rows)


_FEEDS = sa.select(FeedRow)


def _feed(row: Row[*tuple[object, ...]]) -> Feed:
    return Feed(**{name: getattr(row, name) for name in _FIELDS})
