"""`tamga key`: make, list, rotate and revoke the keys that open the HTTP API."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.auth.scopes import LOCAL, ROLES, SCOPES, Role, Scope

if TYPE_CHECKING:
    from service.auth.keys import AccessKey, IssuedKey, Keys

app = typer.Typer(help="Access keys of the HTTP API.")

KeyId = Annotated[str, typer.Argument(metavar="ID", help="The part of a key between the underscores.")]


@contextmanager
def _keys() -> Iterator[Keys]:
    from service.auth.keys import Keys
    from service.logs import configure_logging
    from service.settings import load_settings
    from service.store import open_store

    settings = load_settings()
    configure_logging("warning")
    store = open_store(settings.database)
    try:
        yield Keys(store.access_keys)
    finally:
        store.close()


@app.command()
def create(
    name: Annotated[str, typer.Option(help="What the key is for.")],
    role: Annotated[str, typer.Option(help=" | ".join(ROLES))],
    scope: Annotated[
        list[str] | None, typer.Option(help="Narrows the role; may be given again. By default all of it.")
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, max=36_500, help="Expires after so many days.")] = None,
) -> None:
    """Create a key and print it; it cannot be shown again. The first one closes the API to everyone else."""
    if role not in ROLES:
        raise typer.BadParameter(f"--role {role!r}; there are {', '.join(ROLES)}")
    unknown = sorted(set(scope or ()) - set(SCOPES))
    if unknown:
        raise typer.BadParameter(f"--scope {', '.join(unknown)}; there are {', '.join(SCOPES)}")
    chosen: Role = role
    scopes: list[Scope] | None = scope or None  # type: ignore[assignment]
    expires_at = None if days is None else datetime.now(UTC) + timedelta(days=days)
    with _keys() as keys:
        _print_token(keys.create(_checked(name), chosen, scopes=scopes, expires_at=expires_at, by=LOCAL))


def _checked(name: str) -> str:
    stripped = name.strip()
    if not 1 <= len(stripped) <= 200 or not stripped.isprintable():
        raise typer.BadParameter("--name must have 1 to 200 printable characters")
    return stripped


def _print_token(issued: IssuedKey) -> None:
    # The key alone on standard output, so that a script can take it.
    sys.stdout.write(issued.token + "\n")
    typer.echo(f"key {issued.key.id} ({issued.key.role}): store it now, it cannot be shown again", err=True)


@app.command(name="list")
def list_keys() -> None:
    """Print all keys as JSON Lines, without their secrets."""
    with _keys() as keys:
        after: str | None = None
        while page := keys.list(after, 500):
            for key in page:
                sys.stdout.write(json.dumps(_line(key), ensure_ascii=False) + "\n")
            after = page[-1].id


def _line(key: AccessKey) -> dict[str, Any]:
    fields = {name: value for name, value in asdict(key).items() if name != "version"}
    moments = {name: value.isoformat() for name, value in fields.items() if isinstance(value, datetime)}
    return {**fields, **moments, "state": key.state}


@app.command()
def rotate(
    key_id: KeyId,
    grace_hours: Annotated[
        float, typer.Option(min=0, max=168, help="The old key stays good for so long.")
    ] = 0,
) -> None:
    """Give a key a new secret and print the new key."""
    with _keys() as keys:
        _print_token(keys.rotate(key_id, grace=timedelta(hours=grace_hours), by=LOCAL))


@app.command()
def revoke(key_id: KeyId) -> None:
    """End a key for good."""
    with _keys() as keys:
        keys.revoke(key_id, by=LOCAL)
    typer.echo(f"key {key_id} is revoked", err=True)
