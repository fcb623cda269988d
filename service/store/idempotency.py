"""Requests sent with an Idempotency-Key, in the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa

from service.store.access_models import IdempotencyRow
from service.store.database import Database, insert_if_absent


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as it was sent; `body` None where it held a secret and was not kept."""

    status: int
    headers: list[list[str]]
    body: bytes | None


class Claim(StrEnum):
    """Why a request must not be carried out."""

    IN_PROGRESS = "in progress"
    OTHER_REQUEST = "other request"


class SqlIdempotencyRepository:
    """Each method is one transaction. Safe to use from threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(
        self, caller: str, key_hash: str, request_hash: str, *, now: datetime, until: datetime
    ) -> Claim | StoredAnswer | None:
        """Claim a key for a request, until `until` at most; None means that the caller now holds it and
        carries the request out.

        A claim that was never completed (its process was killed) lapses at `until`.
        """
        mine = (IdempotencyRow.caller == caller, IdempotencyRow.key_hash == key_hash)
        with self._database.writing() as connection:
            connection.execute(sa.delete(IdempotencyRow).where(*mine, IdempotencyRow.expires_at <= now))
            values = {
                "caller": caller,
                "key_hash": key_hash,
                "request_hash": request_hash,
                "expires_at": until,
            }
            if insert_if_absent(connection, IdempotencyRow, values):
                return None
            row = connection.execute(sa.select(IdempotencyRow).where(*mine)).one()
            if row.request_hash != request_hash:
                return Claim.OTHER_REQUEST
            if row.status is None:
                return Claim.IN_PROGRESS
            return StoredAnswer(row.status, row.headers, row.body)

    def complete(self, caller: str, key_hash: str, answer: StoredAnswer, *, until: datetime) -> None:
        """Keep the answer to a request until `until`."""
        with self._database.writing() as connection:
            connection.execute(
                sa.update(IdempotencyRow)
                .where(IdempotencyRow.caller == caller, IdempotencyRow.key_hash == key_hash)
                .values(status=answer.status, headers=answer.headers, body=answer.body, expires_at=until)
            )

    def release(self, caller: str, key_hash: str) -> None:
        """Forget a request that came to nothing: the same key may try again."""
        with self._database.writing() as connection:
            connection.execute(
                sa.delete(IdempotencyRow).where(
                    IdempotencyRow.caller == caller,
                    IdempotencyRow.key_hash == key_hash,
                    IdempotencyRow.status.is_(None),
                )
            )

    def purge(self, now: datetime) -> int:
        """Remove what does not count any more; returns how many."""
        with self._database.writing() as connection:
            done = connection.execute(sa.delete(IdempotencyRow).where(IdempotencyRow.expires_at <= now))
            return done.rowcount
