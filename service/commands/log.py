"""`tamga log`: read and check the audit log."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from service.store.audit_log import SqlAuditLog

app = typer.Typer(help="The audit log: who did what.")


@contextmanager
def _log() -> Iterator[SqlAuditLog]:
    from service.logs import configure_logging
    from service.settings import load_settings
    from service.store import open_store

    settings = load_settings()
    configure_logging("warning")
    store = open_store(settings.database)
    try:
        yield store.audit_log
    finally:
        store.close()


@app.command()
def show(
    after: Annotated[int, typer.Option(min=0, help="Only entries with greater numbers.")] = 0,
) -> None:
    """Print the entries as JSON Lines, oldest first."""
    with _log() as log:
        while part := log.list(after, 1_000):
            for entry in part:
                line = {**asdict(entry), "at": entry.at.isoformat()}
                sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
            after = part[-1].number


@app.command()
def verify(
    expect: Annotated[
        str | None,
        typer.Option(metavar="HASH", help="A newest hash noted earlier: the log must still hold it."),
    ] = None,
) -> None:
    """Check that no entry was changed, removed or inserted; print the newest hash, to be noted elsewhere.
    Exit status 1 if the chain is broken.
    """
    with _log() as log:
        found = log.verify(expect)
    if found.broken_at is not None:
        typer.echo(f"tamga: the audit log is broken at entry {found.broken_at}: {found.reason}", err=True)
        raise typer.Exit(1)
    typer.echo(f"{found.entries:,} entries, unbroken", err=True)
    if found.head is not None:
        sys.stdout.write(found.head + "\n")
