"""The outbox: an event is written in the transaction of what it tells, and delivered from there.

Neither is there without the other, so nothing that was committed goes untold, whenever the process dies.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from service.store.webhook_models import WebhookDeliveryRow, WebhookEventRow, WebhookRow
from service.webhooks.events import DATA_OF, EventName


def publish(connection: Connection, name: EventName, data: Mapping[str, Any]) -> None:
    """Tell every enabled webhook that asked for `name`, once the caller's transaction is committed.

    `data` must fit `service.webhooks.events.DATA_OF[name]` (ValueError where it does not). Call it before
    `audit_log.append`, which lets no other writer past it.
    """
    content = DATA_OF[name].model_validate(dict(data)).model_dump(mode="json")
    query = sa.select(WebhookRow.number, WebhookRow.events).where(WebhookRow.enabled)
    # On PostgreSQL nobody removes them until the caller's commit; they can be changed.
    query = query.with_for_update(read=True, key_share=True)
    hearers = [number for number, events in connection.execute(query) if events is None or name in events]
    enqueue(connection, name, content, hearers)


def enqueue(
    connection: Connection, name: EventName, content: Mapping[str, Any], hearers: Sequence[int]
) -> str | None:
    """Write an event and its deliveries, due at once, to the webhooks with these numbers. Returns the id of
    the last delivery; None, and nothing is written, where there is no hearer.
    """
    if not hearers:
        return None
    now = datetime.now(UTC)
    body = {"type": name, "timestamp": now.isoformat(), "data": content}
    row = sa.insert(WebhookEventRow).values(
        id="msg_" + secrets.token_hex(16),
        name=name,
        # The bytes that are signed: written once, so that every attempt sends the same.
        body=json.dumps(body, ensure_ascii=False, separators=(",", ":")),
        created_at=now,
    )
    event = connection.execute(row.returning(WebhookEventRow.number)).scalar_one()
    deliveries = [
        {
            "id": "dlv_" + secrets.token_hex(16),
            "webhook_number": hearer,
            "event_number": event,
            "state": "pending",
            "next_at": now,
            "tries": 0,
            "attempts": [],
            "created_at": now,
        }
        for hearer in hearers
    ]
    connection.execute(sa.insert(WebhookDeliveryRow), deliveries)
    return str(deliveries[-1]["id"])
