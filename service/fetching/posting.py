"""Sending one message to one address: bounded in size and time, no redirect followed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import httpcore2

from service.fetching.addresses import ForbiddenAddress, GuardedBackend, Network
from service.fetching.deadline import DeadlineBackend
from service.fetching.fetcher import BROKEN, FetchError, check_address, seconds_to_wait

MAX_CHARACTERS: Final = 2_048
# No character of UTF-8 has more bytes.
_MAX_BYTES: Final = 4 * MAX_CHARACTERS


@dataclass(frozen=True, slots=True)
class Posted:
    """An answer: its status, the beginning of its body, and how long its server asks to wait, in seconds."""

    status: int
    body: str
    retry_after: float | None


class Poster:
    """Posts to https addresses on the public network, and also by http in `networks`. `seconds` bounds the
    whole exchange.
    """

    def __init__(self, *, seconds: float, networks: Sequence[Network] = ()) -> None:
        self._seconds = seconds
        self._networks = networks

    def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> Posted:
        """Post to an address; any answer is a result. Raises FetchError where there was none."""
        check_address(url)
        deadline = time.monotonic() + self._seconds
        # What goes unencrypted must not leave the networks that the newsroom has opened.
        guarded = GuardedBackend(self._networks, public=urlsplit(url).scheme == "https")
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), self._seconds)
        try:
            with (
                httpcore2.ConnectionPool(
                    network_backend=DeadlineBackend(guarded, deadline), retries=0
                ) as pool,
                pool.stream(
                    "POST",
                    url,
                    headers=list(headers.items()),
                    content=content,
                    extensions={"timeout": timeouts},
                ) as response,
            ):
                told = {name.lower(): value.decode("latin-1") for name, value in response.headers}
                wait = seconds_to_wait(told.get(b"retry-after"))
                return Posted(response.status, _beginning(response), wait)
        except ForbiddenAddress as error:
            raise FetchError(str(error)) from error
        except httpcore2.TimeoutException as error:
            raise FetchError(f"took longer than {self._seconds:g} seconds") from error
        except (*BROKEN, OSError, ValueError) as error:
            raise FetchError(f"{type(error).__name__}: {error}".rstrip(": ")) from error


def _beginning(response: httpcore2.Response) -> str:
    """The first characters of a body; an answer counts though its end is late, broken or endless."""
    received = b""
    try:
        for part in response.iter_stream():
            received += part
            if len(received) >= _MAX_BYTES:
                break
    except (httpcore2.TimeoutException, *BROKEN, OSError):
        pass
    # NUL is a character that PostgreSQL cannot hold.
    return received.decode("utf-8", "replace").replace("\0", "\ufffd")[:MAX_CHARACTERS]
