"""What holds for every answer of the dashboard: headers that keep other sites and injected scripts out, and
errors as pages. Whoever raises an error, it arrives here as a problem document, and leaves as HTML.
"""

from __future__ import annotations

import json
import logging
from typing import Any, Final
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.access import SCOPE_MISSING
from service.api.problems import NO_RESOURCE, PROBLEM_JSON
from service.dashboard.i18n import marked
from service.dashboard.pages import HOME, Page

log = logging.getLogger(__name__)

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: forms would then send `Origin: null`, by which they are told from other sites' forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # A page of the newsroom's own must not show after logging out.
    "Cache-Control": "no-store",
}
LOGIN: Final = HOME + "/login"

# What is said about an error by its status; the problem's own `detail` stands below it.
TITLES: Final = {
    400: marked("The request could not be read"),
    401: marked("Please log in"),
    403: marked("You may not do that"),
    404: marked("There is no such page"),
    405: marked("That is not possible here"),
    408: marked("The request took too long"),
    409: marked("Somebody else was faster"),
    412: marked("It has changed since you opened it"),
    413: marked("That is too large"),
    415: marked("This kind of file is not taken"),
    422: marked("Something in the form is not right"),
    429: marked("Too many requests; try again in a moment"),
    503: marked("The service is busy or still starting; try again in a moment"),
}
ANY_OTHER: Final = marked("Something went wrong on our side")
NOT_YOURS: Final = marked("Your role does not include this. An administrator can give you another one.")
IN_THE_LOG: Final = "The service log has the details."


def belongs_to_dashboard(path: str) -> bool:
    """Is this path one of the dashboard's?"""
    return path == HOME or path.startswith(HOME + "/")


class DashboardAnswers:
    """ASGI middleware, outermost: headers for every answer, a page for every error."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not belongs_to_dashboard(scope["path"]):
            await self.app(scope, receive, send)
            return
        problem: dict[str, Any] | None = None
        body = bytearray()
        begun = False

        async def answer(message: Message) -> None:
            nonlocal problem, begun
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                if headers.get("content-type", "").startswith(PROBLEM_JSON):
                    problem = dict(message)
                    return
                _secure(headers)
                begun = True
            elif problem is not None:
                body.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    page = _error_page(scope, problem, bytes(body))
                    _secure(page.headers)
                    begun = True
                    await page(scope, receive, send)
                return
            await send(message)

        try:
            await self.app(scope, receive, answer)
        except Exception:
            if begun:
                raise
            # Starlette's own answer to what nobody caught stands outside of this one, and is no page.
            log.exception("%s %s failed unexpectedly", scope["method"], scope["path"])
            page = Page(Request(scope)).render(
                "error.html", status=500, title=ANY_OTHER, detail=IN_THE_LOG, spoken="en", login=None
            )
            _secure(page.headers)
            await page(scope, receive, send)


def _secure(headers: MutableHeaders) -> None:
    for name, value in HEADERS.items():
        headers.setdefault(name, value)


def _error_page(scope: Scope, start: dict[str, Any], body: bytes) -> Response:
    status = int(start["status"])
    request = Request(scope)
    if status == 401 and scope["method"] in ("GET", "HEAD"):
        query = scope["query_string"].decode("latin-1")
        wanted = scope["path"] + (f"?{query}" if query else "")
        return RedirectResponse(f"{LOGIN}?next={quote(wanted, safe='/')}", status_code=303)
    told = json.loads(body)
    page = Page(request)
    detail = str(told.get("detail", ""))
    if detail == NO_RESOURCE:
        # The title says as much, in the language of the page.
        detail = ""
    own_words = detail.startswith(SCOPE_MISSING)
    answer = page.render(
        "error.html",
        status=status,
        title=TITLES.get(status, ANY_OTHER),
        detail=page.gettext(NOT_YOURS) if own_words else detail,
        spoken=page.locale if own_words else "en",
        login=LOGIN if status == 401 else None,
    )
    sent = Headers(raw=start["headers"])
    for name in ("Retry-After", "Connection", "Allow", "X-Request-Id"):
        if name in sent:
            answer.headers[name] = sent[name]
    return answer
