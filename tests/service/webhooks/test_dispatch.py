"""Deliveries among processes: turns are taken once, lapse, and are taken up again."""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.settings import Settings
from service.store import Store, open_store
from service.store.deliveries import Attempt, Verdict
from service.webhooks import dispatch, schedule
from service.webhooks.endpoints import Webhooks

MINUTE = timedelta(minutes=1)


def take(store: Store, now: datetime, limit: int = 10, **busy: int) -> list[Any]:
    return list(store.deliveries.take(now, now + MINUTE, limit=limit, per_webhook=2, busy=busy))


def test_a_turn_is_taken_once_and_lapses(store: Store, make: Any, tell: Any) -> None:
    make("https://cms.example/hook")
    tell()
    now = datetime.now(UTC) + timedelta(seconds=1)
    (turn,) = take(store, now)
    assert take(store, now) == []
    # Whoever held it was killed.
    (again,) = take(store, now + MINUTE)
    assert (again.delivery_id, again.event_id, again.body) == (turn.delivery_id, turn.event_id, turn.body)
    failed = Attempt(now.isoformat(), 0.1, None, None, "took too long")
    # It was only slow: its failure changes nothing any more, its success would.
    store.deliveries.finish(turn, failed, Verdict(delivered=False, next_at=None))
    found = store.deliveries.get(turn.webhook.id, turn.delivery_id)
    assert found is not None
    assert (found.state, found.next_at, len(found.attempts)) == ("pending", again.until, 1)
    store.deliveries.finish(turn, Attempt(now.isoformat(), 0.1, 204, "", None), Verdict(delivered=True))
    found = store.deliveries.get(turn.webhook.id, turn.delivery_id)
    assert found is not None
    assert (found.state, found.next_at, len(found.attempts)) == ("delivered", None, 2)
    assert take(store, now + 2 * MINUTE) == []


def test_turns_are_shared_fairly(store: Store, make: Any, tell: Any) -> None:
    first, second = make("https://one.example/"), make("https://two.example/")
    for number in range(4):
        tell(number)
    now = datetime.now(UTC) + timedelta(seconds=1)
    turns = take(store, now, limit=3)
    assert Counter(turn.webhook.id for turn in turns) in ({first: 2, second: 1}, {first: 1, second: 2})
    # Two each at once, and what was begun counts.
    (turn,) = take(store, now, **Counter(turn.webhook.id for turn in turns))
    counts = Counter(turn.webhook.id for turn in [*turns, turn])
    assert counts == {first: 2, second: 2}
    # One that fails is tried one at a time.
    failed = Attempt(now.isoformat(), 0.1, 500, "", "answered 500")
    store.deliveries.finish(turn, failed, Verdict(delivered=False, next_at=now))
    assert Counter(turn.webhook.id for turn in take(store, now))[turn.webhook.id] == 1


def test_processes_that_deliver_together_deliver_once(
    settings: Settings, store: Store, make: Any, tell: Any, receiver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "LOOK_EVERY_SECONDS", 0.01)
    webhook_id = make(f"{receiver.url}/ok")
    stores = [open_store(settings.database) for _ in range(3)]
    dispatchers = [Webhooks(settings, opened).dispatcher() for opened in stores]
    for dispatcher in dispatchers:
        dispatcher.start()
    for number in range(30):
        tell(number)
    receiver.wait_for("/ok", 30)
    for dispatcher in dispatchers:
        dispatcher.stop()
    for opened in stores:
        opened.close()
    assert set(Counter(one.id for one in receiver.received).values()) == {1}
    assert {delivery.state for delivery in store.deliveries.list(webhook_id)} == {"delivered"}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_stopping_finishes_what_is_on_its_way_and_begins_nothing_more(
    store: Store, webhooks: Webhooks, make: Any, tell: Any, receiver: Any
) -> None:
    webhook_id = make(f"{receiver.url}/slow/0.5")
    for number in range(6):
        tell(number)
    dispatcher = webhooks.dispatcher()
    dispatcher.start()
    receiver.wait_for("/slow", 4)
    dispatcher.stop()
    states = Counter(delivery.state for delivery in store.deliveries.list(webhook_id))
    assert states == {"delivered": 4, "pending": 2}
    assert len(receiver.received) == 4


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_webhook_that_fails_for_days_is_disabled(
    store: Store, webhooks: Webhooks, make: Any, tell: Any, receiver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook_id = make(f"{receiver.url}/status/500")
    monkeypatch.setattr(schedule, "DISABLE_AFTER", timedelta(0))
    tell()
    (delivery,) = webhooks.deliveries(webhook_id)
    webhooks.deliver_now(delivery)
    assert webhooks.get(webhook_id).enabled
    since = webhooks.get(webhook_id).failing_since
    assert since is not None
    again = webhooks.deliver_now(delivery)
    found = webhooks.get(webhook_id)
    assert (found.enabled, found.disabled_reason, found.failing_since) == (False, "failing", since)
    assert "webhook.disable" in [entry.action for entry in store.audit_log.list()]
    # Nothing more is sent, and it waits for as long as events are kept.
    assert take(store, datetime.now(UTC) + timedelta(days=2)) == []
    assert again.state == "pending"


def test_old_events_are_forgotten_unless_somebody_waits_for_them(
    store: Store, webhooks: Webhooks, make: Any, tell: Any, receiver: Any
) -> None:
    done, waiting = make(f"{receiver.url}/ok"), make(f"{receiver.url}/status/500")
    tell()
    webhooks.deliver_now(webhooks.deliveries(done)[0])
    later = datetime.now(UTC) + timedelta(days=1)
    assert store.deliveries.purge(later, limit=10) == 0
    webhooks.update(waiting, {"enabled": False})
    assert store.deliveries.purge(datetime.now(UTC) - MINUTE, limit=10) == 0
    assert store.deliveries.purge(later, limit=10) == 1
    assert list(webhooks.deliveries(done)) == list(webhooks.deliveries(waiting)) == []


def test_the_loop_survives_a_database_that_is_away(
    store: Store, webhooks: Webhooks, make: Any, tell: Any, receiver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "LOOK_EVERY_SECONDS", 0.02)
    make(f"{receiver.url}/ok")
    tell()
    real, calls = store.deliveries.take, []

    def take_later(*args: Any, **options: Any) -> Any:
        calls.append(time.monotonic())
        if len(calls) < 4:
            raise ConnectionError("the database is away")
        return real(*args, **options)

    monkeypatch.setattr(store.deliveries, "take", take_later)
    dispatcher = webhooks.dispatcher()
    dispatcher.start()
    receiver.wait_for("/ok")
    dispatcher.stop()
    assert len(calls) >= 4
