"""One refresh of a feed: fetch, read, write, and say when to come again."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from index.feeds import FeedContent, FeedError, FeedKind, FeedSource, read_feed
from index.feeds.content import content_key
from index.records import VerifiedRecord
from service.errors import TamgaError
from service.fetching import Fetched, Fetcher, FetchError, FetchingOff
from service.fetching.addresses import read_networks
from service.records import IngestOutcome
from service.settings import Settings
from service.store.feeds import Feed
from service.store.store import Store

log = logging.getLogger(__name__)

LEAST_EVERY: Final = 60
MOST_BACK_OFF: Final = timedelta(hours=24)
_TURN = timedelta(minutes=15)
_MOST_DOUBLINGS = 10


class Fetching(Protocol):
    """What a refresh needs of the network."""

    def fetch(self, url: str, *, etag: str | None = None, last_modified: str | None = None) -> Fetched:
        """Get an address. Raises FetchError."""


class Ingest(Protocol):
    """What a refresh needs to write records."""

    def add(self, items: Iterable[VerifiedRecord]) -> Iterator[IngestOutcome]:
        """Add or update records; outcomes come in order, each after its commit."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What one refresh did. `error` is None where it went well; `rejected` are items left out, in words."""

    feed_id: str
    changed: bool = False
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    duplicates: int = 0
    rejected: tuple[str, ...] = ()
    error: str | None = None


def new_feed(
    url: str,
    kind: FeedKind,
    *,
    publisher: str | None = None,
    language: str | None = None,
    every_seconds: int = 3600,
    complete: bool = False,
    feed_id: str | None = None,
) -> Feed:
    """A feed that is due at once. Its id, if none is given, is made from the address, so that adding it twice
    changes it.
    """
    own = feed_id or hashlib.sha256(url.encode()).hexdigest()[:12]
    now = datetime.now(UTC)
    return Feed(own, url, kind, publisher, language, max(LEAST_EVERY, every_seconds), complete, now)


def fetcher_of(settings: Settings) -> Fetcher:
    """The guarded fetcher. Raises FetchingOff where the settings do not switch it on."""
    if not settings.fetching:
        raise FetchingOff("Set TAMGA_FETCHING=true to let Tamga fetch feeds.")
    networks = read_networks(settings.fetch_networks)
    return Fetcher(max_bytes=settings.fetch_max_bytes, seconds=settings.fetch_seconds, networks=networks)


class FeedRefresh:
    """Refreshes feeds over one store; `ingest` embeds what is new."""

    def __init__(self, store: Store, ingest: Ingest, fetcher: Fetching) -> None:
        self._store = store
        self._ingest = ingest
        self._fetcher = fetcher

    def due(self, now: datetime | None = None) -> Iterator[Refreshed]:
        """Refresh every feed that is due, one after the other."""
        for feed in self._store.feeds.due(now or datetime.now(UTC)):
            yield from self.refresh(feed, now)

    def refresh(self, feed: Feed, now: datetime | None = None) -> Iterator[Refreshed]:
        """Refresh one feed now, unless another process is at it; the state is stored before the result comes.

        Records are committed one chunk after the other: a refresh that is killed is done again from the
        start, and finds what it had written unchanged.
        """
        now = now or datetime.now(UTC)
        if not self._store.feeds.claim(feed, now + _TURN):
            return
        try:
            fetched = self._fetcher.fetch(feed.url, etag=feed.etag, last_modified=feed.last_modified)
            result = Refreshed(feed.id)
            if fetched.content is not None:
                source = FeedSource(feed.id, fetched.url, feed.publisher, feed.language)
                result = self._write(feed, read_feed(fetched.content, feed.kind, source))
        except (TamgaError, FeedError) as error:
            self._store.feeds.finish(_failed(feed, error, now))
            log.warning("feed %s: %s", feed.id, error)
            yield Refreshed(feed.id, error=str(error))
            return
        self._store.feeds.finish(
            replace(
                feed,
                next_at=now + timedelta(seconds=feed.every_seconds),
                etag=fetched.etag,
                last_modified=fetched.last_modified,
                failures=0,
                last_at=now,
                last_error=None,
                records=len(self._store.feeds.items(feed.id)),
            )
        )
        yield result

    def _write(self, feed: Feed, content: FeedContent) -> Refreshed:
        feeds, records = self._store.feeds, self._store.records
        known = feeds.items(feed.id)
        contents = {record.id: content_key(record) for record in content.records}
        owners = feeds.owners(set(contents.values()))
        # The same claim with the same verdict that another item or feed brought first stays that one's.
        own = [r for r in content.records if owners.get(contents[r.id], r.id) == r.id]
        counts = self._ingest_all(own)
        gone = known & set(content.retracted)
        if feed.complete:
            gone |= known - contents.keys()
        gone -= {record.id for record in own}
        removed = sum(records.delete(record_id) for record_id in sorted(gone))
        feeds.keep_items(feed.id, {record.id: contents[record.id] for record in own}, gone)
        return Refreshed(
            feed.id,
            changed=bool(counts["added"] or counts["updated"] or removed),
            added=counts["added"],
            updated=counts["updated"],
            unchanged=counts["unchanged"],
            removed=removed,
            duplicates=content.duplicates + len(content.records) - len(own),
            rejected=tuple(content.rejected),
        )

    def _ingest_all(self, records: Iterable[VerifiedRecord]) -> dict[str, int]:
        counts = {"added": 0, "updated": 0, "unchanged": 0, "rejected": 0}
        for outcome in self._ingest.add(records):
            counts[outcome.status] += 1
        return counts


def _failed(feed: Feed, error: Exception, now: datetime) -> Feed:
    """Come again later the more often it failed in a row, and never before the server asks to."""
    failures = feed.failures + 1
    wait = min(MOST_BACK_OFF, timedelta(seconds=feed.every_seconds) * 2 ** min(failures, _MOST_DOUBLINGS))
    if isinstance(error, FetchError) and error.retry_after is not None:
        wait = max(wait, min(MOST_BACK_OFF, timedelta(seconds=error.retry_after)))
    return replace(feed, failures=failures, last_at=now, last_error=str(error)[:1_000], next_at=now + wait)
