"""Who may call which route.

Every route declares a guard: `dependencies=[requires("records:write")]`, `[signed_in]` where any caller will
do, or `[public]` for the few that anyone may see. `AccessControl` finds out who calls, by access key or by
session cookie, and refuses callers without either before a byte of their body is read; the guard then holds
the caller's scopes against the route's. A route without a guard fails a test.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, cast
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.routing import iter_route_contexts
from fastapi.security import APIKeyCookie, HTTPBearer
from starlette.datastructures import Headers
from starlette.routing import BaseRoute, Mount, compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from service.api import session_cookie
from service.api.problems import problem_of, problem_response
from service.auth.actor import acting_as
from service.auth.keys import Keys
from service.auth.loopback import is_loopback
from service.auth.scopes import LOCAL, Caller
from service.auth.scopes import Scope as AccessScope
from service.auth.sessions import Sessions
from service.errors import Forbidden, TamgaError, Unauthenticated
from service.store.errors import StoreError

log = logging.getLogger(__name__)

CALLER: Final = "caller"
SIGN_IN_PATHS: Final = frozenset({"/v1/session", "/dashboard/login"})

# Read here for the schema alone: `AccessControl` has looked at the header long before.
_bearer = HTTPBearer(
    auto_error=False, scheme_name="key", description="An access key: `Authorization: Bearer tg_…`."
)
_cookie = APIKeyCookie(
    name=session_cookie.NAME,
    auto_error=False,
    scheme_name="session",
    description="The cookie of somebody who signed in (`POST /v1/session`); over HTTPS it is called "
    f"`{session_cookie.SECURE_NAME}`.",
)
# How the refusal begins, by which the dashboard tells it from others: a person knows roles, not scopes.
SCOPE_MISSING: Final = "It needs the scope"
_NOBODY: Final = "Send an access key in the header Authorization: Bearer, or sign in."


class Guard:
    """A declared guard: the scope that a caller needs, or None where any caller will do."""

    public = False

    def __init__(self, scope: AccessScope | None) -> None:
        self.scope = scope


# Guards, and what routes depend on, are coroutines though they wait for nothing: FastAPI sends every other
# callable through a thread, which a busy model thread makes wait for the interpreter.
class _ScopeGuard(Guard):
    async def __call__(
        self,
        request: Request,
        _credentials: Annotated[Any, Depends(_bearer)],
        _session: Annotated[Any, Depends(_cookie)],
    ) -> None:
        caller: Caller | None = request.scope.get(CALLER)
        if caller is None:
            raise Unauthenticated(_NOBODY)
        if self.scope is not None and self.scope not in caller.scopes:
            raise Forbidden(f"{SCOPE_MISSING} {self.scope}.")


class _Public(Guard):
    public = True

    async def __call__(self) -> None:
        return None


def requires(scope: AccessScope) -> Any:
    """The dependency of a route that needs `scope`."""
    return Depends(_ScopeGuard(scope))


public: Final[Any] = Depends(_Public(None))
signed_in: Final[Any] = Depends(_ScopeGuard(None))


async def caller_of(request: Request) -> Caller:
    """Who sends this request; on a guarded route there always is somebody."""
    return cast(Caller, request.scope[CALLER])


CallerDep = Annotated[Caller, Depends(caller_of)]


@dataclass(frozen=True, slots=True)
class GuardedRoute:
    """One route with the dependencies that it declares, guards among them; a mounted folder of static files
    has none and is public.
    """

    path: str
    methods: frozenset[str]
    pattern: re.Pattern[str]
    calls: tuple[Any, ...]
    mounted: bool

    @property
    def guards(self) -> list[Guard]:
        """Those of the dependencies that say who may call."""
        return [call for call in self.calls if isinstance(call, Guard)]

    @property
    def is_public(self) -> bool:
        """May anyone call it?"""
        return self.mounted or any(guard.public for guard in self.guards)


def guarded_routes(routes: Sequence[BaseRoute]) -> Iterator[GuardedRoute]:
    """All routes of an application, with the guards that they declare."""
    for context in iter_route_contexts(routes):
        mounted = isinstance(getattr(context, "original_route", None), Mount)
        path = context.path or ""
        pattern, _, _ = compile_path(path + "/{path:path}" if mounted else path)
        dependant = None if mounted else getattr(context, "dependant", None)
        calls = () if dependant is None else tuple(part.call for part in dependant.dependencies)
        yield GuardedRoute(
            path,
            frozenset(context.methods or ()),
            pattern,
            calls,
            mounted,
        )


class AccessControl:
    """ASGI middleware: puts the caller into the request, or refuses it.

    `routes` gives the routes of the application; they are read once, at the first request.
    """

    def __init__(self, app: ASGIApp, routes: Callable[[], Sequence[BaseRoute]]) -> None:
        self.app = app
        self._routes = routes
        self._guarded: list[GuardedRoute] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        keys: Keys = scope["state"]["keys"]
        headers = Headers(scope=scope)
        try:
            caller = await self._caller(keys, scope, headers)
            if caller is None and not self._is_public(scope):
                raise Unauthenticated(_NOBODY)
        except (Unauthenticated, Forbidden, StoreError) as error:
            if isinstance(error, StoreError):
                log.error("asking who calls failed: %s", error.detail)
            await _refusal(error, scope)(scope, receive, send)
            return
        scope[CALLER] = caller
        with acting_as("public" if caller is None else caller.id):
            await self.app(scope, receive, send)

    async def _caller(self, keys: Keys, scope: Scope, headers: Headers) -> Caller | None:
        session = session_cookie.token(scope)
        if session is not None or _signs_in(scope, headers):
            session_cookie.refuse_other_sites(scope)
        given = headers.get("authorization")
        if given is not None:
            kind, _, token = given.partition(" ")
            caller = None
            if kind.lower() == "bearer":
                caller = await asyncio.to_thread(keys.caller, token.strip())
            if caller is None:
                raise Unauthenticated("The access key is unknown, revoked or expired.")
            return caller
        if session is not None:
            sessions: Sessions = scope["state"]["sessions"]
            caller = await asyncio.to_thread(sessions.caller, session)
            if caller is not None:
                return caller
        if self._is_public(scope) or await asyncio.to_thread(keys.closed):
            return None
        _require_this_machine(scope, headers)
        return LOCAL

    def _is_public(self, scope: Scope) -> bool:
        if self._guarded is None:
            self._guarded = list(guarded_routes(self._routes()))
        path, method = scope["path"], scope["method"]
        matching = [route for route in self._guarded if route.pattern.match(path)]
        # Where no route is, there is nothing to protect: the answer is 404, or 405 for another method.
        chosen = next((route for route in matching if route.mounted or method in route.methods), None)
        return chosen is None or chosen.is_public


def _require_this_machine(scope: Scope, headers: Headers) -> None:
    """A service without keys is open to this machine; a web page that a browser on it shows is not this
    machine. Such a page may reach us by a name that its owner lets point here (DNS rebinding), or by a
    request across origins: both show in the headers.
    """
    client = scope.get("client")
    host = urlsplit(f"//{headers.get('host', '')}").hostname
    origin = headers.get("origin")
    if client is None or not is_loopback(client[0]):
        raise Unauthenticated("Nobody was let in yet; until then only this machine is answered.")
    if not is_loopback(host or "") or (origin is not None and not is_loopback(_hostname(origin))):
        raise Forbidden(
            "There is no access key and no account yet; until then the service answers to localhost only, "
            "not to other names or origins; make one with `tamga key create` or `tamga account add`."
        )


def _hostname(origin: str) -> str:
    try:
        return urlsplit(origin).hostname or ""
    except ValueError:
        return ""


def _signs_in(scope: Scope, headers: Headers) -> bool:
    """Whether a browser signs somebody in: another site must not make it do so, as somebody else perhaps. A
    program that sends neither header has no cookie to be abused.
    """
    if scope["path"] not in SIGN_IN_PATHS:
        return False
    return "sec-fetch-site" in headers or "origin" in headers


def _refusal(error: TamgaError, scope: Scope) -> ASGIApp:
    # The body stays unread, so the connection cannot serve another request.
    return problem_response(problem_of(error, scope["path"]), {**error.headers, "Connection": "close"})
