"""The endpoints of webhooks in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from service.errors import PreconditionFailed
from service.store.audit_log import append
from service.store.database import Database
from service.store.webhook_models import WebhookRow


@dataclass(frozen=True, slots=True)
class StoredWebhook:
    """A row of the table; see `WebhookRow`."""

    id: str
    version: int
    url: str
    description: str | None
    events: list[str] | None
    enabled: bool
    disabled_reason: str | None
    failing_since: datetime | None
    secret: str
    previous_secret: str | None
    previous_expires_at: datetime | None
    created_by: str
    created_at: datetime


_FIELDS = tuple(field.name for field in fields(StoredWebhook))
_SECRET = frozenset({"secret", "previous_secret"})


class SqlWebhookRepository:
    """Endpoints; every method is one transaction. Safe to use from threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, webhook: StoredWebhook) -> None:
        """Store a new endpoint."""
        with self._database.writing() as connection:
            values = {name: getattr(webhook, name) for name in _FIELDS}
            connection.execute(sa.insert(WebhookRow).values(**values))
            shown = {"url": webhook.url, "events": webhook.events}
            append(connection, "webhook.create", webhook.id, shown)

    def get(self, webhook_id: str) -> StoredWebhook | None:
        """The endpoint with this id."""
        with self._database.reading() as connection:
            return _get(connection, webhook_id)

    def list(self, after: str | None = None, limit: int = 100) -> Sequence[StoredWebhook]:
        """At most `limit` endpoints in order of creation, those made after the one with the id `after`."""
        query = sa.select(WebhookRow).order_by(WebhookRow.number).limit(limit)
        if after is not None:
            known = sa.select(WebhookRow.number).where(WebhookRow.id == after).scalar_subquery()
            query = query.where(WebhookRow.number > known)
        with self._database.reading() as connection:
            return [_stored(row) for row in connection.execute(query)]

    def update(
        self, webhook_id: str, values: Mapping[str, Any], *, action: str, version: int | None = None
    ) -> StoredWebhook | None:
        """Change columns and raise the version; None where there is no such endpoint. `action` is the name
        for the audit log.

        Raises PreconditionFailed where `version` is given and is no longer the endpoint's.
        """
        with self._database.writing() as connection:
            known = _get(connection, webhook_id, lock=True)
            if known is None:
                return None
            if version is not None and known.version != version:
                raise PreconditionFailed("The webhook was changed since you read it; read it again.")
            change(connection, known, values, action)
            return _get(connection, webhook_id)

    def remove(self, webhook_id: str, version: int | None = None) -> bool:
        """Remove an endpoint with its deliveries; says whether there was one.

        Raises PreconditionFailed as `update` does.
        """
        with self._database.writing() as connection:
            known = _get(connection, webhook_id, lock=True)
            if known is None:
                return False
            if version is not None and known.version != version:
                raise PreconditionFailed("The webhook was changed since you read it; read it again.")
            connection.execute(sa.delete(WebhookRow).where(WebhookRow.id == webhook_id))
            append(connection, "webhook.delete", webhook_id, {"url": known.url})
            return True


def change(connection: Connection, known: StoredWebhook, values: Mapping[str, Any], action: str) -> None:
    """Change an endpoint within the caller's transaction, as its last write, and note it in the audit log."""
    connection.execute(
        sa.update(WebhookRow).where(WebhookRow.id == known.id).values(**values, version=known.version + 1)
    )
    shown = {
        name: value if isinstance(value, bool | str | list | None) else str(value)
        for name, value in values.items()
        if name not in _SECRET
    }
    append(connection, action, known.id, shown)


def _get(connection: Connection, webhook_id: str, *, lock: bool = False) -> StoredWebhook | None:
    query = sa.select(WebhookRow).where(WebhookRow.id == webhook_id)
    # The weaker lock on PostgreSQL, which does not keep anybody from publishing.
    query = query.with_for_update(key_share=True) if lock else query
    row = connection.execute(query).one_or_none()
    return None if row is None else _stored(row)


def _stored(row: Row[*tuple[Any, ...]]) -> StoredWebhook:
    return StoredWebhook(**{name: getattr(row, name) for name in _FIELDS})
