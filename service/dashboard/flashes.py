"""What one page has the next one say: a code in a short-lived cookie, never text, so that nobody can put
words into the dashboard's mouth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from starlette.requests import Request
from starlette.responses import Response

COOKIE: Final = "tamga_said"
SECONDS: Final = 60

Tone = Literal["good", "note", "bad"]


@dataclass(frozen=True, slots=True)
class Flash:
    """A message (English, to be translated where it is shown) and how it looks."""

    message: str
    tone: Tone = "good"


_known: dict[str, Flash] = {}


def flash(code: str, message: str, tone: Tone = "good") -> str:
    """Declare what a code says; returns the code. Pages declare theirs when they are imported."""
    _known[code] = Flash(message, tone)
    return code


def leave(response: Response, code: str, *, secure: bool) -> None:
    """Have the next page say this. Raises KeyError for a code that nobody declared."""
    if code not in _known:
        raise KeyError(code)
    response.set_cookie(
        COOKIE, code, max_age=SECONDS, path="/dashboard", httponly=True, samesite="lax", secure=secure
    )


def take(request: Request) -> Flash | None:
    """What the page before left."""
    return _known.get(request.cookies.get(COOKIE, ""))


def forget(response: Response) -> None:
    """It was said."""
    response.delete_cookie(COOKIE, path="/dashboard")
