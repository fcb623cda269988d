"""Deliveries of events to webhooks: what is due, whose turn it is, and what became of it.

A turn is taken by moving `next_at` to its end, on the condition that nobody else has: two processes never
send the same delivery at once, and the turn of a killed one lapses by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from service.errors import Conflict
from service.store.audit_log import append
from service.store.database import Database
from service.store.outbox import enqueue
from service.store.webhook_models import WebhookDeliveryRow, WebhookEventRow, WebhookRow
from service.store.webhooks import StoredWebhook, change
from service.webhooks.events import EventName

DeliveryState = Literal["pending", "delivered", "failed"]
MAX_ATTEMPTS_KEPT: Final = 20


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request. `status` and `body` are of the answer, None where there was none; `error` says what was
    wrong, None where the endpoint took the event.
    """

    at: str
    seconds: float
    status: int | None
    body: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class StoredDelivery:
    """One event for one webhook; `attempts` are the newest ones, oldest first."""

    id: str
    webhook_id: str
    event_id: str
    event: EventName
    state: DeliveryState
    next_at: datetime | None
    attempts: tuple[Attempt, ...]
    created_at: datetime
    body: str


@dataclass(frozen=True, slots=True)
class Turn:
    """A delivery that this process may make until `until`. `tries` were made before in this round."""

    delivery_id: str
    webhook: StoredWebhook
    event_id: str
    body: str
    tries: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from an attempt: when to try again (None: no more), and whether to end the webhook."""

    delivered: bool
    next_at: datetime | None = None
    disable: Literal["gone", "failing"] | None = None


class SqlDeliveryRepository:
    """Every method is one transaction. Safe to use from threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(
        self, now: datetime, until: datetime, *, limit: int, per_webhook: int, busy: Mapping[str, int]
    ) -> Sequence[Turn]:
        """Take the turns of at most `limit` deliveries that are due, those of each webhook in order.

        `busy` says how many deliveries the caller is at, by webhook id; it gets no more than `per_webhook`
        at once, and one for a webhook whose last delivery failed.
        """
        with self._database.reading() as connection:
            due = connection.execute(_due(now, per_webhook)).all()
        chosen = _fair(due, per_webhook, busy)[:limit]
        if not chosen:
            return []
        with self._database.writing() as connection:
            taken = [row.number for row in chosen if _take(connection, row.number, row.next_at, until)]
            return _turns(connection, taken, until)

    def take_one(self, delivery_id: str, until: datetime) -> Turn | None:
        """Take the turn of this delivery, if it is pending, due or not."""
        row = WebhookDeliveryRow
        query = sa.select(row.number, row.next_at).where(row.id == delivery_id, row.state == "pending")
        with self._database.writing() as connection:
            found = connection.execute(query).one_or_none()
            if found is None or not _take(connection, found.number, found.next_at, until):
                return None
            return _turns(connection, [found.number], until)[0]

    def finish(self, turn: Turn, attempt: Attempt, verdict: Verdict) -> None:
        """Write down an attempt and what follows from it; nothing where webhook or delivery were removed.

        Where the turn had lapsed and somebody else has taken it up, only a success counts.
        """
        row = WebhookDeliveryRow
        with self._database.writing() as connection:
            # The webhook first, as everywhere: two that lock in another order would wait for each other.
            webhook = _locked_webhook(connection, turn.webhook.id)
            query = sa.select(row.number, row.state, row.next_at, row.tries, row.attempts)
            found = connection.execute(
                query.where(row.id == turn.delivery_id).with_for_update()
            ).one_or_none()
            if webhook is None or found is None:
                return
            attempts = [*found.attempts, asdict(attempt)][-MAX_ATTEMPTS_KEPT:]
            values: dict[str, Any] = {"attempts": attempts, "tries": found.tries + 1}
            ours = found.state == "pending" and found.next_at == turn.until
            if verdict.delivered:
                values |= {"state": "delivered", "next_at": None}
            elif ours and verdict.next_at is None:
                values |= {"state": "failed", "next_at": None}
            elif ours:
                values["next_at"] = verdict.next_at
            connection.execute(sa.update(row).where(row.number == found.number).values(**values))
            _note_health(connection, webhook, attempt, verdict)

    def ping(self, webhook: StoredWebhook, now: datetime) -> str:
        """Write a test event for this webhook alone; returns the id of its delivery.

        Raises Conflict where the webhook was removed meanwhile.
        """
        content = {"webhook_id": webhook.id, "asked_at": now.isoformat()}
        with self._database.writing() as connection:
            query = sa.select(WebhookRow.number).where(WebhookRow.id == webhook.id)
            query = query.with_for_update(read=True, key_share=True)
            hearers = connection.execute(query).scalars().all()
            delivery_id = enqueue(connection, "webhook.ping", content, hearers)
            if delivery_id is None:
                raise Conflict("The webhook was removed at this moment.")
            append(connection, "webhook.ping", webhook.id, {"delivery": delivery_id})
            return delivery_id

    def redeliver(self, webhook_id: str, delivery_id: str, now: datetime) -> bool:
        """Make a delivery due now, with all its tries before it; says whether there is such a one."""
        row = WebhookDeliveryRow
        owner = sa.select(WebhookRow.number).where(WebhookRow.id == webhook_id).scalar_subquery()
        with self._database.writing() as connection:
            changed = connection.execute(
                sa.update(row)
                .where(row.id == delivery_id, row.webhook_number == owner)
                .values(state="pending", next_at=now, tries=0)
            )
            if changed.rowcount == 1:
                append(connection, "webhook.redeliver", webhook_id, {"delivery": delivery_id})
            return changed.rowcount == 1

    def get(self, webhook_id: str, delivery_id: str) -> StoredDelivery | None:
        """One delivery of a webhook."""
        query = _DELIVERIES.where(WebhookRow.id == webhook_id, WebhookDeliveryRow.id == delivery_id)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _stored(row)

    def list(
        self,
        webhook_id: str,
        state: DeliveryState | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> Sequence[StoredDelivery]:
        """At most `limit` deliveries of a webhook, newest first, those before the one with the id `after`."""
        row = WebhookDeliveryRow
        query = _DELIVERIES.where(WebhookRow.id == webhook_id).order_by(row.number.desc()).limit(limit)
        if state is not None:
            query = query.where(row.state == state)
        if after is not None:
            query = query.where(row.number < sa.select(row.number).where(row.id == after).scalar_subquery())
        with self._database.reading() as connection:
            return [_stored(found) for found in connection.execute(query)]

    def purge(self, before: datetime, *, limit: int) -> int:
        """Forget at most `limit` events from before `before` that no enabled webhook waits for; returns how
        many.
        """
        waiting = (
            sa.select(WebhookDeliveryRow.number)
            .join(WebhookRow, WebhookRow.number == WebhookDeliveryRow.webhook_number)
            .where(
                WebhookDeliveryRow.event_number == WebhookEventRow.number,
                WebhookDeliveryRow.state == "pending",
                WebhookRow.enabled,
            )
        )
        old = (
            sa.select(WebhookEventRow.number)
            .where(WebhookEventRow.created_at < before, ~waiting.exists())
            .order_by(WebhookEventRow.created_at)
            .limit(limit)
        )
        with self._database.writing() as connection:
            numbers = connection.execute(old).scalars().all()
            if numbers:
                connection.execute(sa.delete(WebhookEventRow).where(WebhookEventRow.number.in_(numbers)))
            return len(numbers)


_WEBHOOK_FIELDS = tuple(StoredWebhook.__dataclass_fields__)
_DELIVERIES = (
    sa.select(
        WebhookDeliveryRow.id,
        WebhookRow.id.label("webhook_id"),
        WebhookEventRow.id.label("event_id"),
        WebhookEventRow.name.label("event"),
        WebhookDeliveryRow.state,
        WebhookDeliveryRow.next_at,
        WebhookDeliveryRow.attempts,
        WebhookDeliveryRow.created_at,
        WebhookEventRow.body,
    )
    .join(WebhookRow, WebhookRow.number == WebhookDeliveryRow.webhook_number)
    .join(WebhookEventRow, WebhookEventRow.number == WebhookDeliveryRow.event_number)
)


def _due(now: datetime, per_webhook: int) -> sa.Select[Any]:
    """What is due, the first of every webhook before the second of any."""
    row = WebhookDeliveryRow
    place = (
        sa.func.row_number()
        .over(partition_by=row.webhook_number, order_by=(row.next_at, row.number))
        .label("place")
    )
    ranked = (
        sa.select(row.number, row.next_at, place, WebhookRow.id.label("webhook_id"), WebhookRow.failing_since)
        .join(WebhookRow, WebhookRow.number == row.webhook_number)
        .where(row.state == "pending", row.next_at <= now, WebhookRow.enabled)
        .subquery()
    )
    # No limit: those of webhooks that are busy are passed over, and others stand behind them.
    return sa.select(ranked).where(ranked.c.place <= per_webhook).order_by(ranked.c.place, ranked.c.next_at)


def _fair(due: Collection[Any], per_webhook: int, busy: Mapping[str, int]) -> list[Any]:
    """What may be begun now, as long as no webhook has more than its share."""
    begun = dict(busy)
    chosen = []
    for row in due:
        share = per_webhook if row.failing_since is None else 1
        if begun.get(row.webhook_id, 0) < share:
            begun[row.webhook_id] = begun.get(row.webhook_id, 0) + 1
            chosen.append(row)
    return chosen


def _take(connection: Connection, number: int, seen: datetime | None, until: datetime) -> bool:
    row = WebhookDeliveryRow
    query = sa.update(row).where(row.number == number, row.state == "pending", row.next_at == seen)
    return connection.execute(query.values(next_at=until)).rowcount == 1


def _turns(connection: Connection, numbers: Collection[int], until: datetime) -> list[Turn]:
    row = WebhookDeliveryRow
    query = (
        sa.select(
            row.id.label("delivery_id"),
            row.tries,
            WebhookEventRow.id.label("event_id"),
            WebhookEventRow.body,
            *(getattr(WebhookRow, name).label(f"webhook_{name}") for name in _WEBHOOK_FIELDS),
        )
        .join(WebhookRow, WebhookRow.number == row.webhook_number)
        .join(WebhookEventRow, WebhookEventRow.number == row.event_number)
        .where(row.number.in_(numbers))
        .order_by(row.number)
    )
    return [
        Turn(
            found.delivery_id,
            StoredWebhook(**{name: getattr(found, f"webhook_{name}") for name in _WEBHOOK_FIELDS}),
            found.event_id,
            found.body,
            found.tries,
            until,
        )
        for found in connection.execute(query)
    ]


def _locked_webhook(connection: Connection, webhook_id: str) -> StoredWebhook | None:
    query = sa.select(WebhookRow).where(WebhookRow.id == webhook_id).with_for_update(key_share=True)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return StoredWebhook(**{name: getattr(row, name) for name in _WEBHOOK_FIELDS})


def _note_health(connection: Connection, webhook: StoredWebhook, attempt: Attempt, verdict: Verdict) -> None:
    """Since when the webhook fails, and its end where that follows."""
    since = None if verdict.delivered else webhook.failing_since or datetime.fromisoformat(attempt.at)
    if since != webhook.failing_since:
        connection.execute(
            sa.update(WebhookRow).where(WebhookRow.id == webhook.id).values(failing_since=since)
        )
    if verdict.disable is not None and webhook.enabled:
        values = {"enabled": False, "disabled_reason": verdict.disable}
        change(connection, webhook, values, "webhook.disable")


def _stored(row: Row[*tuple[Any, ...]]) -> StoredDelivery:
    attempts = tuple(Attempt(**attempt) for attempt in row.attempts)
    return StoredDelivery(**{**row._asdict(), "attempts": attempts})
