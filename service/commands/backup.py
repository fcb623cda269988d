"""`tamga backup` and `tamga restore`: the database and the signing keys, as one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ArchiveFile = Annotated[Path, typer.Argument(metavar="FILE", help="The archive, a tar file.")]


def backup(target: ArchiveFile) -> None:
    """Write database and signing keys into one file. The service may go on running. Keep the file safe:
    whoever has it can sign labels.
    """
    from service.settings import load_settings
    from service.store import open_store
    from service.store.backup import back_up

    settings = load_settings()
    store = open_store(settings.database)
    try:
        manifest = back_up(store.database, settings.home / "keys", target)
    finally:
        store.close()
    typer.echo(f"{target}: {manifest['database']} and {len(manifest['files']) - 1} files of keys", err=True)


def restore(source: ArchiveFile) -> None:
    """Put a backup into an empty home, and an empty database."""
    from service.settings import load_settings
    from service.store import open_store
    from service.store.backup import restore as put_back
    from service.store.database import Database

    settings = load_settings()
    database = Database(settings.database)
    try:
        manifest = put_back(source, database, settings.home / "keys")
    finally:
        database.close()
    # A backup by an older version gets the tables of this one; the log shows whether it is what it was.
    store = open_store(settings.database)
    try:
        found = store.audit_log.verify()
        records = store.records.count()
    finally:
        store.close()
    if found.broken_at is not None:
        typer.echo(f"tamga: the audit log is broken at entry {found.broken_at}: {found.reason}", err=True)
        raise typer.Exit(1)
    typer.echo(
        f"restored the backup of {manifest['created_at']}: {records:,} records, audit log unbroken", err=True
    )
