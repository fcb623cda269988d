"""The access keys in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from service.errors import Conflict, PreconditionFailed
from service.store.access_models import KeyRow
from service.store.account_models import AccountRow
from service.store.audit_log import append
from service.store.database import Database, wait_for_turn


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A row of the table; see `KeyRow` for what the hashes are."""

    id: str
    version: int
    name: str
    role: str
    scopes: list[str] | None
    secret_hash: str
    previous_hash: str | None
    previous_expires_at: datetime | None
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


_FIELDS = tuple(field.name for field in fields(StoredKey))


class SqlKeyRepository:
    """Access keys; every method is one transaction. Safe to use from threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def any(self) -> bool:
        """Was a key or an account ever made? See `anyone_let_in`."""
        with self._database.reading() as connection:
            return anyone_let_in(connection)

    def add(self, key: StoredKey, *, only_as_first: bool = False) -> bool:
        """Store a new key; with `only_as_first` not if there is one already, or an account. Says whether it
        was stored.
        """
        with self._database.writing() as connection:
            if only_as_first:
                wait_for_turn(connection, "first key")
                if anyone_let_in(connection):
                    return False
            values = {name: getattr(key, name) for name in _FIELDS}
            connection.execute(sa.insert(KeyRow).values(**values))
            shown = {"name": key.name, "role": key.role, "scopes": key.scopes}
            append(connection, "key.create", key.id, shown)
            return True

    def get(self, key_id: str) -> StoredKey | None:
        """The key with this id, revoked or not."""
        with self._database.reading() as connection:
            return _get(connection, key_id)

    def list(self, after: str | None = None, limit: int = 100) -> Sequence[StoredKey]:
        """At most `limit` keys in order of creation, those made after the key with the id `after`."""
        query = sa.select(KeyRow).order_by(KeyRow.number).limit(limit)
        if after is not None:
            query = query.where(
                KeyRow.number > sa.select(KeyRow.number).where(KeyRow.id == after).scalar_subquery()
            )
        with self._database.reading() as connection:
            return [_stored(row) for row in connection.execute(query)]

    def update(
        self, key_id: str, values: dict[str, Any], *, action: str, version: int | None = None
    ) -> StoredKey | None:
        """Change columns of a key that is not revoked and raise its version; returns it as it is then, or
        None where there is no such key. `action` is the name for the audit log.

        Raises:
            PreconditionFailed: `version` is given and the key has another one by now.
            Conflict: the key is revoked.
        """
        with self._database.writing() as connection:
            known = _get(connection, key_id, lock=True)
            if known is None:
                return None
            if version is not None and known.version != version:
                raise PreconditionFailed("The key was changed since you read it; read it again.")
            if known.revoked_at is not None:
                raise Conflict("The key is revoked; create another one.")
            connection.execute(
                sa.update(KeyRow).where(KeyRow.id == key_id).values(**values, version=known.version + 1)
            )
            shown = {name: str(value) for name, value in values.items() if not name.endswith("_hash")}
            append(connection, action, key_id, shown)
            return _get(connection, key_id)

    def mark_used(self, key_id: str, at: datetime) -> None:
        """Note when a key was last used."""
        with self._database.writing() as connection:
            connection.execute(sa.update(KeyRow).where(KeyRow.id == key_id).values(last_used_at=at))


def anyone_let_in(connection: Connection) -> bool:
    """Was a key or an account ever made? Revoked and disabled ones count: what was closed once does not open
    again.
    """
    rows = (sa.select(column).limit(1) for column in (KeyRow.number, AccountRow.number))
    return any(connection.execute(query).first() is not None for query in rows)


def _get(connection: Connection, key_id: str, *, lock: bool = False) -> StoredKey | None:
    query = sa.select(KeyRow).where(KeyRow.id == key_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else _stored(row)


def _stored(row: Row[*tuple[Any, ...]]) -> StoredKey:
    return StoredKey(**{name: getattr(row, name) for name in _FIELDS})
