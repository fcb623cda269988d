"""What a newsroom sets while the service runs, in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from service.auth.actor import current_actor
from service.errors import PreconditionFailed
from service.store.audit_log import append
from service.store.database import Database, insert_if_absent
from service.store.policy_models import PolicyRow, TrustAnchorRow

_ONLY: Final = 1


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """The row of settings; before the first change version 0, and everything is left to the environment."""

    version: int = 0
    target_fpr: float | None = None
    countries: Sequence[str] | None = None
    changed_by: str | None = None
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoredAnchor:
    """A trusted certificate, see `TrustAnchorRow`."""

    fingerprint: str
    pem: str
    added_by: str
    added_at: datetime


class SqlPolicyRepository:
    """The settings and trust anchors; every method is one transaction. Safe to use from threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self) -> StoredPolicy:
        """The settings as they are now."""
        with self._database.reading() as connection:
            return _get(connection)

    def update(self, changes: Mapping[str, Any], version: int | None = None) -> StoredPolicy:
        """Set columns of the row (null gives one back to the environment), and note it in the audit log.

        Raises:
            PreconditionFailed: `version` is given and the settings have another one by now.
        """
        with self._database.writing() as connection:
            changed = _change(connection, changes, version)
            append(connection, "settings.update", "settings", dict(changes))
            return changed

    def anchors(self) -> Sequence[StoredAnchor]:
        """All trusted certificates, in order of their being added."""
        row = TrustAnchorRow
        query = sa.select(row.fingerprint, row.pem, row.added_by, row.added_at)
        with self._database.reading() as connection:
            found = connection.execute(query.order_by(row.added_at, row.fingerprint)).all()
        return [StoredAnchor(*item) for item in found]

    def add_anchors(self, anchors: Mapping[str, tuple[str, str]]) -> int:
        """Trust certificates: fingerprint -> PEM and subject. Says how many were not trusted before."""
        added: list[tuple[str, str]] = []
        with self._database.writing() as connection:
            now, actor = datetime.now(UTC), current_actor()
            for fingerprint, (pem, subject) in sorted(anchors.items()):
                values = {"fingerprint": fingerprint, "pem": pem, "added_by": actor, "added_at": now}
                if insert_if_absent(connection, TrustAnchorRow, values):
                    added.append((fingerprint, subject))
            if added:
                _change(connection, {}, None)
            for fingerprint, subject in added:
                append(connection, "trust_anchor.add", fingerprint, {"certificate": subject})
        return len(added)

    def remove_anchor(self, fingerprint: str) -> bool:
        """Trust a certificate no more; says whether it was trusted."""
        row = TrustAnchorRow
        with self._database.writing() as connection:
            removed = connection.execute(sa.delete(row).where(row.fingerprint == fingerprint)).rowcount == 1
            if removed:
                _change(connection, {}, None)
                append(connection, "trust_anchor.remove", fingerprint, {})
            return removed


def _get(connection: Connection) -> StoredPolicy:
    row = PolicyRow
    query = sa.select(row.version, row.target_fpr, row.countries, row.changed_by, row.changed_at)
    found = connection.execute(query.where(row.id == _ONLY)).one_or_none()
    return StoredPolicy() if found is None else StoredPolicy(*found)


def _change(connection: Connection, changes: Mapping[str, Any], version: int | None) -> StoredPolicy:
    stamp = {"changed_by": current_actor(), "changed_at": datetime.now(UTC)}
    # Two first changes at once: the second waits here until the first is through.
    insert_if_absent(connection, PolicyRow, {"id": _ONLY, "version": 0, **stamp})
    locked = sa.select(PolicyRow.version).where(PolicyRow.id == _ONLY).with_for_update()
    known = connection.execute(locked).scalar_one()
    if version is not None and known != version:
        raise PreconditionFailed("The settings were changed since you read them; read them again.")
    values = {**changes, **stamp, "version": known + 1}
    connection.execute(sa.update(PolicyRow).where(PolicyRow.id == _ONLY).values(values))
    return _get(connection)
