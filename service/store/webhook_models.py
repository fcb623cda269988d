"""The tables of webhooks: who wants to hear, what happened, and what became of telling them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.store.models import Base, Number, UtcDateTime


class WebhookRow(Base):
    """An endpoint that events are sent to. Its secrets are encrypted (`service.webhooks.vault`).

    `events` null means all of them. `failing_since` is the first failure after the last success.
    """

    __tablename__ = "webhooks"
    __table_args__ = ({"sqlite_autoincrement": True},)

    number: Mapped[int] = mapped_column(Number, primary_key=True)
    id: Mapped[str] = mapped_column(String(40), unique=True)
    version: Mapped[int] = mapped_column()
    url: Mapped[str] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(String(500))
    events: Mapped[list[str] | None] = mapped_column(sa.JSON(none_as_null=True))
    enabled: Mapped[bool] = mapped_column()
    disabled_reason: Mapped[str | None] = mapped_column(String(20))
    failing_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    secret: Mapped[str] = mapped_column(Text)
    previous_secret: Mapped[str | None] = mapped_column(Text)
    previous_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class WebhookEventRow(Base):
    """Something that happened, as the exact body that is sent for it to every endpoint, however often."""

    __tablename__ = "webhook_events"
    __table_args__ = ({"sqlite_autoincrement": True},)

    number: Mapped[int] = mapped_column(Number, primary_key=True)
    id: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(40))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class WebhookDeliveryRow(Base):
    """One event for one endpoint. While `state` is pending, it is due at `next_at`; a worker that takes it
    moves that to the end of its turn, so that a killed one's work is taken up again.

    `tries` counts since the last redelivery was asked for; `attempts` are all that there were, oldest first.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        Index("ix_webhook_deliveries_due", "state", "next_at"),
        Index("ix_webhook_deliveries_webhook_number", "webhook_number", "number"),
        {"sqlite_autoincrement": True},
    )

    number: Mapped[int] = mapped_column(Number, primary_key=True)
    id: Mapped[str] = mapped_column(String(40), unique=True)
    webhook_number: Mapped[int] = mapped_column(ForeignKey("webhooks.number", ondelete="CASCADE"))
    event_number: Mapped[int] = mapped_column(
        ForeignKey("webhook_events.number", ondelete="CASCADE"), index=True
    )
    state: Mapped[str] = mapped_column(String(10))
    next_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    tries: Mapped[int] = mapped_column()
    attempts: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
