"""Accounts and access keys: who may come in, and as what."""

from __future__ import annotations

import asyncio
from typing import Any, Final, cast

from fastapi import APIRouter, Request, Response

from service.api.access import CallerDep, requires
from service.api.state import AccountsDep, KeysDep
from service.auth.scopes import ROLES, Role
from service.dashboard.flashes import flash
from service.dashboard.forms import REQUIRED, Form, read_form
from service.dashboard.i18n import marked
from service.dashboard.pages import Page, PageDep
from service.dashboard.words import ROLES as ROLE_WORDS
from service.errors import Conflict, Forbidden, InvalidInput

router = APIRouter(prefix="/dashboard/settings", include_in_schema=False)

FORM_BYTES: Final = 20_000
MOST_SHOWN: Final = 500
ACCOUNTS: Final = "/dashboard/settings/accounts"
KEYS: Final = "/dashboard/settings/keys"
ACCOUNT_ADDED: Final = flash("account-added", "The account is made. Its owner can log in.")
ACCOUNT_CHANGED: Final = flash("account-changed", "The account is changed.")
KEY_REVOKED: Final = flash("key-revoked", "The key is revoked and opens nothing any more.")
REFUSED: Final = flash(
    "change-refused", "This change was refused: you may not do that, or it would lock everybody out.", "bad"
)
LOGIN_TAKEN: Final = marked("Another account has this name.")


@router.get("/accounts", dependencies=[requires("accounts:read")])
async def accounts(page: PageDep, known: AccountsDep) -> Response:
    """All accounts, and a form for a new one."""
    return await _show_accounts(page, known, {}, {})


@router.post("/accounts", dependencies=[requires("accounts:write")])
async def add_account(request: Request, page: PageDep, known: AccountsDep, caller: CallerDep) -> Response:
    """Make an account. The first one, an admin's, closes the dashboard to everybody else."""
    form = await read_form(request, FORM_BYTES)
    given = {name: form.text(name) for name in ("login", "name", "role")}
    wrong = {name: page.gettext(REQUIRED) for name in ("login", "name") if not given[name]}
    if not wrong:
        try:
            await asyncio.to_thread(
                known.create,
                given["login"],
                given["name"],
                _role(form),
                form.values.get("password", ""),
                by=caller,
            )
        except Conflict:
            wrong["login"] = page.gettext(LOGIN_TAKEN)
        except InvalidInput as error:
            wrong[(error.pointer or "#/password").removeprefix("#/")] = error.detail
    if wrong:
        return await _show_accounts(page, known, given, wrong)
    return page.go(ACCOUNTS, say=ACCOUNT_ADDED)


@router.post("/accounts/change", dependencies=[requires("accounts:write")])
async def change_account(request: Request, page: PageDep, known: AccountsDep, caller: CallerDep) -> Response:
    """Give an account another role, or let it in no more, or again."""
    form = await read_form(request, FORM_BYTES)
    changes: dict[str, Any] = {"role": _role(form), "disabled": form.ticked("disabled")}
    try:
        await asyncio.to_thread(lambda: known.update(form.text("id"), cast(Any, changes), by=caller))
    except (Forbidden, InvalidInput, Conflict):
        return page.go(ACCOUNTS, say=REFUSED)
    return page.go(ACCOUNTS, say=ACCOUNT_CHANGED)


@router.post("/accounts/password", dependencies=[requires("accounts:write")])
async def reset_password(request: Request, page: PageDep, known: AccountsDep, caller: CallerDep) -> Response:
    """Give an account another password; its sessions end."""
    form = await read_form(request, FORM_BYTES)
    try:
        await asyncio.to_thread(
            lambda: known.set_password(form.text("id"), form.values.get("password", ""), by=caller)
        )
    except InvalidInput as error:
        return await _show_accounts(page, known, {}, {f"password-{form.text('id')}": error.detail})
    except (Forbidden, Conflict):
        return page.go(ACCOUNTS, say=REFUSED)
    return page.go(ACCOUNTS, say=ACCOUNT_CHANGED)


@router.get("/keys", dependencies=[requires("keys:read")])
async def keys(page: PageDep, known: KeysDep) -> Response:
    """All access keys, and a form for a new one."""
    return await _show_keys(page, known, {}, {}, token=None)


@router.post("/keys", dependencies=[requires("keys:write")])
async def add_key(request: Request, page: PageDep, known: KeysDep, caller: CallerDep) -> Response:
    """Make a key and show its token, this once."""
    form = await read_form(request, FORM_BYTES)
    given = {"name": form.text("name"), "role": form.text("role")}
    if not given["name"]:
        return await _show_keys(page, known, given, {"name": page.gettext(REQUIRED)}, token=None)
    try:
        issued = await asyncio.to_thread(lambda: known.create(given["name"], _role(form), by=caller))
    except (InvalidInput, Forbidden) as error:
        return await _show_keys(page, known, given, {"role": error.detail}, token=None)
    return await _show_keys(page, known, {}, {}, token=issued.token)


@router.post("/keys/revoke", dependencies=[requires("keys:write")])
async def revoke_key(request: Request, page: PageDep, known: KeysDep, caller: CallerDep) -> Response:
    """End a key for good."""
    form = await read_form(request, FORM_BYTES)
    try:
        await asyncio.to_thread(lambda: known.revoke(form.text("id"), by=caller))
    except (Conflict, Forbidden):
        return page.go(KEYS, say=REFUSED)
    return page.go(KEYS, say=KEY_REVOKED)


def _role(form: Form) -> Role:
    chosen = form.text("role")
    # What the form does not offer is taken as the least.
    return next((role for role in ROLES if role == chosen), ROLES[0])


def _roles(page: Page) -> list[tuple[str, str]]:
    return [(role, page.gettext(ROLE_WORDS[role])) for role in ROLES]


async def _show_accounts(page: Page, known: Any, given: dict[str, str], wrong: dict[str, str]) -> Response:
    return page.render(
        "accounts.html",
        422 if wrong else 200,
        tab="settings",
        part="accounts",
        accounts=await asyncio.to_thread(known.list, None, MOST_SHOWN),
        roles=_roles(page),
        given=given,
        wrong=wrong,
    )


async def _show_keys(
    page: Page, known: Any, given: dict[str, str], wrong: dict[str, str], *, token: str | None
) -> Response:
    return page.render(
        "keys.html",
        422 if wrong else 200,
        tab="settings",
        part="keys",
        keys=await asyncio.to_thread(known.list, None, MOST_SHOWN),
        roles=_roles(page),
        given=given,
        wrong=wrong,
        token=token,
    )
