"""Accounts, sessions and preferences in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from service.errors import Conflict, PreconditionFailed
from service.store.account_models import AccountRow, LoginFailuresRow, PreferenceRow, SessionRow
from service.store.audit_log import append
from service.store.database import Database, insert_if_absent, wait_for_turn
from service.store.keys import anyone_let_in


@dataclass(frozen=True, slots=True)
class StoredAccount:
    """A row of the table; see `AccountRow`."""

    number: int
    id: str
    version: int
    login: str
    login_key: str
    name: str
    role: str
    password_hash: str
    password_changed_at: datetime
    created_by: str
    created_at: datetime
    last_login_at: datetime | None
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session and whose it is."""

    account: StoredAccount
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


_FIELDS = tuple(field.name for field in fields(StoredAccount))
_COLUMNS = tuple(getattr(AccountRow, name) for name in _FIELDS)


class SqlAccountRepository:
    """Accounts; every method is one transaction. Safe to use from threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, values: Mapping[str, Any], *, only_as_first: bool = False) -> bool:
        """Store a new account; with `only_as_first` not if a key or an account was ever made. Says whether it
        was stored.

        Raises:
            Conflict: another account has the login.
        """
        with self._database.writing() as connection:
            if only_as_first:
                wait_for_turn(connection, "first key")
                if anyone_let_in(connection):
                    return False
            if not insert_if_absent(connection, AccountRow, dict(values)):
                raise Conflict("Another account has this login.")
            append(
                connection, "account.create", values["id"], {"name": values["name"], "role": values["role"]}
            )
            return True

    def anyone(self) -> bool:
        """Was a key or an account ever made?"""
        with self._database.reading() as connection:
            return anyone_let_in(connection)

    def get(self, account_id: str) -> StoredAccount | None:
        """The account with this id, disabled or not."""
        with self._database.reading() as connection:
            return _get(connection, AccountRow.id == account_id)

    def by_login(self, login_key: str) -> StoredAccount | None:
        """The account with this login, disabled or not."""
        with self._database.reading() as connection:
            return _get(connection, AccountRow.login_key == login_key)

    def list(self, after: str | None = None, limit: int = 100) -> Sequence[StoredAccount]:
        """At most `limit` accounts in order of creation, those made after the account with the id `after`."""
        query = sa.select(*_COLUMNS).order_by(AccountRow.number).limit(limit)
        if after is not None:
            number = sa.select(AccountRow.number).where(AccountRow.id == after).scalar_subquery()
            query = query.where(AccountRow.number > number)
        with self._database.reading() as connection:
            return [_stored(row) for row in connection.execute(query)]

    def update(
        self,
        account_id: str,
        values: Mapping[str, Any],
        *,
        action: str,
        version: int | None = None,
        ends_sessions: bool = False,
        except_session: str | None = None,
    ) -> StoredAccount | None:
        """Change columns of an account and raise its version; returns it as it is then, or None where there
        is none. `action` is the name for the audit log. `ends_sessions` ends its sessions with it, all but
        the one with the hash `except_session`.

        Raises:
            PreconditionFailed: `version` is given and the account has another one by now.
        """
        with self._database.writing() as connection:
            known = _get(connection, AccountRow.id == account_id, lock=True)
            if known is None:
                return None
            if version is not None and known.version != version:
                raise PreconditionFailed("The account was changed since you read it; read it again.")
            changed = {**values, "version": known.version + 1}
            connection.execute(sa.update(AccountRow).where(AccountRow.number == known.number).values(changed))
            if ends_sessions:
                _end_sessions(connection, known.number, except_session)
            shown = {name: str(value) for name, value in values.items() if name != "password_hash"}
            append(connection, action, account_id, shown)
            return _get(connection, AccountRow.id == account_id)

    def add_session(
        self,
        account: StoredAccount,
        token_hash: str,
        *,
        now: datetime,
        expires_at: datetime,
        replacing: str | None = None,
        password_hash: str | None = None,
    ) -> bool:
        """Store a session, and end the one with the hash `replacing`. `password_hash` replaces the account's
        where its parameters are old.

        Returns False where the account was disabled or got another password since `account` was read.
        """
        with self._database.writing() as connection:
            known = _get(connection, AccountRow.number == account.number, lock=True)
            if known is None or known.disabled_at or known.password_hash != account.password_hash:
                return False
            changed: dict[str, Any] = {"last_login_at": now}
            if password_hash is not None:
                changed["password_hash"] = password_hash
            connection.execute(
                sa.update(AccountRow).where(AccountRow.number == account.number).values(changed)
            )
            if replacing is not None:
                connection.execute(sa.delete(SessionRow).where(SessionRow.token_hash == replacing))
            connection.execute(
                sa.insert(SessionRow).values(
                    token_hash=token_hash,
                    account_number=account.number,
                    created_at=now,
                    last_seen_at=now,
                    expires_at=expires_at,
                )
            )
            append(connection, "session.start", account.id, {})
            return True

    def session(self, token_hash: str) -> StoredSession | None:
        """The session with this hash, whether or not it is still good."""
        moments = (SessionRow.created_at.label("began_at"), SessionRow.last_seen_at, SessionRow.expires_at)
        query = (
            sa.select(*_COLUMNS, *moments)
            .join(SessionRow, SessionRow.account_number == AccountRow.number)
            .where(SessionRow.token_hash == token_hash)
        )
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        return StoredSession(_stored(row), row.began_at, row.last_seen_at, row.expires_at)

    def touch_session(self, token_hash: str, now: datetime) -> None:
        """Note when a session was last used."""
        with self._database.writing() as connection:
            connection.execute(
                sa.update(SessionRow).where(SessionRow.token_hash == token_hash).values(last_seen_at=now)
            )

    def end_session(self, token_hash: str) -> bool:
        """End a session; says whether there was one."""
        with self._database.writing() as connection:
            account_id = connection.execute(
                sa.select(AccountRow.id)
                .join(SessionRow, SessionRow.account_number == AccountRow.number)
                .where(SessionRow.token_hash == token_hash)
            ).scalar_one_or_none()
            if account_id is None:
                return False
            connection.execute(sa.delete(SessionRow).where(SessionRow.token_hash == token_hash))
            append(connection, "session.end", account_id, {})
            return True

    def end_sessions(self, account_id: str) -> int | None:
        """End all sessions of an account; returns how many, or None where there is no such account."""
        with self._database.writing() as connection:
            known = _get(connection, AccountRow.id == account_id, lock=True)
            if known is None:
                return None
            ended = _end_sessions(connection, known.number, None)
            append(connection, "account.end_sessions", account_id, {"sessions": ended})
            return ended

    def count_attempt(
        self, limits: Mapping[str, int], *, now: datetime, window: timedelta
    ) -> datetime | None:
        """Count a failed attempt to sign in for every subject, unless one of them has had its number already:
        then nothing is counted, and the moment is returned from which it may try again.

        Counted before the password is looked at, so that attempts at once do not slip through together;
        `forgive_attempt` takes it back.
        """
        row = LoginFailuresRow
        with self._database.writing() as connection:
            # In one order, so that two attempts with subjects in common do not wait for each other.
            subjects = sorted(limits)
            for subject in subjects:
                insert_if_absent(connection, row, {"subject": subject, "failures": 0, "since": now})
            query = sa.select(row.subject, row.failures, row.since).where(row.subject.in_(subjects))
            found = connection.execute(query.order_by(row.subject).with_for_update()).all()
            waits: list[datetime] = [
                item.since + window
                for item in found
                if item.since + window > now and item.failures >= limits[item.subject]
            ]
            if waits:
                return max(waits)
            for item in found:
                over = item.since + window <= now
                values = {"failures": 1, "since": now} if over else {"failures": item.failures + 1}
                connection.execute(sa.update(row).where(row.subject == item.subject).values(values))
            return None

    def forgive_attempt(self, subjects: Sequence[str], *, clear: Sequence[str] = ()) -> None:
        """Take back what `count_attempt` counted; of the subjects in `clear`, all attempts."""
        row = LoginFailuresRow
        with self._database.writing() as connection:
            for subject in sorted(subjects):
                query = sa.update(row).where(row.subject == subject, row.failures > 0)
                left = 0 if subject in clear else row.failures - 1
                connection.execute(query.values(failures=left))

    def purge(self, now: datetime, *, idle_since: datetime, failures_since: datetime) -> None:
        """Remove sessions that have ended by themselves, and attempts that count no longer."""
        with self._database.writing() as connection:
            over = sa.or_(SessionRow.expires_at <= now, SessionRow.last_seen_at <= idle_since)
            connection.execute(sa.delete(SessionRow).where(over))
            connection.execute(sa.delete(LoginFailuresRow).where(LoginFailuresRow.since <= failures_since))

    def preferences(self, owner: str) -> dict[str, Any]:
        """What somebody (an account's id, or `local`) set for themselves, by name."""
        query = sa.select(PreferenceRow.name, PreferenceRow.value).where(PreferenceRow.owner == owner)
        with self._database.reading() as connection:
            return {row.name: row.value for row in connection.execute(query)}

    def set_preference(self, owner: str, name: str, value: Any) -> None:
        """Set something for `owner`; `value` is plain JSON, None takes it away."""
        key = (PreferenceRow.owner == owner, PreferenceRow.name == name)
        with self._database.writing() as connection:
            if value is None:
                connection.execute(sa.delete(PreferenceRow).where(*key))
            elif not insert_if_absent(
                connection, PreferenceRow, {"owner": owner, "name": name, "value": value}
            ):
                connection.execute(sa.update(PreferenceRow).where(*key).values(value=value))


def _end_sessions(connection: Connection, number: int, except_session: str | None) -> int:
    query = sa.delete(SessionRow).where(SessionRow.account_number == number)
    if except_session is not None:
        query = query.where(SessionRow.token_hash != except_session)
    return connection.execute(query).rowcount


def _get(
    connection: Connection, where: sa.ColumnElement[bool], *, lock: bool = False
) -> StoredAccount | None:
    query = sa.select(*_COLUMNS).where(where)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else _stored(row)


def _stored(row: Row[*tuple[Any, ...]]) -> StoredAccount:
    return StoredAccount(**{name: getattr(row, name) for name in _FIELDS})
