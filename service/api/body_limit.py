"""Refuse bodies above a byte limit, before they are read where the client declares their length.

Starlette and FastAPI have such a limit (`max_body_size`), but it answers in plain text whenever the client
declared a Content-Length above the limit, even over our own handler; here every refusal is problem+json.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.problems import problem_of, problem_response
from service.errors import TooLarge


class BodyLimit:
    """ASGI middleware: at most `max_bytes` of request body, declared or streamed."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        message = f"The body may have at most {self.max_bytes:,} bytes."
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and int(declared) > self.max_bytes:
            # The body stays unread, so the connection cannot serve another request.
            response = problem_response(problem_of(TooLarge(message), scope["path"]), {"Connection": "close"})
            await response(scope, receive, send)
            return
        received = 0

        async def counted_receive() -> Message:
            nonlocal received
            part = await receive()
            if part["type"] == "http.request":
                received += len(part.get("body", b""))
                if received > self.max_bytes:
                    # Of all exceptions, FastAPI lets only this one pass out of its body reading.
                    raise HTTPException(TooLarge.status, message, {"Connection": "close"})
            return part

        await self.app(scope, counted_receive, send)
