"""The command line: `tamga`. Exit 0 on success, 2 on bad usage or bad input, 1 on failure; errors are one
line on standard error.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer
from typer.exceptions import TyperException

from index.errors import VectorStoreUnavailable
from service.commands import (
    account,
    audit,
    backup,
    check,
    compare,
    doctor,
    feeds,
    index,
    key,
    keys,
    label,
    log,
    models,
    samples,
    serve,
    verify,
    webhooks,
)
from service.errors import ConfigurationError, TamgaError, VectorStoreDown

app = typer.Typer(
    name="tamga",
    help="Where does a text come from, what does it claim, and what is already known about that?",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(check.check)
app.command()(audit.audit)
app.command()(compare.compare)
app.command()(verify.verify)
app.command()(serve.serve)
app.command()(doctor.doctor)
app.command()(backup.backup)
app.command()(backup.restore)
app.add_typer(index.app, name="index")
app.add_typer(feeds.app, name="feeds")
app.add_typer(samples.app, name="samples")
app.add_typer(models.app, name="models")
app.add_typer(key.app, name="key")
app.add_typer(account.app, name="account")
app.add_typer(label.app, name="label")
app.add_typer(keys.app, name="keys")
app.add_typer(log.app, name="log")
app.add_typer(webhooks.app, name="webhooks")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    try:
        code = app(
            args=None if arguments is None else list(arguments), prog_name="tamga", standalone_mode=False
        )
    except TyperException as error:
        return _fail(error.format_message(), error.exit_code)
    except TamgaError as error:
        return _fail(f"{error.title}: {error.detail}", 2 if error.status < 500 or _is_setting(error) else 1)
    except VectorStoreUnavailable as error:
        return _fail(f"{VectorStoreDown.title}: {error}", 1)
    except BrokenPipeError:
        # The reader of our output went away (`| head`): nothing to tell, and nowhere to flush to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code if isinstance(code, int) else 0


def _is_setting(error: TamgaError) -> bool:
    return isinstance(error, ConfigurationError)


def _fail(message: str, code: int) -> int:
    print(f"tamga: {' '.join(message.split())}", file=sys.stderr)
    return code
