"""Every request gets an id, is counted, and leaves one line in the log.

The id is the caller's `X-Request-Id` where that is well-formed, else the trace id of a `traceparent` header,
else made here. It goes back with the answer and stands in every line that is logged on the way.
"""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from opentelemetry import trace
from starlette.datastructures import Headers, MutableHeaders
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.access import CALLER, GuardedRoute, guarded_routes
from service.api.problems import PROBLEM, REQUEST_ID
from service.errors import TamgaError
from service.logs import in_request
from service.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

UNMATCHED: Final = "unmatched"
_ID: Final = re.compile(r"[A-Za-z0-9._:-]{8,64}")
_TRACEPARENT: Final = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Asked every few seconds by machines; they are logged only when something is wrong.
_QUIET: Final = frozenset({"/livez", "/readyz", "/metrics"})


@dataclass(slots=True)
class _Answer:
    status: int = 500
    begun: bool = False
    complete: bool = False


class RequestTelemetry:
    """ASGI middleware, the outermost one: it sees requests that the others refuse."""

    def __init__(self, app: ASGIApp, routes: Callable[[], Sequence[BaseRoute]], metrics: Metrics) -> None:
        self.app = app
        self._routes = routes
        self._metrics = metrics
        self._known: list[GuardedRoute] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = request_id_of(Headers(scope=scope))
        answer = _Answer()
        # A list: the middlewares behind hand on copies of the scope, which share it.
        problems: list[str] = []
        scope[PROBLEM] = problems

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status, answer.begun = message["status"], True
                MutableHeaders(scope=message)[REQUEST_ID] = request_id
            await send(message)
            answer.complete = message["type"] == "http.response.body" and not message.get("more_body", False)

        in_request(request_id)
        trace.get_current_span().set_attribute("tamga.request_id", request_id)
        with self._metrics.requests_in_progress.track_inprogress():
            try:
                await self.app(scope, receive, noted)
            except Exception:
                problems.append(TamgaError.slug)
                raise
            finally:
                self._note(scope, answer, problems, time.perf_counter() - started)

    def _note(self, scope: Scope, answer: _Answer, problems: Sequence[str], seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "other"
        route = self._route(scope)
        self._metrics.requests.labels(method, route, str(answer.status)).inc()
        self._metrics.request_seconds.labels(method, route).observe(seconds)
        for problem in problems:
            self._metrics.refusals.labels(problem).inc()
        caller = scope.get(CALLER)
        quiet = scope["path"] in _QUIET and answer.status < 400
        fields: dict[str, Any] = {
            "route": route,
            "status": answer.status,
            "seconds": round(seconds, 4),
            "caller": getattr(caller, "id", None),
        }
        if problems:
            fields["problem"] = problems[-1]
        if answer.begun and not answer.complete:
            # The caller left, or the server ended, in the middle of it.
            fields["complete"] = False
        # Quoted: a path may hold line breaks. The query is left out: callers put all kinds of things there.
        log.log(
            logging.DEBUG if quiet else logging.INFO,
            "%s %s %d",
            method,
            quote(scope["path"]),
            answer.status,
            extra={"fields": fields},
        )

    def _route(self, scope: Scope) -> str:
        if self._known is None:
            self._known = list(guarded_routes(self._routes()))
        matching = [route for route in self._known if route.pattern.match(scope["path"])]
        for route in matching:
            if route.mounted or scope["method"] in route.methods:
                return route.path
        return matching[0].path if matching else UNMATCHED


def request_id_of(headers: Headers) -> str:
    """The id under which a request with these headers goes."""
    given = headers.get(REQUEST_ID, "")
    if _ID.fullmatch(given):
        return given
    parent = _TRACEPARENT.fullmatch(headers.get("traceparent", "").strip())
    if parent is not None and parent[1].strip("0"):
        return parent[1]
    return uuid.uuid4().hex
