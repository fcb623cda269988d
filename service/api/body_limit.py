"""Request bodies: at most so many bytes, unpacked and not, and at most so many seconds to arrive.

Starlette and FastAPI have a byte limit (`max_body_size`), but it answers in plain text whenever the client
declared a Content-Length above the limit, even over our own handler; here every refusal is problem+json.
"""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.problems import RefusedBody, problem_of, problem_response
from service.errors import InvalidCompression, RequestTimeout, TamgaError, TooLarge, UnsupportedMediaType

_GZIP = zlib.MAX_WBITS | 16


# What a form takes besides the file in it.
FORM_BYTES: Final = 100_000


@dataclass(frozen=True, slots=True)
class UploadLimit:
    """A file of at most `max_bytes`, within `seconds`."""

    max_bytes: int
    seconds: float


class BodyLimit:
    """ASGI middleware: at most `max_bytes` of request body, declared, streamed or unpacked from gzip, all
    of it within `seconds`. `uploads` are paths to which files are posted, with limits of their own.
    """

    def __init__(
        self,
        app: ASGIApp,
        max_bytes: int,
        seconds: float,
        uploads: Mapping[str, UploadLimit] | None = None,
    ) -> None:
        self.app = app
        self._default = UploadLimit(max_bytes, seconds)
        self._uploads = {
            path: UploadLimit(limit.max_bytes + FORM_BYTES, limit.seconds)
            for path, limit in (uploads or {}).items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        encoding = headers.get("content-encoding", "identity").strip().lower()
        posted = scope["method"] == "POST"
        limit = self._uploads.get(scope["path"], self._default) if posted else self._default
        refusal = _refusal(headers, encoding, limit.max_bytes)
        if refusal is not None:
            # The body stays unread, so the connection cannot serve another request.
            response = problem_response(problem_of(refusal, scope["path"]), {"Connection": "close"})
            await response(scope, receive, send)
            return
        body = _Body(limit.max_bytes, limit.seconds, receive, unpack=encoding == "gzip")
        if encoding == "gzip":
            scope = {**scope, "headers": list(scope["headers"])}
            plain = MutableHeaders(scope=scope)
            del plain["content-encoding"]
            del plain["content-length"]
        await self.app(scope, body.receive, send)


class _Body:
    """One request's body on its way in."""

    def __init__(self, max_bytes: int, seconds: float, receive: Receive, *, unpack: bool) -> None:
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._receive = receive
        self._unpacker = zlib.decompressobj(_GZIP) if unpack else None
        self._deadline: float | None = None
        self._received = 0
        self._complete = False

    async def receive(self) -> Message:
        # After the body this waits for the client to leave, which may take as long as it likes.
        if self._complete:
            return await self._receive()
        now = time.monotonic()
        self._deadline = self._deadline or now + self._seconds
        try:
            part = await asyncio.wait_for(self._receive(), max(self._deadline - now, 0.001))
        except TimeoutError as error:
            detail = f"The body did not arrive within {self._seconds:g} seconds."
            raise RefusedBody(RequestTimeout(detail)) from error
        if part["type"] != "http.request":
            return part
        self._complete = not part.get("more_body", False)
        content = part.get("body", b"")
        if self._unpacker is not None:
            content = self._unpacked(self._unpacker, content)
        self._received += len(content)
        if self._received > self._max_bytes:
            raise RefusedBody(TooLarge(_too_large(self._max_bytes)))
        return {**part, "body": content}

    def _unpacked(self, unpacker: zlib._Decompress, content: bytes) -> bytes:
        # At most one byte past the limit is ever unpacked, however much a small body would unfold to.
        room = self._max_bytes - self._received + 1
        try:
            unpacked = unpacker.decompress(content, room)
        except zlib.error as error:
            raise RefusedBody(InvalidCompression("The body is not valid gzip.")) from error
        if unpacker.unused_data or (self._complete and not unpacker.eof and len(unpacked) < room):
            raise RefusedBody(InvalidCompression("The body is not one complete gzip stream."))
        return unpacked


def _refusal(headers: Headers, encoding: str, max_bytes: int) -> TamgaError | None:
    if encoding not in ("identity", "gzip"):
        return UnsupportedMediaType("The body may be compressed with gzip, or not at all.")
    declared = headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > max_bytes:
        return TooLarge(_too_large(max_bytes))
    return None


def _too_large(max_bytes: int) -> str:
    return f"The body may have at most {max_bytes:,} bytes, unpacked."
