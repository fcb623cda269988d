"""The cookie that carries a session's token, and who may send it along.

Over HTTPS the cookie is called `__Host-tamga-session`: browsers then take it only with `Secure`, for the
whole host and for no other, so that no neighbour under the same domain can plant one. `HttpOnly`: no script
reads it. `SameSite=Lax`: other sites' posts come without it; `refuse_other_sites` is the second wall.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

from service.auth.sessions import TOKEN, StartedSession
from service.errors import Forbidden
from service.runtime import Runtime

NAME: Final = "tamga-session"
SECURE_NAME: Final = "__Host-tamga-session"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class CrossSite(Forbidden):
    """A page of another site sends somebody's cookie along."""

    slug = "cross-site"
    title = "This request does not come from a page of this service"


def is_secure(scope: Scope) -> bool:
    """Whether callers reach the service by HTTPS: this one did, or the public address says so."""
    if scope["scheme"] == "https":
        return True
    runtime: Runtime = scope["state"]["worker"].runtime
    return runtime.settings.public_url.startswith("https://")


def name(scope: Scope) -> str:
    """What the cookie is called for this caller."""
    return SECURE_NAME if is_secure(scope) else NAME


def token(scope: Scope) -> str | None:
    """The token that a request carries; None without one of the right form."""
    sent = Headers(scope=scope).getlist("cookie")
    if not sent:
        return None
    wanted = name(scope)
    for part in "; ".join(sent).split(";"):
        key, _, value = part.strip().partition("=")
        if key == wanted:
            # Of two with this name, browsers send the more specific first; a bad one is not passed over.
            return value if TOKEN.fullmatch(value) else None
    return None


def put(response: Response, scope: Scope, session: StartedSession) -> None:
    """Give the caller the token. The cookie ends with the browser or the session, whichever is first."""
    response.set_cookie(
        name(scope), session.token, path="/", secure=is_secure(scope), httponly=True, samesite="lax"
    )
    # An answer with a token must not lie in any cache on the way.
    response.headers["Cache-Control"] = "no-store"


def clear(response: Response, scope: Scope) -> None:
    """Take the token away."""
    response.delete_cookie(name(scope), path="/", secure=is_secure(scope), httponly=True, samesite="lax")


def refuse_other_sites(scope: Scope) -> None:
    """Let no page of another site act with somebody's cookie, without tokens in forms: browsers themselves
    say where a request comes from. (The rule of Go's `http.CrossOriginProtection` and of Datasette; here a
    request with neither header is refused too, since every browser sends one of them with what is not safe.)

    Raises:
        CrossSite: it does not come from a page of this service.
    """
    if scope["method"] in SAFE_METHODS:
        return
    headers = Headers(scope=scope)
    site = headers.get("sec-fetch-site")
    if site is not None:
        if site in ("same-origin", "none"):
            return
        raise CrossSite(f"It comes from a page of another origin (Sec-Fetch-Site: {site[:20]}).")
    origin = headers.get("origin")
    if origin is None:
        raise CrossSite(
            "With a session cookie, Sec-Fetch-Site or Origin must say where a request comes from; programs "
            "use an access key."
        )
    if not _same_host(origin, headers.get("host", "")):
        raise CrossSite("It comes from a page of another origin.")


def _same_host(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
        there = (parts.hostname, parts.port or _default(parts.scheme))
        here_parts = urlsplit(f"//{host}")
        here = (here_parts.hostname, here_parts.port or _default(parts.scheme))
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.hostname is not None and there == here


def _default(scheme: str) -> int:
    return 443 if scheme == "https" else 80
