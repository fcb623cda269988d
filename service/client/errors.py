"""What a call may raise: `TamgaClientError` > `Problem` (the service said no), `Unreachable` (it did not
answer).
"""

# Names say what happened, as in most HTTP libraries.
# ruff: noqa: N818

from __future__ import annotations

from typing import Any


class TamgaClientError(Exception):
    """Base of everything that a call raises."""


class Unreachable(TamgaClientError):
    """No answer: no connection, or it broke, or it took too long, and trying again did not help."""


class Problem(TamgaClientError):
    """The service answered with an error (RFC 9457).

    `type` is stable (`urn:tamga:problem:…`, docs/api.md); `detail` is for people; `errors` point at the parts
    at fault; under `request_id` the service's log has more.
    """

    def __init__(self, status: int, content: dict[str, Any], request_id: str | None) -> None:
        self.status = status
        self.type: str = content.get("type", "about:blank")
        self.title: str = content.get("title", "")
        self.detail: str = content.get("detail", "")
        self.errors: list[dict[str, Any]] = content.get("errors", [])
        self.request_id = request_id
        super().__init__(f"{status} {self.title}: {self.detail} ({self.type}, request {request_id})")
