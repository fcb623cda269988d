"""Bodies that are too large once unpacked, not what they say, or that never come."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.body_limit import BodyLimit
from service.api.problems import RefusedBody

LIMIT = 1_000


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope, receive)
    try:
        body = await request.body()
    except RefusedBody as refused:
        await JSONResponse(refused.reason.slug, refused.status_code)(scope, receive, send)
        return
    headers = {
        name: request.headers[name]
        for name in ("content-encoding", "content-length")
        if name in request.headers
    }
    await JSONResponse([body.decode(), headers])(scope, receive, send)


def send(
    parts: list[bytes], *, seconds: float = 5, wait: float = 0, app: ASGIApp = echo, **headers: str
) -> tuple[int, Any]:
    """One request whose body comes in these parts, `wait` seconds apart."""
    messages: list[Message] = [
        {"type": "http.request", "body": part, "more_body": number < len(parts)}
        for number, part in enumerate(parts, 1)
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        await asyncio.sleep(wait)
        return messages.pop(0)

    async def keep(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    asyncio.run(BodyLimit(app, LIMIT, seconds)(scope, receive, keep))
    return sent[0]["status"], json.loads(b"".join(part.get("body", b"") for part in sent[1:]))


def packed(size: int) -> bytes:
    return gzip.compress(b"x" * size)


def test_a_packed_body_is_unpacked_whatever_its_parts() -> None:
    content = packed(LIMIT)
    for step in (1, 7, len(content)):
        parts = [content[at : at + step] for at in range(0, len(content), step)]
        assert send(parts, content_encoding="gzip", content_length=str(len(content))) == (
            200,
            ["x" * LIMIT, {}],
        )


def test_a_bomb_is_refused_before_it_unfolds() -> None:
    bomb = packed(200_000_000)
    assert len(bomb) > LIMIT
    halves = [bomb[: LIMIT // 2], bomb[LIMIT // 2 :]]
    assert send(halves, content_encoding="gzip") == (413, "too-large")
    assert send([packed(LIMIT + 1)], content_encoding="gzip") == (413, "too-large")


@pytest.mark.parametrize(
    "content", [b"plain", packed(10)[:-4], packed(10) + b"more", packed(10) + packed(10), b""]
)
def test_what_is_not_one_gzip_stream_is_refused(content: bytes) -> None:
    assert send([content], content_encoding="gzip") == (400, "invalid-compression")


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "zstd"])
def test_other_packings_are_refused(encoding: str) -> None:
    status, problem = send([b"x"], content_encoding=encoding)
    assert (status, problem["status"]) == (415, 415)


def test_a_plain_body_is_counted_as_it_comes() -> None:
    assert send([b"x" * 600, b"x" * 400]) == (200, ["x" * 1_000, {}])
    assert send([b"x" * 600, b"x" * 401]) == (413, "too-large")


def test_a_body_that_trickles_in_is_given_up() -> None:
    assert send([b"x"] * 100, seconds=0.2, wait=0.05) == (408, "request-timeout")
