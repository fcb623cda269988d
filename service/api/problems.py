"""Every error leaves the service as application/problem+json (RFC 9457), whoever raised it.

Our own errors carry status and type (`service.errors`); Starlette's (404, 405), FastAPI's (validation,
unreadable bodies) and unexpected ones (500) are translated here. Nothing of the input is echoed back.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from index.errors import VectorStoreUnavailable
from service.errors import (
    PROBLEM_PREFIX,
    InvalidEncoding,
    InvalidInput,
    MalformedJSON,
    NotFound,
    NotReady,
    Overloaded,
    TamgaError,
    UnsupportedMediaType,
    VectorStoreDown,
)
from service.logs import request_id
from service.store.errors import StoreError

log = logging.getLogger(__name__)

PROBLEM_JSON: Final = "application/problem+json"
# The name under which a request holds a list of the problems it was answered with (the ends of their types).
PROBLEM: Final = "tamga.problems"
REQUEST_ID: Final = "X-Request-Id"
NO_RESOURCE: Final = "There is no resource at this path."
# Long lists of the same mistake help nobody and would let a small body cause a large answer.
MAX_REPORTED_ERRORS: Final = 50

# Tags of bodies that may be one thing or a list of them. Pydantic puts them into error locations, where they
# are no part of the body; the characters keep them apart from any field name.
ONE: Final = "«one»"
MANY: Final = "«many»"


class InvalidPart(BaseModel):
    """One part of the request that is wrong."""

    detail: str
    pointer: str | None = Field(
        None, description="JSON pointer into the body, as a URI fragment.", examples=["#/text"]
    )
    parameter: str | None = Field(None, description="Name of the query, path or header parameter at fault.")


class Problem(BaseModel):
    """An error by RFC 9457. `type` is stable; `detail` is for people."""

    type: str = Field(examples=[PROBLEM_PREFIX + "empty-text"])
    title: str
    status: int
    detail: str
    instance: str | None = Field(None, description="Path of the request that failed.")
    errors: list[InvalidPart] | None = None


class RefusedBody(HTTPException):
    """A body that is not read to its end. Of all exceptions, FastAPI lets only this kind pass out of its body
    reading.
    """

    def __init__(self, reason: TamgaError) -> None:
        # What is left of the body stays unread, so the connection cannot serve another request.
        super().__init__(reason.status, reason.detail, {**reason.headers, "Connection": "close"})
        self.reason = reason


class _ProblemResponse(Response):
    """Notes on its way out which problem it tells."""

    slug = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.get(PROBLEM, []).append(self.slug)
        await super().__call__(scope, receive, send)


def problem_response(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    response = _ProblemResponse(
        problem.model_dump_json(exclude_none=True),
        status_code=problem.status,
        media_type=PROBLEM_JSON,
        headers=headers,
    )
    response.slug = problem.type.removeprefix(PROBLEM_PREFIX)
    return response


# Callers are told no address of the database, nor what it says of its rows.
_STORE_DETAIL: Final = "The database does not answer, or refuses; the service's log says why."


def problem_of(error: TamgaError, instance: str | None) -> Problem:
    errors = [InvalidPart(detail=error.detail, pointer=error.pointer)] if error.pointer else None
    return Problem(
        type=error.type,
        title=error.title,
        status=error.status,
        detail=_STORE_DETAIL if isinstance(error, StoreError) else error.detail,
        # A URI reference: a path as it was decoded could hold anything.
        instance=None if instance is None else quote(instance),
        errors=errors,
    )


def _pointer(parts: Sequence[Any]) -> str:
    """RFC 6901 pointer as a URI fragment."""
    escaped = [str(part).replace("~", "~0").replace("/", "~1") for part in parts if part not in (ONE, MANY)]
    return "#/" + "/".join(escaped) if escaped else "#"


def _invalid_part(error: dict[str, Any]) -> InvalidPart:
    where, *rest = error["loc"]
    if where == "body":
        return InvalidPart(detail=error["msg"], pointer=_pointer(rest))
    return InvalidPart(detail=error["msg"], parameter=str(rest[0]) if rest else str(where))


def _is_json(request: Request) -> bool:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type == "application/json" or (
        media_type.startswith("application/") and media_type.endswith("+json")
    )


async def on_tamga_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, TamgaError)
    # What is refused for now is no failure, and may come by the thousand.
    if error.status >= 500 and not isinstance(error, (Overloaded, NotReady)):
        log.error("%s %s failed: %s", request.method, request.url.path, error.detail)
    return problem_response(problem_of(error, request.url.path), error.headers)


async def on_vector_store_unavailable(request: Request, error: Exception) -> Response:
    return await on_tamga_error(request, VectorStoreDown(str(error)))


async def on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    reported = error.errors()
    path = request.url.path
    if isinstance(error.__cause__, json.JSONDecodeError):
        cause = error.__cause__
        where = f"line {cause.lineno}, column {cause.colno}"
        return problem_response(problem_of(MalformedJSON(f"{cause.msg} at {where}."), path))
    if error.body is not None and not isinstance(error.body, FormData) and not _is_json(request):
        detail = "Send the body with the header Content-Type: application/json."
        return problem_response(problem_of(UnsupportedMediaType(detail), path))
    parts = [_invalid_part(item) for item in reported[:MAX_REPORTED_ERRORS]]
    first = parts[0]
    summary = f"{first.pointer or first.parameter}: {first.detail}"
    if len(reported) > 1:
        summary += f" (and {len(reported) - 1} more)"
    problem = problem_of(InvalidInput(summary), path)
    problem.errors = parts
    return problem_response(problem)


async def on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = request.url.path
    if isinstance(error, RefusedBody):
        return problem_response(problem_of(error.reason, path), dict(error.headers or {}))
    cause = error.__cause__
    if isinstance(cause, UnicodeDecodeError):
        detail = f"The body is not valid UTF-8: byte {cause.start} cannot be decoded."
        return problem_response(problem_of(InvalidEncoding(detail), path))
    if error.status_code == HTTPStatus.BAD_REQUEST and cause is not None:
        # Nested too deeply, or a number with too many digits: json.loads gave up.
        return problem_response(
            problem_of(MalformedJSON("The body is nested too deeply or cannot be parsed."), path)
        )
    if error.status_code == HTTPStatus.NOT_FOUND:
        return problem_response(problem_of(NotFound(NO_RESOURCE), path))
    headers = dict(error.headers) if error.headers else None
    phrase = HTTPStatus(error.status_code).phrase
    detail = str(error.detail)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED and headers:
        detail = (
            f"{request.method} is not possible here; allowed: {headers.get('allow') or headers.get('Allow')}."
        )
    problem = Problem(
        type=PROBLEM_PREFIX + phrase.lower().replace(" ", "-"),
        title=phrase,
        status=error.status_code,
        detail=detail,
        instance=quote(path),
    )
    return problem_response(problem, headers)


async def on_unexpected_error(request: Request, error: Exception) -> Response:
    # The traceback goes to the log; the caller gets no internals.
    log.exception("%s %s failed unexpectedly", request.method, request.url.path, exc_info=error)
    unexpected = TamgaError("An unexpected error occurred; the service log has the details.")
    # Sent past the middleware that adds it to every other answer.
    headers = {REQUEST_ID: current} if (current := request_id()) else None
    return problem_response(problem_of(unexpected, request.url.path), headers)


def install(app: FastAPI) -> None:
    """Let every error of `app` leave as problem+json, and describe it in the schema."""
    app.add_exception_handler(TamgaError, on_tamga_error)
    app.add_exception_handler(VectorStoreUnavailable, on_vector_store_unavailable)
    app.add_exception_handler(RequestValidationError, on_validation_error)
    app.add_exception_handler(HTTPException, on_http_exception)
    app.add_exception_handler(Exception, on_unexpected_error)
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        described = generate()
        _, problem = models_json_schema(
            [(Problem, "serialization")], ref_template="#/components/schemas/{model}"
        )
        described["components"]["schemas"].update(problem["$defs"])
        return described

    app.openapi = openapi  # type: ignore[method-assign]


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI `responses` for routes that may answer with these statuses as a Problem."""
    content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}
