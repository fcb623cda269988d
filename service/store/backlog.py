"""How much waits to be done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase

from service.store.audit_models import AuditRunRow
from service.store.database import Database
from service.store.models import FeedRow, LabelRow
from service.store.review_models import ReviewRow
from service.store.webhook_models import WebhookDeliveryRow, WebhookRow

_WHAT: Final[Mapping[str, tuple[type[DeclarativeBase], sa.ColumnElement[bool]]]] = {
    # Evidence did not suffice: a person has to decide.
    "labels_undecided": (LabelRow, LabelRow.status.in_(("draft", "disputed"))),
    "reviews_open": (ReviewRow, ReviewRow.state == "open"),
    "audits_unfinished": (AuditRunRow, AuditRunRow.state.in_(("queued", "running"))),
    "webhook_deliveries_pending": (WebhookDeliveryRow, WebhookDeliveryRow.state == "pending"),
    "webhooks_failing": (WebhookRow, WebhookRow.failing_since.is_not(None)),
    "feeds_failing": (FeedRow, FeedRow.failures > 0),
}


def backlog(database: Database) -> dict[str, int]:
    """Counts by kind, all at one moment. Raises StoreError."""
    counts: dict[str, Any] = {}
    with database.reading() as connection:
        for kind, (row, waits) in _WHAT.items():
            query = sa.select(sa.func.count()).select_from(row).where(waits)
            counts[kind] = connection.execute(query).scalar_one()
    return counts
