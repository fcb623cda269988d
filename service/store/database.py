"""Connections and transactions. Everything in which SQLite and PostgreSQL differ is in this module."""

from __future__ import annotations

import fcntl
import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.orm import DeclarativeBase

from service.errors import NulCharacter
from service.observer import UNOBSERVED, Observer
from service.store.errors import StoreError

BUSY_TIMEOUT_SECONDS = 30
CONNECT_TIMEOUT_SECONDS = 10

_WRITES = "tamga_writes"
# SQLite takes it and finds nothing; most texts are refused with it before they get here.
_PG_NUL = "cannot contain NUL"


class Database:
    """An engine with two kinds of transactions: reading (a consistent view) and writing (one at a time on
    SQLite). `observer` is told of each.
    """

    def __init__(self, url: str) -> None:
        self.url = _parse(url)
        self.observer: Observer = UNOBSERVED
        self.engine = _engine(self.url)
        self._writing = self.engine.execution_options(**{_WRITES: True})
        self._reading = self.engine
        if not self.is_sqlite:
            # By default every statement there sees its own moment.
            self._reading = self.engine.execution_options(isolation_level="REPEATABLE READ")

    @property
    def is_sqlite(self) -> bool:
        """SQLite, or else PostgreSQL."""
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database throughout."""
        with (
            self.observer.transaction("read"),
            _explained(self.url),
            self._reading.connect() as connection,
        ):
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is committed when the block ends and undone when it raises."""
        with (
            self.observer.transaction("write"),
            _explained(self.url),
            self._writing.begin() as connection,
        ):
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


@contextmanager
def alone(database: Database, name: str) -> Iterator[None]:
    """Held by one thread of one process at a time, however long; the death of the process lets it go.

    No transaction is open meanwhile: writers of the database are not kept waiting.
    """
    if database.is_sqlite:
        assert database.url.database is not None
        # All processes on a SQLite file run on its machine: a lock of the file system reaches them all.
        with Path(f"{database.url.database}.{name}.lock").open("ab") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        return
    with _explained(database.url), database.engine.connect() as connection:
        held = connection.execution_options(isolation_level="AUTOCOMMIT")
        key = _lock_key(name)
        held.execute(sa.select(sa.func.pg_advisory_lock(key)))
        try:
            yield
        finally:
            held.execute(sa.select(sa.func.pg_advisory_unlock(key)))


def wait_for_turn(connection: Connection, name: str) -> None:
    """Let no other transaction past this line with the same name until this one ends; on SQLite, where one
    transaction writes at a time, they wait anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_lock_key(name))))


def _lock_key(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)


def insert_if_absent(connection: Connection, row: type[DeclarativeBase], values: dict[str, Any]) -> bool:
    """Insert a row unless a unique constraint is in the way; says whether it was inserted.

    On PostgreSQL it waits for a transaction that is inserting the same row.
    """
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(row).values(**values).on_conflict_do_nothing().returning(sa.literal(1))
    return connection.execute(statement).first() is not None


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StoreError(
            f"not a database address: {url!r}; write sqlite:///PATH or postgresql://…"
        ) from error
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise StoreError("a database in memory cannot be shared between connections; write sqlite:///PATH")
    return parsed


def _engine(url: URL) -> Engine:
    shown = url.render_as_string(hide_password=True)
    try:
        if url.get_backend_name() != "sqlite":
            # A machine that is gone answers nothing: without a limit each request would wait for minutes.
            limited = "connect_timeout" in url.query
            # Parameters are texts of articles: they must not stand in a logged error.
            return sa.create_engine(
                url,
                pool_pre_ping=True,
                hide_parameters=True,
                connect_args={} if limited else {"connect_timeout": CONNECT_TIMEOUT_SECONDS},
            )
        assert url.database is not None
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_SECONDS}, hide_parameters=True)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise StoreError(f"no driver for the database {shown}: {error}") from error
    except OSError as error:
        raise StoreError(f"cannot create the folder of the database {shown}: {error}") from error
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver would begin transactions by itself, and only before some statements: `_begin_sqlite` does it
    # instead.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    # FULL: an acknowledged write survives a power cut; NORMAL may lose the last commits.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes its lock at once: two transactions that read first and write later would fail each other.
    writes: Any = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _explained(url: URL) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if _PG_NUL in str(error.orig):
            raise NulCharacter("A text holds a NUL character, which no stored text does.") from error
        raise StoreError(f"database {url.render_as_string(hide_password=True)}: {error.orig}") from error
