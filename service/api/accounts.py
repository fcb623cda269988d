"""Accounts of people: made, listed, changed and disabled by an admin."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, StringConstraints
from pydantic.config import JsonDict

from service.api.access import CallerDep, requires
from service.api.etags import IfMatch, etag, version_of
from service.api.idempotency import idempotent
from service.api.keys import Name
from service.api.problems import responses
from service.api.state import AccountsDep
from service.auth.accounts import Account, AccountChanges
from service.auth.passwords import MAX_LENGTH, MIN_LENGTH
from service.auth.scopes import Role

router = APIRouter(prefix="/v1/accounts", tags=["accounts"])

MAX_PAGE: Final = 500

Login = Annotated[str, StringConstraints(min_length=2, max_length=200, pattern=r"^[^\s\x00-\x1f\x7f]*$")]
NewPassword = Annotated[SecretStr, Field(min_length=MIN_LENGTH, max_length=MAX_LENGTH)]
AccountId = Annotated[str, Path(max_length=32, examples=["acc_0f3a9c2b7d41"])]

EXAMPLE: Final[JsonDict] = {
    "login": "a.editor@news.example",
    "name": "A. Editor",
    "role": "editor",
    "password": "four words make a passphrase",
}


class AccountRequest(BaseModel):
    """An account to make."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    login: Login = Field(description="A name or an e-mail address to sign in with; case does not count.")
    name: Name = Field(description="Stands beside decisions, and on labels as who decided.")
    role: Role
    password: NewPassword


class AccountPatch(BaseModel):
    """What is to change; absent fields stay."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"role": "editor"}]})

    name: Name | None = None
    role: Role | None = None
    disabled: bool | None = Field(None, description="true also signs the account out everywhere.")


class PasswordReset(BaseModel):
    """Another password for somebody who forgot theirs."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"password": "four words make a passphrase"}]}
    )

    password: NewPassword


class AccountView(BaseModel):
    """An account, without its password."""

    id: str
    login: str
    name: str
    role: Role
    state: Literal["active", "disabled"]
    created_by: str = Field(description="Id of the account or key it was made with, or `local`.")
    created_at: AwareDatetime
    last_login_at: AwareDatetime | None
    password_changed_at: AwareDatetime
    disabled_at: AwareDatetime | None


class AccountPage(BaseModel):
    """Accounts in order of creation."""

    items: list[AccountView]
    next: str | None = Field(description="Pass as `after` to get the next page; null on the last one.")


class EndedSessions(BaseModel):
    """How many sessions ended."""

    ended: int


def shown(account: Account) -> AccountView:
    """What the API shows of an account."""
    return AccountView.model_validate(account, from_attributes=True)


def _tagged(account: Account, response: Response) -> AccountView:
    response.headers["ETag"] = etag(account.version)
    return shown(account)


@router.post(
    "",
    status_code=201,
    dependencies=[requires("accounts:write"), idempotent],
    responses=responses(400, 401, 403, 408, 409, 413, 415, 422, 503),
)
async def create_account(
    body: AccountRequest, accounts: AccountsDep, caller: CallerDep, response: Response
) -> AccountView:
    """Make an account. The first one closes the service to everybody else, and must be an admin's."""
    made = await asyncio.to_thread(
        accounts.create, body.login, body.name, body.role, body.password.get_secret_value(), by=caller
    )
    response.headers["Location"] = f"/v1/accounts/{made.id}"
    return _tagged(made, response)


@router.get("", dependencies=[requires("accounts:read")], responses=responses(401, 403, 422, 503))
async def list_accounts(
    accounts: AccountsDep,
    after: Annotated[str | None, Query(max_length=200, description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
) -> AccountPage:
    """All accounts, disabled ones too, page by page."""
    found = await asyncio.to_thread(accounts.list, after, limit + 1)
    page = [shown(account) for account in found[:limit]]
    return AccountPage(items=page, next=page[-1].id if len(found) > limit else None)


@router.get(
    "/{account_id}", dependencies=[requires("accounts:read")], responses=responses(401, 403, 404, 422, 503)
)
async def get_account(account_id: AccountId, accounts: AccountsDep, response: Response) -> AccountView:
    """One account."""
    return _tagged(await asyncio.to_thread(accounts.get, account_id), response)


@router.patch(
    "/{account_id}",
    dependencies=[requires("accounts:write")],
    responses=responses(400, 401, 403, 404, 408, 409, 412, 413, 415, 422, 503),
)
async def update_account(
    account_id: AccountId,
    body: AccountPatch,
    accounts: AccountsDep,
    caller: CallerDep,
    response: Response,
    if_match: IfMatch = None,
) -> AccountView:
    """Change the name or role of an account, disable it, or enable it again."""
    changes = AccountChanges()
    for field in body.model_fields_set:
        value = getattr(body, field)
        # Nothing of this can be taken away: null means the same as absent.
        if value is not None:
            changes[field] = value  # type: ignore[literal-required]
    version = version_of(if_match)
    changed = await asyncio.to_thread(accounts.update, account_id, changes, version=version, by=caller)
    return _tagged(changed, response)


@router.post(
    "/{account_id}/password",
    dependencies=[requires("accounts:write")],
    responses=responses(400, 401, 403, 404, 408, 413, 415, 422, 503),
)
async def reset_password(
    account_id: AccountId, body: PasswordReset, accounts: AccountsDep, caller: CallerDep, response: Response
) -> AccountView:
    """Give an account another password. It is signed out everywhere."""
    password = body.password.get_secret_value()
    return _tagged(await asyncio.to_thread(accounts.set_password, account_id, password, by=caller), response)


@router.delete(
    "/{account_id}/sessions",
    dependencies=[requires("accounts:write")],
    responses=responses(401, 403, 404, 422, 503),
)
async def end_sessions(account_id: AccountId, accounts: AccountsDep, caller: CallerDep) -> EndedSessions:
    """Sign an account out everywhere."""
    return EndedSessions(ended=await asyncio.to_thread(accounts.end_sessions, account_id, by=caller))
