"""The audit log: who did what, in an order that nobody can change unnoticed.

An entry is written in the transaction of what it tells: neither is there without the other. Each carries the
hash of the one before it, so a changed, removed or inserted entry breaks the chain; whoever keeps the newest
hash somewhere else also notices a log that was cut off at its end.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from service.auth.actor import current_actor
from service.store.access_models import AuditRow
from service.store.database import Database, wait_for_turn

_PART: Final = 1_000


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One entry; `hash` covers all the rest."""

    number: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: Mapping[str, Any]
    previous: str | None
    hash: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What checking the chain has found. `broken_at` is the number of the first entry that does not fit."""

    entries: int
    head: str | None
    broken_at: int | None
    reason: str | None


def append(connection: Connection, action: str, subject: str, detail: Mapping[str, Any]) -> None:
    """Add an entry within the caller's transaction, as its last write: other writers wait from here on.

    `detail` must be plain JSON, without texts of articles.
    """
    wait_for_turn(connection, AuditRow.__tablename__)
    last = connection.execute(
        sa.select(AuditRow.number, AuditRow.hash).order_by(AuditRow.number.desc()).limit(1)
    ).one_or_none()
    number, previous = (1, None) if last is None else (last.number + 1, last.hash)
    at, actor = datetime.now(UTC), current_actor()
    values = {
        "number": number,
        "at": at,
        "actor": actor,
        "action": action,
        "subject": subject,
        "detail": dict(detail),
        "previous": previous,
    }
    connection.execute(sa.insert(AuditRow).values(**values, hash=_hash(values)))


class SqlAuditLog:
    """Reading the log; what writes to it does so by `append`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, after: int = 0, limit: int = 100) -> Sequence[AuditEntry]:
        """At most `limit` entries in order, those with greater numbers than `after`."""
        query = sa.select(AuditRow).where(AuditRow.number > after).order_by(AuditRow.number).limit(limit)
        with self._database.reading() as connection:
            return [_entry(row) for row in connection.execute(query)]

    def verify(self, expected: str | None = None) -> Verification:
        """Check every entry against its hash and the one before it. `expected` is a hash noted earlier: it
        must be among them, or the log was cut off.
        """
        head: str | None = None
        count = 0
        seen = expected is None
        for entry in self._all():
            reason = _fault(entry, count, head)
            if reason is not None:
                return Verification(count, head, entry.number, reason)
            count, head = count + 1, entry.hash
            seen = seen or head == expected
        if not seen:
            return Verification(count, head, count + 1, "the entry with the expected hash is missing")
        return Verification(count, head, None, None)

    def _all(self) -> Iterator[AuditEntry]:
        after = 0
        while part := self.list(after, _PART):
            yield from part
            after = part[-1].number


def _fault(entry: AuditEntry, count: int, head: str | None) -> str | None:
    if entry.number != count + 1:
        return f"entry {count + 1} is missing"
    if entry.previous != head:
        return "it does not follow the entry before it"
    values = {name: getattr(entry, name) for name in AuditEntry.__slots__ if name != "hash"}
    if _hash(values) != entry.hash:
        return "its content was changed"
    return None


def _hash(values: Mapping[str, Any]) -> str:
    plain = {**values, "at": values["at"].isoformat()}
    canonical = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _entry(row: Row[*tuple[Any, ...]]) -> AuditEntry:
    return AuditEntry(**{name: getattr(row, name) for name in AuditEntry.__slots__})
