"""A backup holds everything, a restored home is the same, and a damaged backup changes nothing."""

from __future__ import annotations

import io
import json
import shutil
import stat
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from index.records import VerifiedRecord
from service.errors import Conflict, InvalidInput, NotFound
from service.records import RecordIngest
from service.store import Store, open_store
from service.store.backup import DamagedBackup, back_up, restore
from service.store.database import Database

RECORDS = [
    VerifiedRecord(id=f"r{n}", claim=f"Көпір {1900 + n} жылы ашылды.", language="kk") for n in range(20)
]


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    folder = tmp_path / "keys"
    (folder / "c2pa").mkdir(parents=True)
    (folder / "one.json").write_text("secret one")
    (folder / "c2pa" / "two.pem").write_text("secret two")
    return folder


@pytest.fixture
def archive(store: Store, ingest: RecordIngest, keys: Path, tmp_path: Path) -> Path:
    list(ingest.add(RECORDS))
    target = tmp_path / "backup.tar"
    back_up(store.database, keys, target)
    return target


Empty = Callable[[], tuple[Database, Path]]


@pytest.fixture
def empty(store: Store, url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Empty:
    """An empty database of the same kind, and a folder for keys that does not exist."""

    def make() -> tuple[Database, Path]:
        new_home = tmp_path / "new"
        if store.database.is_sqlite:
            return Database(f"sqlite:///{new_home / 'tamga.db'}"), new_home / "keys"
        store.close()
        return Database(request.getfixturevalue("postgres_server").empty_database()), new_home / "keys"

    return make


def test_what_audits_have_running_is_not_in_a_backup(
    store: Store, ingest: RecordIngest, keys: Path, tmp_path: Path, empty: Empty
) -> None:
    if store.database.is_sqlite:
        pytest.skip("beside SQLite it lies in a file of its own")
    list(ingest.add(RECORDS))
    with store.database.writing() as connection:
        connection.exec_driver_sql("CREATE SCHEMA dbos")
        connection.exec_driver_sql("CREATE TABLE dbos.workflow_status (id text)")
    back_up(store.database, keys, tmp_path / "backup.tar")
    database, new_keys = empty()
    restore(tmp_path / "backup.tar", database, new_keys)
    with database.reading() as connection:
        tables = "SELECT to_regclass('records'), to_regclass('dbos.workflow_status')"
        assert connection.exec_driver_sql(tables).one() == ("records", None)
    database.close()


def test_a_restored_home_is_the_same(store: Store, archive: Path, empty: Empty) -> None:
    before = (store.records.store_id(), store.records.revision(), store.audit_log.verify())
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    database, new_keys = empty()
    restore(archive, database, new_keys)
    database.close()
    again = open_store(database.url.render_as_string(hide_password=False))
    assert list(again.records.list()) == sorted(RECORDS, key=lambda record: record.id)
    assert (again.records.store_id(), again.records.revision(), again.audit_log.verify()) == before
    with again.database.reading() as connection, pytest.raises(Exception, match="append-only"):
        connection.exec_driver_sql("DELETE FROM audit_log")
    again.close()
    assert (new_keys / "c2pa" / "two.pem").read_text() == "secret two"
    assert stat.S_IMODE((new_keys / "one.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(new_keys.stat().st_mode) == 0o700


def test_a_backup_of_a_store_that_is_written_to_is_one_moment_of_it(
    store: Store, ingest: RecordIngest, keys: Path, tmp_path: Path, empty: Empty
) -> None:
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            list(ingest.add([VerifiedRecord(id=f"w{number}", claim=f"Сөйлем {number}.", language="kk")]))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        back_up(store.database, keys, tmp_path / "live.tar")
    finally:
        stop.set()
        writer.join(60)
    database, new_keys = empty()
    restore(tmp_path / "live.tar", database, new_keys)
    database.close()
    again = open_store(database.url.render_as_string(hide_password=False))
    count = again.records.count()
    assert {record.id for record in again.records.list(limit=10_000)} == {
        f"w{n}" for n in range(1, count + 1)
    }
    assert again.records.revision() == again.audit_log.verify().entries == count
    again.close()


def test_nothing_is_overwritten(
    store: Store, archive: Path, keys: Path, tmp_path: Path, empty: Empty
) -> None:
    with pytest.raises(Conflict):
        back_up(store.database, keys, archive)
    with pytest.raises(Conflict):
        restore(archive, store.database, tmp_path / "nowhere" / "keys")
    with pytest.raises(NotFound):
        back_up(store.database, keys, tmp_path / "no such folder" / "x.tar")
    assert store.records.count() == len(RECORDS)
    database, _ = empty()
    with pytest.raises(Conflict, match="keys"):
        restore(archive, database, keys)
    assert (keys / "one.json").read_text() == "secret one"
    database.close()


def rewritten(archive: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    with tarfile.open(archive) as source:
        files: dict[str, Any] = {
            member.name: source.extractfile(member).read()  # type: ignore[union-attr]
            for member in source.getmembers()
        }
    change(files)
    other = archive.with_name("other.tar")
    with tarfile.open(other, "w") as target:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            target.addfile(info, io.BytesIO(content))
    return other


def in_manifest(**changes: Any) -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        files["manifest.json"] = json.dumps({**json.loads(files["manifest.json"]), **changes}).encode()

    return change


def flip(files: dict[str, bytes]) -> None:
    middle = len(files["database"]) // 2
    content = bytearray(files["database"])
    content[middle] ^= 1
    files["database"] = bytes(content)


def climb(files: dict[str, bytes]) -> None:
    manifest = json.loads(files["manifest.json"])
    files["keys/../../outside"] = b"x"
    manifest["files"]["keys/../../outside"] = (
        "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    )
    files["manifest.json"] = json.dumps(manifest).encode()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "change",
    [
        flip,
        climb,
        lambda files: files.pop("manifest.json"),
        lambda files: files.pop("keys/one.json"),
        lambda files: files.update(more=b"x"),
        lambda files: files.update({"manifest.json": b"[]"}),
        in_manifest(format=2),
        in_manifest(files={}),
        in_manifest(database="oracle"),
    ],
)
def test_a_damaged_backup_changes_nothing(
    archive: Path, empty: Empty, change: Callable[[dict[str, bytes]], None], tmp_path: Path
) -> None:
    database, new_keys = empty()
    with pytest.raises(DamagedBackup):
        restore(rewritten(archive, change), database, new_keys)
    assert list(new_keys.parent.iterdir()) == []
    assert not (tmp_path / "outside").exists()
    database.close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_no_backup(archive: Path, empty: Empty, tmp_path: Path) -> None:
    database, new_keys = empty()
    shutil.copyfile(archive, tmp_path / "short.tar")
    with (tmp_path / "short.tar").open("r+b") as short:
        short.truncate(archive.stat().st_size // 2)
    for name, error in (("short.tar", DamagedBackup), ("keys/one.json", DamagedBackup), ("none", NotFound)):
        with pytest.raises(error):
            restore(tmp_path / name, database, new_keys)
    other = rewritten(archive, in_manifest(database="postgresql"))
    with pytest.raises(InvalidInput, match="postgresql"):
        restore(other, database, new_keys)
    database.close()
