"""The history of the tables: up, down, and equal to the models."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from service.store import Store, StoreError, open_store
from service.store.database import Database
from service.store.migration import check, downgrade, upgrade


def tables(database: Database) -> set[str]:
    return set(sa.inspect(database.engine).get_table_names())


def test_tables_equal_the_models(store: Store) -> None:
    with store.database.writing() as connection:
        check(connection)


def test_down_and_up_again(store: Store) -> None:
    database = store.database
    before = tables(database)
    with database.writing() as connection:
        downgrade(connection, "base")
    assert tables(database) == {"alembic_version"}
    with database.writing() as connection:
        upgrade(connection)
    assert tables(database) == before
    assert store.records.revision() == 0


def test_a_migration_that_fails_leaves_nothing(url: str) -> None:
    database = Database(url)

    def fail() -> None:
        with database.writing() as connection:
            upgrade(connection)
            raise RuntimeError("the process stops here")

    with pytest.raises(RuntimeError, match="stops here"):
        fail()
    assert tables(database) == set()
    database.close()


def test_opening_twice_keeps_the_identity(url: str) -> None:
    first = open_store(url)
    second = open_store(url)
    assert first.records.store_id() == second.records.store_id() == first.articles.store_id()
    first.close()
    second.close()


def test_processes_that_start_together(url: str) -> None:
    """Each thread opens its own database, as processes would."""
    opened: list[str] = []

    def start() -> None:
        store = open_store(url)
        opened.append(store.records.store_id())
        store.close()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(opened) == 4
    assert len(set(opened)) == 1


def test_a_database_of_a_newer_version_is_refused(store: Store, url: str) -> None:
    with store.database.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="another version of Tamga"):
        open_store(url)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "tamga.db"
    path.write_bytes(b"this is not a database, only a text that is long enough to have a header" * 20)
    with pytest.raises(StoreError, match="not a database"):
        open_store(f"sqlite:///{path}")


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("nonsense", "not a database address"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        ("oracle+nodriver://host/db", "no driver"),
    ],
)
def test_addresses_that_cannot_be_opened(address: str, message: str) -> None:
    with pytest.raises(StoreError, match=message):
        open_store(address)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="folder"):
        open_store(f"sqlite:///{tmp_path / 'file' / 'tamga.db'}")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sqlite_is_set_up_to_lose_nothing(store: Store) -> None:
    with store.database.reading() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_writer_holds_the_lock_from_its_first_moment(store: Store, url: str) -> None:
    with store.database.writing():
        other = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=0.05)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()


def test_password_is_not_shown() -> None:
    with pytest.raises(StoreError) as caught:
        open_store("oracle+nodriver://user:sesame@host/db")
    assert "sesame" not in str(caught.value)
