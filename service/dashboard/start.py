"""The way in: the first page, logging in and out, one's own password and time zone."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from service.api import session_cookie
from service.api.access import CallerDep, public, signed_in
from service.api.sessions import address_of
from service.api.state import KeysDep, ModelWorkerDep, SessionsDep
from service.auth.sessions import SignInFailed
from service.dashboard import zones
from service.dashboard.flashes import flash
from service.dashboard.forms import read_form
from service.dashboard.i18n import marked
from service.dashboard.pages import HOME, Page, PageDep, local_path
from service.dashboard.queue import with_runtime
from service.errors import Forbidden, InvalidInput, Overloaded, QuotaExceeded, Unauthenticated

router = APIRouter(prefix=HOME, include_in_schema=False)

# Two short fields; whoever sends more than that is not logging in.
FORM_BYTES = 20_000

LOGGED_OUT = flash("logged-out", "You are logged out.")
PASSWORD_CHANGED = flash("password-changed", "The password is changed. Other browsers are logged out.")
ZONE_CHOSEN = flash("zone-chosen", "Times are shown in the zone you chose.")
AS_NEWSROOM = marked("As the newsroom: %(zone)s")
WRONG = marked("Name or password is not right.")
TOO_OFTEN = marked("Too many attempts failed. Wait a few minutes and try again.")
NOT_TWICE = marked("The two new passwords differ.")
NOT_CURRENT = marked("The current password is not right.")


@router.get("", dependencies=[signed_in])
@router.get("/", dependencies=[signed_in])
async def first_page(page: PageDep) -> Response:
    """On to the first page of the navigation."""
    return page.go(page.tabs[0].path if page.tabs else "/dashboard/check")


@router.get("/login", dependencies=[public])
async def login_form(page: PageDep, keys: KeysDep) -> Response:
    """The form; where nobody needs to log in, a page that says so."""
    closed = await asyncio.to_thread(keys.closed)
    return _login_form(page, page.request.query_params.get("next"), closed=closed)


@router.post("/login", dependencies=[public])
async def log_in(request: Request, page: PageDep, sessions: SessionsDep, worker: ModelWorkerDep) -> Response:
    """Begin a session and go on to where the caller wanted to go."""
    form = await read_form(request, FORM_BYTES)
    try:
        started = await asyncio.to_thread(
            sessions.start,
            form.text("login"),
            form.values.get("password", ""),
            address=address_of(request),
            replacing=session_cookie.token(request.scope),
        )
    except SignInFailed:
        return _login_form(page, form.text("next"), login=form.text("login"), wrong=WRONG)
    except (QuotaExceeded, Overloaded) as error:
        answer = _login_form(page, form.text("next"), login=form.text("login"), wrong=TOO_OFTEN)
        answer.status_code = error.status
        answer.headers.update(error.headers)
        return answer
    onward = page.go(local_path(form.text("next")))
    session_cookie.put(onward, request.scope, started)
    own = await with_runtime(
        worker, lambda runtime: runtime.store.accounts.preferences(started.account.id).get(zones.PREFERENCE)
    )
    _keep_zone(page, onward, own)
    return onward


def _login_form(
    page: Page, onward: str | None, *, login: str = "", wrong: str | None = None, closed: bool = True
) -> Response:
    return page.render(
        "login.html",
        200 if wrong is None else 422,
        next=local_path(onward),
        login=login,
        wrong=wrong,
        closed=closed,
    )


@router.post("/logout", dependencies=[signed_in])
async def log_out(request: Request, page: PageDep, sessions: SessionsDep) -> Response:
    """End the session, here and in the database."""
    token = session_cookie.token(request.scope)
    if token is not None:
        await asyncio.to_thread(sessions.end, token)
    onward = page.go("/dashboard/login", say=LOGGED_OUT)
    session_cookie.clear(onward, request.scope)
    return onward


@router.get("/account", dependencies=[signed_in])
async def own_account(page: PageDep, worker: ModelWorkerDep) -> Response:
    """Who is logged in, in which time zone, and a form for a new password."""
    return _account(page, worker)


def _account(page: Page, worker: ModelWorkerDep, status: int = 200, **wrong: str) -> Response:
    now = datetime.now(UTC)
    choices = [(name, f"{name} ({zones.offset(now.astimezone(ZoneInfo(name)))})") for name in zones.offered()]
    newsroom = worker.runtime.settings.time_zone
    chosen = page.request.cookies.get(zones.COOKIE)
    own = chosen if chosen in zones.zones() else ""
    if own and own not in zones.offered():
        choices.insert(0, (own, own))
    default = page.gettext(AS_NEWSROOM, zone=newsroom)
    return page.render("account.html", status, wrong=wrong, zones=[("", default), *choices], zone=own)


@router.post("/account/time-zone", dependencies=[signed_in])
async def choose_time_zone(
    request: Request, page: PageDep, caller: CallerDep, worker: ModelWorkerDep
) -> Response:
    """Choose the time zone of the times that one sees oneself."""
    name = (await read_form(request, FORM_BYTES)).text("zone")
    if name and name not in zones.zones():
        raise InvalidInput("There is no such time zone.", pointer="#/zone")
    await with_runtime(
        worker,
        lambda runtime: runtime.store.accounts.set_preference(caller.id, zones.PREFERENCE, name or None),
    )
    onward = page.go("/dashboard/account", say=ZONE_CHOSEN)
    _keep_zone(page, onward, name or None)
    return onward


def _keep_zone(page: Page, answer: Response, zone: str | None) -> None:
    # In a cookie as well, so that no page has to look it up.
    if zone is not None:
        page.keep(answer, zones.COOKIE, zone)
    else:
        answer.delete_cookie(zones.COOKIE, path=HOME)


@router.post("/account", dependencies=[signed_in])
async def change_password(
    request: Request, page: PageDep, sessions: SessionsDep, worker: ModelWorkerDep
) -> Response:
    """Change one's own password; every other session of the account ends."""
    token = session_cookie.token(request.scope)
    if token is None:
        raise Unauthenticated("Only somebody who is logged in has a password to change.")
    form = await read_form(request, FORM_BYTES)
    new = form.values.get("new", "")
    if new != form.values.get("again", ""):
        return _account(page, worker, 422, again=page.gettext(NOT_TWICE))
    try:
        started = await asyncio.to_thread(
            sessions.change_password,
            token,
            form.values.get("current", ""),
            new,
            address=address_of(request),
        )
    except Forbidden:
        return _account(page, worker, 422, current=page.gettext(NOT_CURRENT))
    except InvalidInput as error:
        return _account(page, worker, 422, new=error.detail)
    onward = page.go("/dashboard/account", say=PASSWORD_CHANGED)
    session_cookie.put(onward, request.scope, started)
    return onward
