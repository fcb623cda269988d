"""The tables of who may call, and of what callers sent before."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.store.models import Base, Number, UtcDateTime


class KeyRow(Base):
    """An access key. Of its secret only the SHA-256 is here; a revoked key stays, so that its id keeps
    meaning what it meant.

    `previous_hash` is the secret before the last rotation, good until `previous_expires_at`.
    """

    __tablename__ = "access_keys"
    __table_args__ = ({"sqlite_autoincrement": True},)

    number: Mapped[int] = mapped_column(Number, primary_key=True)
    id: Mapped[str] = mapped_column(String(32), unique=True)
    version: Mapped[int] = mapped_column()
    name: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(20))
    scopes: Mapped[list[str] | None] = mapped_column(sa.JSON(none_as_null=True))
    secret_hash: Mapped[str] = mapped_column(String(64))
    previous_hash: Mapped[str | None] = mapped_column(String(64))
    previous_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class IdempotencyRow(Base):
    """A request that was sent with an Idempotency-Key, and its answer once there is one.

    Of the key only the SHA-256 is kept, with caller and request. `status` is null while the request is being
    carried out; `body` is null where the answer held a secret. Nothing in the row counts after `expires_at`.
    """

    __tablename__ = "idempotency_keys"
    __table_args__ = (UniqueConstraint("caller", "key_hash"), {"sqlite_autoincrement": True})

    number: Mapped[int] = mapped_column(Number, primary_key=True)
    caller: Mapped[str] = mapped_column(String(64))
    key_hash: Mapped[str] = mapped_column(String(64))
    request_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None] = mapped_column()
    headers: Mapped[list[list[str]] | None] = mapped_column(sa.JSON(none_as_null=True))
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class AuditRow(Base):
    """Something that was done, by whom. Rows are only ever added: triggers refuse anything else.

    `hash` is the SHA-256 of everything else in the row, with the hash of the row before it.
    """

    __tablename__ = "audit_log"

    number: Mapped[int] = mapped_column(Number, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(200))
    detail: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    previous: Mapped[str | None] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
