"""The session: sign in, who am I, change the password, sign out."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, StringConstraints
from pydantic.config import JsonDict

from service.api import session_cookie
from service.api.access import CallerDep, public, signed_in
from service.api.accounts import AccountView, NewPassword, shown
from service.api.problems import responses
from service.api.state import SessionsDep
from service.auth.passwords import MAX_LENGTH
from service.auth.scopes import Scope
from service.auth.sessions import StartedSession
from service.errors import Unauthenticated

router = APIRouter(prefix="/v1/session", tags=["session"])

EXAMPLE: Final[JsonDict] = {"login": "a.editor@news.example", "password": "four words make a passphrase"}


class Credentials(BaseModel):
    """Login and password."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    login: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    password: Annotated[SecretStr, Field(min_length=1, max_length=MAX_LENGTH)]


class PasswordChange(BaseModel):
    """The password so far, and the one from now on."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"current": "four words make a passphrase", "password": "and now there are six words"}
            ]
        },
    )

    current: Annotated[SecretStr, Field(min_length=1, max_length=MAX_LENGTH)]
    password: NewPassword


class SessionStarted(BaseModel):
    """A session begun; its token is in the cookie."""

    account: AccountView
    expires_at: AwareDatetime = Field(
        description="It ends then at the latest, and earlier if it is not used."
    )


class Identity(BaseModel):
    """Who sends this request."""

    id: str = Field(description="Id of the account or key, or `local`.")
    name: str
    scopes: list[Scope]
    account: AccountView | None = Field(description="Null for a key, and where nobody needs to sign in.")


def address_of(request: Request) -> str:
    """Where a request comes from, for counting attempts."""
    return request.client.host if request.client is not None else "unknown"


def _started(started: StartedSession, request: Request, response: Response) -> SessionStarted:
    session_cookie.put(response, request.scope, started)
    return SessionStarted(account=shown(started.account), expires_at=started.expires_at)


@router.post("", dependencies=[public], responses=responses(400, 401, 403, 408, 413, 415, 422, 429, 503))
async def sign_in(
    body: Credentials, request: Request, sessions: SessionsDep, response: Response
) -> SessionStarted:
    """Sign in; sets the session cookie. For people and browsers: programs use access keys."""
    started = await asyncio.to_thread(
        sessions.start,
        body.login,
        body.password.get_secret_value(),
        address=address_of(request),
        replacing=session_cookie.token(request.scope),
    )
    return _started(started, request, response)


@router.get("", dependencies=[signed_in], responses=responses(401, 403, 503))
async def who_am_i(
    request: Request, caller: CallerDep, sessions: SessionsDep, response: Response
) -> Identity:
    """Who sends this request, by key or by session, and what they may do."""
    token = session_cookie.token(request.scope)
    account = await asyncio.to_thread(sessions.account, token) if token is not None else None
    mine = account if account is not None and account.id == caller.id else None
    response.headers["Cache-Control"] = "no-store"
    return Identity(
        id=caller.id,
        name=caller.name,
        scopes=sorted(caller.scopes),
        account=shown(mine) if mine is not None else None,
    )


@router.delete("", status_code=204, dependencies=[signed_in], responses=responses(401, 403, 503))
async def sign_out(request: Request, sessions: SessionsDep, response: Response) -> None:
    """Sign out: the session ends here and in the database."""
    token = session_cookie.token(request.scope)
    if token is not None:
        await asyncio.to_thread(sessions.end, token)
    session_cookie.clear(response, request.scope)


@router.post(
    "/password",
    dependencies=[signed_in],
    responses=responses(400, 401, 403, 408, 412, 413, 415, 422, 429, 503),
)
async def change_password(
    body: PasswordChange, request: Request, sessions: SessionsDep, response: Response
) -> SessionStarted:
    """Change one's own password. Every other session of the account ends."""
    token = session_cookie.token(request.scope)
    if token is None:
        raise Unauthenticated("Only somebody who signed in can change their password.")
    started = await asyncio.to_thread(
        sessions.change_password,
        token,
        body.current.get_secret_value(),
        body.password.get_secret_value(),
        address=address_of(request),
    )
    return _started(started, request, response)
