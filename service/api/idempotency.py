"""Idempotency-Key: a request that is sent again, because its answer was lost, is carried out once.

A route declares `dependencies=[idempotent]`. The first request with a key is carried out and its answer kept
with the key before it is sent; the same request again gets that answer with `Idempotency-Replayed: true`. The
same key with another request is refused with 422, a request whose first sending is still being carried out
with 409. Keys belong to the caller who sent them. (Draft IETF "The Idempotency-Key HTTP Header Field".)

Only answers of success are kept: after any other nothing was created, and trying again is right. An answer
with `Cache-Control: no-store` holds a secret and is not kept either; the request is still not repeated.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, BinaryIO, Final, cast

from fastapi import Depends, Header
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.access import CALLER, GuardedRoute, guarded_routes
from service.api.problems import RefusedBody, problem_of, problem_response
from service.errors import Conflict, IdempotencyKeyReused, InvalidInput, TamgaError
from service.store.errors import StoreError
from service.store.idempotency import Claim, SqlIdempotencyRepository, StoredAnswer

log = logging.getLogger(__name__)

MAX_KEY_LENGTH: Final = 255
# Longer than any request is carried out; a claim older than this was left by a process that was killed.
LEASE: Final = timedelta(minutes=10)
_IN_MEMORY: Final = 1_000_000
_PART: Final = 1 << 18
_KEPT_HEADERS: Final = ("content-type", "location", "etag", "cache-control")


async def _declare(
    _key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            description="Any unique text, such as a UUID: the request is then carried out once, however "
            "often it is sent.",
            max_length=MAX_KEY_LENGTH,
        ),
    ] = None,
) -> None:
    """Reads nothing: `Idempotency` has seen the header before."""


idempotent: Final[Any] = Depends(_declare)


class Idempotency:
    """ASGI middleware behind `AccessControl` and `BodyLimit`. `keep` is how long answers are kept."""

    def __init__(self, app: ASGIApp, routes: Callable[[], Sequence[BaseRoute]], keep: timedelta) -> None:
        self.app = app
        self._routes = routes
        self._keep = keep
        self._idempotent: list[GuardedRoute] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        key = Headers(scope=scope).get("idempotency-key")
        if key is None or scope.get(CALLER) is None or not self._covers(scope):
            await self.app(scope, receive, send)
            return
        if not 1 <= len(key) <= MAX_KEY_LENGTH or not key.isprintable():
            await _refuse(InvalidInput("Idempotency-Key must have 1 to 255 printable characters."), scope)(
                scope, receive, send
            )
            return
        try:
            # A body may be a whole file: a large one waits on the disk, not in memory.
            with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as body:
                if await _read(receive, cast(BinaryIO, body)):
                    await self._once(key, cast(BinaryIO, body), scope, receive, send)
        except RefusedBody as refused:
            answer = _refuse(refused.reason, scope)
            answer.headers["Connection"] = "close"
            await answer(scope, receive, send)
        except StoreError as error:
            log.error("remembering a request failed: %s", error.detail)
            await _refuse(error, scope)(scope, receive, send)

    def _covers(self, scope: Scope) -> bool:
        if self._idempotent is None:
            self._idempotent = [route for route in guarded_routes(self._routes()) if _declares(route)]
        return any(route.pattern.match(scope["path"]) for route in self._idempotent)

    async def _once(self, key: str, body: BinaryIO, scope: Scope, receive: Receive, send: Send) -> None:
        answers: SqlIdempotencyRepository = scope["state"]["idempotency"]
        caller = scope[CALLER].id
        key_hash = hashlib.sha256(key.encode()).hexdigest()
        now = datetime.now(UTC)
        claimed = await asyncio.to_thread(
            answers.begin,
            caller,
            key_hash,
            await asyncio.to_thread(_request_hash, scope, body),
            now=now,
            until=now + LEASE,
        )
        if claimed is not None:
            await _answer_to_repeated(claimed, scope)(scope, receive, send)
            return
        recorded = _Recorder()
        kept = False
        try:
            await self.app(scope, _replay(body, receive), recorded)
            answer = recorded.answer()
            if answer is not None:
                until = datetime.now(UTC) + self._keep
                await asyncio.to_thread(answers.complete, caller, key_hash, answer, until=until)
                kept = True
        finally:
            if not kept:
                await asyncio.to_thread(answers.release, caller, key_hash)
        for message in recorded.messages:
            await send(message)


class _Recorder:
    """Keeps what the application sends, until the answer is stored."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def __call__(self, message: Message) -> None:
        self.messages.append(message)

    def answer(self) -> StoredAnswer | None:
        """The whole answer, if it is one of success."""
        start = self.messages[0]
        if not 200 <= start["status"] < 300:
            return None
        headers = Headers(raw=start["headers"])
        body = b"".join(message.get("body", b"") for message in self.messages[1:])
        return StoredAnswer(
            start["status"],
            [[name, headers[name]] for name in _KEPT_HEADERS if name in headers],
            None if "no-store" in headers.get("cache-control", "") else body,
        )


def _answer_to_repeated(claimed: Claim | StoredAnswer, scope: Scope) -> ASGIApp:
    if claimed is Claim.OTHER_REQUEST:
        return _refuse(IdempotencyKeyReused("Take a new key for a new request."), scope)
    if claimed is Claim.IN_PROGRESS:
        return _refuse(Conflict("The same request is being carried out at this moment."), scope)
    assert isinstance(claimed, StoredAnswer)
    headers = dict(claimed.headers)
    if claimed.body is None:
        made = headers.get("location", "the resource")
        detail = f"This was carried out before and made {made}; the answer held a secret and was not kept."
        return _refuse(Conflict(detail), scope)
    return Response(claimed.body, claimed.status, {**headers, "idempotency-replayed": "true"})


def _declares(route: GuardedRoute) -> bool:
    return "POST" in route.methods and _declare in route.calls


def _refuse(error: TamgaError, scope: Scope) -> Response:
    return problem_response(problem_of(error, scope["path"]), error.headers)


def _request_hash(scope: Scope, body: BinaryIO) -> str:
    digest = hashlib.sha256()
    for part in (scope["path"].encode(), scope["query_string"]):
        digest.update(len(part).to_bytes(8) + part)
    digest.update(body.seek(0, os.SEEK_END).to_bytes(8))
    body.seek(0)
    while part := body.read(_PART):
        digest.update(part)
    return digest.hexdigest()


async def _read(receive: Receive, body: BinaryIO) -> bool:
    """Put the whole body there; False if the client left."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return False
        body.write(message.get("body", b""))
        if not message.get("more_body", False):
            return True


def _replay(body: BinaryIO, receive: Receive) -> Receive:
    """A receive that gives the body that was read, then whatever comes after it."""
    left = body.seek(0, os.SEEK_END)
    body.seek(0)
    ended = False

    async def again() -> Message:
        nonlocal left, ended
        if ended:
            return await receive()
        part = body.read(_PART)
        left -= len(part)
        ended = left <= 0
        return {"type": "http.request", "body": part, "more_body": not ended}

    return again
