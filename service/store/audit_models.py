"""The tables of audits: many items analysed in one run."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.store.models import Base, Number, UtcDateTime


class AuditRunRow(Base):
    """An audit and how far it has come: its first `done` items have results.

    `path` is where its items are still to be read from, null once they are in `audit_items`. `attempts`
    counts how often the item with number `attempted` was begun at a start: an item that ends the process is
    given up after some. `seconds` is time at work, pauses left out.
    """

    __tablename__ = "audits"
    __table_args__ = ({"sqlite_autoincrement": True},)

    number: Mapped[int] = mapped_column(Number, primary_key=True)
    id: Mapped[str] = mapped_column(String(40), unique=True)
    state: Mapped[str] = mapped_column(String(20), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    source: Mapped[str] = mapped_column(String(500))
    format: Mapped[str] = mapped_column(String(20))
    path: Mapped[str | None] = mapped_column(Text)
    checks: Mapped[list[str]] = mapped_column(sa.JSON)
    target_fpr: Mapped[float | None] = mapped_column()
    created_by: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    total: Mapped[int | None] = mapped_column()
    done: Mapped[int] = mapped_column()
    refused: Mapped[int] = mapped_column()
    reused: Mapped[int] = mapped_column()
    seconds: Mapped[float] = mapped_column()
    error: Mapped[str | None] = mapped_column(Text)
    attempted: Mapped[int | None] = mapped_column()
    attempts: Mapped[int] = mapped_column()
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)


class AuditItemRow(Base):
    """One item: as it was sent until its result is there, then the result.

    `input` and `result` are packed JSON. `facts` is what the report needs of both.
    """

    __tablename__ = "audit_items"

    audit: Mapped[int] = mapped_column(
        ForeignKey("audits.number", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    input: Mapped[bytes | None] = mapped_column(LargeBinary)
    result: Mapped[bytes | None] = mapped_column(LargeBinary)
    facts: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
