"""Who acts: the audit log names them, wherever a write is made.

The name travels with the context of a request, through threads and the queue; commands act under a name of
their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

COMMAND_LINE: Final = "command line"

_actor: ContextVar[str] = ContextVar("tamga_actor", default=COMMAND_LINE)


def current_actor() -> str:
    """The id of the key in use, `local` for this machine without keys, or `command line`."""
    return _actor.get()


@contextmanager
def acting_as(actor: str) -> Iterator[None]:
    """Whatever is written within the block is written by `actor`."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)
