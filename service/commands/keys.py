"""`tamga keys`: the newsroom's signing keys."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from service.commands.jsonl import write_line

if TYPE_CHECKING:
    from service.labels.opening import LabelOffice

app = typer.Typer(help="Keys that sign labels (access keys to the API: tamga key).")


@app.command("list")
def list_keys() -> None:
    """Print every signing key, oldest first, as JSON Lines; makes the first one where there is none."""
    for key in _office().ring.all():
        write_line(
            sys.stdout,
            {
                "kid": key.kid,
                "status": key.status,
                "created_at": key.created_at.isoformat(),
                "retired_at": key.retired_at.isoformat() if key.retired_at else None,
                "revoked_at": key.revoked_at.isoformat() if key.revoked_at else None,
                "reason": key.reason,
            },
        )


@app.command()
def rotate() -> None:
    """Make a new key and retire the one in use. Labels signed before still verify."""
    typer.echo(_office().ring.rotate().kid)


@app.command()
def revoke(
    kid: Annotated[str, typer.Argument(metavar="KID")],
    reason: Annotated[str, typer.Option(help="Why, for example how it leaked.")],
) -> None:
    """Withdraw a key that others may have: nothing it signed is trusted any more."""
    typer.echo(_office().ring.revoke(kid, reason).kid)


@app.command()
def jwks() -> None:
    """Print the public keys as a JWK set, as /.well-known/jwks.json serves them."""
    sys.stdout.write(json.dumps(_office().ring.jwks(), indent=2) + "\n")


@app.command()
def anchor() -> None:
    """Print the certificate that others have to trust to see our C2PA manifests as trusted (PEM)."""
    sys.stdout.write(_office().authority.anchor())


def _office() -> LabelOffice:
    from service.labels.opening import LabelOffice
    from service.settings import load_settings

    return LabelOffice(load_settings())
