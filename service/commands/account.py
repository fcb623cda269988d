"""`tamga account`: the people who sign in at the dashboard."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.auth.scopes import LOCAL, ROLES, Role

if TYPE_CHECKING:
    from service.auth.accounts import Account, Accounts

app = typer.Typer(help="People who sign in at the dashboard (programs: tamga key).")

Login = Annotated[str, typer.Argument(metavar="LOGIN", help="Name or e-mail address to sign in with.")]
RoleOption = Annotated[str, typer.Option(help=" | ".join(ROLES))]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input (its first line).")
]


@contextmanager
def _accounts() -> Iterator[Accounts]:
    from service.auth.accounts import Accounts
    from service.logs import configure_logging
    from service.settings import load_settings
    from service.store import open_store

    settings = load_settings()
    configure_logging("warning")
    store = open_store(settings.database)
    try:
        yield Accounts(store.accounts)
    finally:
        store.close()


@app.command()
def add(
    login: Login,
    name: Annotated[str, typer.Option(help="Stands beside decisions.")],
    role: RoleOption,
    password_stdin: FromStdin = False,
) -> None:
    """Make an account; asks for its password. The first one must be an admin's, and closes the service to
    everybody without an account or a key.
    """
    chosen = _role(role)
    shown = name.strip()
    if not 1 <= len(shown) <= 200 or not shown.isprintable():
        raise typer.BadParameter("--name must have 1 to 200 printable characters")
    password = _password(password_stdin)
    with _accounts() as accounts:
        account = accounts.create(login, shown, chosen, password, by=LOCAL)
    typer.echo(f"account {account.id} ({account.role}) made", err=True)


@app.command(name="list")
def list_accounts() -> None:
    """Print all accounts as JSON Lines."""
    with _accounts() as accounts:
        after: str | None = None
        while page := accounts.list(after, 500):
            for account in page:
                sys.stdout.write(json.dumps(_line(account), ensure_ascii=False) + "\n")
            after = page[-1].id


def _line(account: Account) -> dict[str, Any]:
    fields = {name: value for name, value in asdict(account).items() if name != "version"}
    moments = {name: value.isoformat() for name, value in fields.items() if isinstance(value, datetime)}
    return {**fields, **moments}


@app.command()
def disable(login: Login) -> None:
    """Let an account in no longer, and sign it out everywhere."""
    with _accounts() as accounts:
        accounts.update(accounts.find(login).id, {"disabled": True}, by=LOCAL)


@app.command()
def enable(login: Login) -> None:
    """Let a disabled account in again."""
    with _accounts() as accounts:
        accounts.update(accounts.find(login).id, {"disabled": False}, by=LOCAL)


@app.command()
def password(login: Login, password_stdin: FromStdin = False) -> None:
    """Give an account another password, and sign it out everywhere."""
    with _accounts() as accounts:
        account = accounts.find(login)
        accounts.set_password(account.id, _password(password_stdin), by=LOCAL)


@app.command()
def role(login: Login, role: Annotated[str, typer.Argument(metavar="|".join(ROLES))]) -> None:
    """Give an account another role."""
    chosen = _role(role)
    with _accounts() as accounts:
        accounts.update(accounts.find(login).id, {"role": chosen}, by=LOCAL)


def _role(role: str) -> Role:
    if role not in ROLES:
        raise typer.BadParameter(f"the role {role!r}; there are {', '.join(ROLES)}")
    return role


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise typer.BadParameter("there is nobody to ask for the password; give --password-stdin")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != first:
        raise typer.BadParameter("the two passwords are not the same")
    return first
