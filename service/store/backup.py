"""Backups: the database and the signing keys in one archive, checked before anything of it is used.

A backup is taken while the service runs: SQLite copies itself within one read transaction, PostgreSQL by
`pg_dump`. The archive (tar) holds `database`, the files of `keys/`, and `manifest.json` with the SHA-256 of
each. Vector indexes are not in it: they are built again from the database.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO, Final

import sqlalchemy as sa
from sqlalchemy.engine import URL

from service.errors import Conflict, InvalidInput, NotFound
from service.store.database import Database
from service.store.errors import StoreError

FORMAT: Final = 1
_MANIFEST: Final = "manifest.json"
_DATABASE: Final = "database"
#: Schema of what audits have running (service.audits.durable). A backup leaves it out, like the file of its
#: content beside SQLite: a restored service takes unfinished audits up from their results.
_WORKFLOWS: Final = "dbos"
_BLOCK: Final = 1 << 20


class DamagedBackup(InvalidInput):
    slug = "damaged-backup"
    title = "The backup cannot be used"


def back_up(database: Database, keys: Path, target: Path) -> dict[str, Any]:
    """Write the archive `target`, readable by its owner only; returns its manifest.

    Raises:
        Conflict: the file exists; a backup is never written over.
        StoreError: the database cannot be read.
        NotFound: `pg_dump` is not installed.
    """
    if target.exists():
        raise Conflict(f"{target} exists; a backup does not overwrite.")
    with _own_folder(target.parent) as folder:
        copy = folder / _DATABASE
        if database.is_sqlite:
            _copy_sqlite(database, copy)
        else:
            options = ("--format=custom", "--no-owner", f"--exclude-schema={_WORKFLOWS}", f"--file={copy}")
            _run_postgres("pg_dump", database.url, *options)
        files = {_DATABASE: copy}
        for path in sorted(keys.rglob("*")):
            if path.is_file():
                files[f"keys/{path.relative_to(keys).as_posix()}"] = path
        unfinished = folder / "archive"
        hashes: dict[str, str] = {}
        manifest = {
            "format": FORMAT,
            "database": "sqlite" if database.is_sqlite else "postgresql",
            "created_at": datetime.now(UTC).isoformat(),
            "files": hashes,
        }
        with _create(unfinished) as raw:
            with tarfile.open(fileobj=raw, mode="w") as archive:
                for name, path in files.items():
                    hashes[name] = _add(archive, name, path)
                content = json.dumps(manifest, indent=1).encode()
                info = tarfile.TarInfo(_MANIFEST)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
            raw.flush()
            os.fsync(raw.fileno())
        try:
            # Not a rename, which would replace what somebody else has put there meanwhile.
            os.link(unfinished, target)
        except FileExistsError as error:
            raise Conflict(f"{target} exists; a backup does not overwrite.") from error
        _sync_folder(target.parent)
    return manifest


def restore(source: Path, database: Database, keys: Path) -> dict[str, Any]:
    """Put the backup `source` into an empty database and, where there are none, the keys into their folder;
    returns its manifest. Nothing is changed unless the whole archive is undamaged.

    Raises:
        DamagedBackup: not a backup, or not as it was written.
        InvalidInput: a backup of the other kind of database.
        Conflict: the database or the folder of keys is not empty.
        NotFound: `pg_restore` is not installed.
    """
    home = keys.parent
    home.mkdir(parents=True, exist_ok=True)
    with _own_folder(home) as folder:
        manifest = _unpack(source, folder)
        kind = "sqlite" if database.is_sqlite else "postgresql"
        if manifest["database"] != kind:
            raise InvalidInput(f"The backup is of {manifest['database']}, the settings name {kind}.")
        if keys.is_dir() and any(keys.iterdir()):
            raise Conflict(f"{keys} holds keys already; restore into an empty home.")
        if database.is_sqlite:
            _restore_sqlite(folder / _DATABASE, database)
        else:
            _restore_postgres(folder / _DATABASE, database)
        if (folder / "keys").is_dir():
            with contextlib.suppress(FileNotFoundError):
                keys.rmdir()
            (folder / "keys").rename(keys)
        _sync_folder(home)
    return manifest


def _copy_sqlite(database: Database, copy: Path) -> None:
    connection = sqlite3.connect(str(database.url.database))
    try:
        connection.execute("VACUUM INTO ?", (str(copy),))
    except sqlite3.Error as error:
        raise StoreError(f"the database cannot be copied: {error}") from error
    finally:
        connection.close()


def _restore_sqlite(copy: Path, database: Database) -> None:
    target = Path(str(database.url.database))
    leftovers = [target, *(target.with_name(target.name + end) for end in ("-wal", "-shm"))]
    if any(path.exists() for path in leftovers):
        raise Conflict(f"{target} exists; restore into an empty home.")
    connection = sqlite3.connect(copy)
    try:
        sound = connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    except sqlite3.Error:
        sound = False
    finally:
        connection.close()
    if not sound:
        raise DamagedBackup("The database in the backup is damaged.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with copy.open("rb") as written:
        os.fsync(written.fileno())
    # Across file systems a rename is not possible, and a copy would not be whole at once.
    beside = target.with_name(target.name + ".restored")
    shutil.copyfile(copy, beside)
    with beside.open("rb") as written:
        os.fsync(written.fileno())
    beside.rename(target)
    _sync_folder(target.parent)


def _restore_postgres(copy: Path, database: Database) -> None:
    if sa.inspect(database.engine).get_table_names():
        raise Conflict("The database holds tables already; restore into an empty one.")
    _run_postgres(
        "pg_restore", database.url, "--no-owner", "--exit-on-error", "--single-transaction", str(copy)
    )


def _run_postgres(program: str, url: URL, *arguments: str) -> None:
    found = shutil.which(program)
    if found is None:
        raise NotFound(f"{program} is not installed; it comes with PostgreSQL's client.")
    # The password goes by the environment: everybody can read a command line.
    address = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    environment = {**os.environ, **({"PGPASSWORD": str(url.password)} if url.password else {})}
    done = subprocess.run(  # noqa: S603 - a program by its path, with arguments of our own
        [found, f"--dbname={address}", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise StoreError(f"{program} failed: {done.stderr.strip().splitlines()[-1:] or 'no message'}")


def _unpack(source: Path, folder: Path) -> dict[str, Any]:
    try:
        with tarfile.open(source, mode="r:") as archive:
            members = {member.name: member for member in archive.getmembers()}
            manifest = _read_manifest(archive, members)
            if members.keys() != {*manifest["files"], _MANIFEST}:
                raise DamagedBackup("The archive does not hold what its manifest says.")
            for name, expected in manifest["files"].items():
                if not members[name].isfile() or not _is_ours(name):
                    raise DamagedBackup(f"The archive holds {name!r}, which is no part of a backup.")
                path = folder / name
                for above in reversed(path.relative_to(folder).parents[:-1]):
                    (folder / above).mkdir(exist_ok=True, mode=0o700)
                content = archive.extractfile(members[name])
                assert content is not None
                with _create(path) as out:
                    if _copy(content, out) != expected:
                        raise DamagedBackup(f"{name} is not as it was written.")
            return manifest
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {source}.") from error
    except (tarfile.TarError, EOFError, OSError) as error:
        raise DamagedBackup(f"{source} cannot be read: {error}") from error


def _read_manifest(archive: tarfile.TarFile, members: dict[str, tarfile.TarInfo]) -> dict[str, Any]:
    try:
        content = archive.extractfile(members[_MANIFEST])
        assert content is not None
        manifest: dict[str, Any] = json.loads(content.read(_BLOCK))
        if manifest["format"] != FORMAT:
            raise DamagedBackup(f"It has format {manifest['format']}; this version reads {FORMAT}.")
        if _DATABASE not in manifest["files"] or manifest["database"] not in ("sqlite", "postgresql"):
            raise DamagedBackup("Its manifest names no database.")
    except (KeyError, TypeError, AttributeError, AssertionError, ValueError) as error:
        raise DamagedBackup("It has no readable manifest.") from error
    return manifest


def _is_ours(name: str) -> bool:
    path = PurePosixPath(name)
    inside = path.parts[:1] == ("keys",) and len(path.parts) > 1
    return name == _DATABASE or (inside and ".." not in path.parts)


def _add(archive: tarfile.TarFile, name: str, path: Path) -> str:
    info = tarfile.TarInfo(name)
    info.size = path.stat().st_size
    info.mode = 0o600
    with path.open("rb") as content:
        archive.addfile(info, content)
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _copy(source: IO[bytes], target: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while block := source.read(_BLOCK):
        digest.update(block)
        target.write(block)
    return digest.hexdigest()


@contextmanager
def _own_folder(beside: Path) -> Iterator[Path]:
    """A folder that only we can read, on the file system of what it will become."""
    if not beside.is_dir():
        raise NotFound(f"There is no folder {beside}.")
    with tempfile.TemporaryDirectory(prefix=".tamga-", dir=beside) as folder:
        yield Path(folder)


def _create(path: Path) -> BinaryIO:
    """A new file that only we can read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
