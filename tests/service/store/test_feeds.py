"""Feeds refreshed into a real store: added, corrected, taken back, backed off, one process at a time."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.feeds import FeedRefresh, new_feed
from service.fetching import Fetched, FetchError
from service.records import RecordIngest
from service.store import Store
from service.store.feeds import Feed

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)


class Network:
    """Answers what it is told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.error: FetchError | None = None
        self.asked: list[tuple[str | None, str | None]] = []

    def fetch(self, url: str, *, etag: str | None = None, last_modified: str | None = None) -> Fetched:
        self.asked.append((etag, last_modified))
        if self.error is not None:
            raise self.error
        content = "\n".join(json.dumps(row) for row in self.rows).encode()
        if etag == str(hash(content)):
            return Fetched(url, None, etag, last_modified)
        return Fetched(url, content, str(hash(content)), "Tue, 05 Mar 2024 10:00:00 GMT")


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
def refreshing(store: Store, ingest: RecordIngest, network: Network) -> FeedRefresh:
    return FeedRefresh(store, ingest, network)


def added(store: Store, **fields: Any) -> Feed:
    feed = replace(
        new_feed("https://desk.example/a.jsonl", "jsonl", publisher="Desk", language="en", **fields),
        next_at=NOW,
    )
    assert store.feeds.add(feed)
    return feed


ROAD = {"id": "1", "claim": "The road is open.", "rating": "True"}
DAM = {"id": "2", "claim": "The dam is full.", "rating": "False"}


def claims(store: Store) -> dict[str, str | None]:
    return {record.claim: record.rating for record in store.records.list()}


def test_records_come_in_are_corrected_and_taken_back(
    store: Store, refreshing: FeedRefresh, network: Network
) -> None:
    feed = added(store)
    network.rows = [ROAD, DAM]
    (result,) = refreshing.due(NOW)
    assert (result.added, result.error) == (2, None)
    network.rows = [{**ROAD, "claim": "The road is open again."}, {**DAM, "retracted": True}]
    (result,) = refreshing.due(NOW + timedelta(hours=1))
    assert (result.added, result.updated, result.removed) == (0, 1, 1)
    assert claims(store) == {"The road is open again.": "True"}
    (version,) = store.records.versions(next(iter(store.records.list())).id)
    assert version.record.claim == "The road is open."
    kept = store.feeds.get(feed.id)
    assert kept is not None
    assert (kept.records, kept.next_at) == (1, NOW + timedelta(hours=2))


def test_what_is_missing_from_a_complete_feed_was_taken_back(
    store: Store, refreshing: FeedRefresh, network: Network
) -> None:
    added(store, complete=True)
    network.rows = [ROAD, DAM]
    list(refreshing.due(NOW))
    network.rows = [DAM]
    (result,) = refreshing.due(NOW + timedelta(hours=1))
    assert (result.removed, result.unchanged) == (1, 1)
    assert claims(store) == {"The dam is full.": "False"}


def test_old_entries_of_other_feeds_stay(store: Store, refreshing: FeedRefresh, network: Network) -> None:
    added(store)
    network.rows = [ROAD]
    list(refreshing.due(NOW))
    network.rows = [DAM]
    list(refreshing.due(NOW + timedelta(hours=1)))
    assert len(claims(store)) == 2


def test_an_unchanged_answer_is_asked_for_and_not_read(
    store: Store, refreshing: FeedRefresh, network: Network
) -> None:
    added(store)
    network.rows = [ROAD]
    list(refreshing.due(NOW))
    (result,) = refreshing.due(NOW + timedelta(hours=1))
    assert not result.changed
    assert network.asked[0] == (None, None)
    assert network.asked[1][0] is not None
    assert network.asked[1][1] is not None


def test_the_same_check_in_two_feeds_is_one_record(
    store: Store, refreshing: FeedRefresh, network: Network
) -> None:
    added(store)
    other = replace(
        new_feed("https://copy.example/b.jsonl", "jsonl", publisher="Desk", language="en"), next_at=NOW
    )
    store.feeds.add(other)
    network.rows = [ROAD]
    results = list(refreshing.due(NOW))
    assert sorted((result.added, result.duplicates) for result in results) == [(0, 1), (1, 0)]
    assert len(claims(store)) == 1


def test_failures_back_off_and_success_forgets_them(
    store: Store, refreshing: FeedRefresh, network: Network
) -> None:
    feed = added(store)
    network.error = FetchError("the server answered 500")
    moment, waits = NOW, []
    for _ in range(6):
        (result,) = refreshing.due(moment)
        assert result.error is not None
        state = store.feeds.get(feed.id)
        assert state is not None
        waits.append((state.next_at - moment).total_seconds() / 3600)
        moment = state.next_at
    assert waits == [2, 4, 8, 16, 24, 24]
    network.error = None
    network.rows = [ROAD]
    list(refreshing.due(moment))
    state = store.feeds.get(feed.id)
    assert state is not None
    assert (state.failures, state.last_error) == (0, None)


def test_a_server_that_asks_to_wait_is_obeyed(
    store: Store, refreshing: FeedRefresh, network: Network
) -> None:
    feed = added(store)
    network.error = FetchError("the server answered 429", retry_after=5 * 3600)
    list(refreshing.due(NOW))
    state = store.feeds.get(feed.id)
    assert state is not None
    assert state.next_at == NOW + timedelta(hours=5)


def test_an_answer_that_is_no_feed_is_an_error_and_removes_nothing(
    store: Store, ingest: RecordIngest, network: Network, refreshing: FeedRefresh
) -> None:
    added(store, complete=True)
    network.rows = [ROAD]
    list(refreshing.due(NOW))

    class Broken(Network):
        def fetch(self, url: str, **tags: Any) -> Fetched:
            return Fetched(url, b"<html>Sorry</html>", None, None)

    (result,) = FeedRefresh(store, ingest, Broken()).due(NOW + timedelta(hours=1))
    assert "not JSON" in (result.error or "")
    assert len(claims(store)) == 1


def test_a_turn_is_taken_once(store: Store) -> None:
    feed = added(store)
    assert store.feeds.claim(feed, NOW + timedelta(minutes=15))
    assert not store.feeds.claim(feed, NOW + timedelta(minutes=15))
    assert store.feeds.due(NOW) == []
    assert [found.id for found in store.feeds.due(NOW + timedelta(minutes=16))] == [feed.id]


def test_a_refresh_killed_in_the_middle_is_done_again(
    store: Store, ingest: RecordIngest, network: Network
) -> None:
    added(store)
    network.rows = [{"id": str(number), "claim": f"Road number {number} is open."} for number in range(12)]

    class KilledError(Exception):
        pass

    class Dying:
        def add(self, items: Any) -> Any:
            for number, outcome in enumerate(ingest.add(items)):
                if number == 5:
                    raise KilledError
                yield outcome

    with pytest.raises(KilledError):
        list(FeedRefresh(store, Dying(), network).due(NOW))
    written = store.records.count()
    assert 0 < written < 12
    (result,) = FeedRefresh(store, ingest, network).due(NOW + timedelta(minutes=20))
    assert (result.added, result.unchanged) == (12 - written, written)


def test_removing_a_feed_keeps_its_records(store: Store, refreshing: FeedRefresh, network: Network) -> None:
    feed = added(store)
    network.rows = [ROAD]
    list(refreshing.due(NOW))
    assert store.feeds.remove(feed.id)
    assert not store.feeds.remove(feed.id)
    assert len(claims(store)) == 1
    assert store.feeds.list() == []
