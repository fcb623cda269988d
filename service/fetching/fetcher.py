"""Fetching one address: conditional, bounded in size and time, every redirect checked anew."""

from __future__ import annotations

import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urljoin, urlsplit

import httpcore2

from service.errors import TamgaError
from service.fetching.addresses import ForbiddenAddress, GuardedBackend, Network
from service.fetching.deadline import DeadlineBackend

MAX_REDIRECTS: Final = 5
USER_AGENT: Final = "Tamga (newsroom claim check)"

BROKEN = (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.UnsupportedProtocol)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class FetchError(TamgaError):
    """An address that could not be fetched. `retry_after` is how long its server asks to wait, in seconds."""

    status = 502
    slug = "fetch-failed"
    title = "The address could not be fetched"

    def __init__(self, detail: str, *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class FetchingOff(TamgaError):  # noqa: N818 - named for what is the matter, like the others
    """Fetching was not switched on."""

    status = 409
    slug = "fetching-off"
    title = "Fetching from the network is switched off"


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer. `content` is None where it has not changed since the one with the tags sent along."""

    url: str
    content: bytes | None
    etag: str | None
    last_modified: str | None


class Fetcher:
    """Fetches http and https addresses on the public network, and in `networks` where the settings open some.

    `max_bytes` bounds an answer, also unpacked; `seconds` the whole of it with its redirects.
    """

    def __init__(self, *, max_bytes: int, seconds: float, networks: Sequence[Network] = ()) -> None:
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._networks = networks

    def fetch(self, url: str, *, etag: str | None = None, last_modified: str | None = None) -> Fetched:
        """Get an address. Raises FetchError, saying why not."""
        headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip", "Accept": "*/*"}
        if etag is not None:
            headers["If-None-Match"] = etag
        if last_modified is not None:
            headers["If-Modified-Since"] = last_modified
        deadline = time.monotonic() + self._seconds
        backend = DeadlineBackend(GuardedBackend(self._networks), deadline)
        with httpcore2.ConnectionPool(network_backend=backend, retries=0) as pool:
            for _ in range(MAX_REDIRECTS + 1):
                answer = self._get(pool, url, headers, deadline)
                if isinstance(answer, Fetched):
                    return answer
                url = answer
        raise FetchError(f"more than {MAX_REDIRECTS} redirects")

    def _get(
        self, pool: httpcore2.ConnectionPool, url: str, headers: dict[str, str], deadline: float
    ) -> Fetched | str:
        """The answer, or the address that it redirects to."""
        check_address(url)
        left = deadline - time.monotonic()
        if left <= 0:
            raise FetchError(f"took longer than {self._seconds:g} seconds")
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), left)
        try:
            with pool.stream(
                "GET", url, headers=list(headers.items()), extensions={"timeout": timeouts}
            ) as response:
                told = {
                    name.decode("latin-1").lower(): value.decode("latin-1")
                    for name, value in response.headers
                }
                if response.status in _REDIRECTS and told.get("location"):
                    return urljoin(url, told["location"])
                if response.status == 304:
                    return Fetched(url, None, headers.get("If-None-Match"), headers.get("If-Modified-Since"))
                if response.status != 200:
                    raise FetchError(
                        f"the server answered {response.status}",
                        retry_after=seconds_to_wait(told.get("retry-after")),
                    )
                content = self._read(response, told, deadline)
        except ForbiddenAddress as error:
            raise FetchError(str(error)) from error
        except httpcore2.TimeoutException as error:
            raise FetchError(f"took longer than {self._seconds:g} seconds") from error
        except (*BROKEN, OSError, ValueError) as error:
            raise FetchError(f"{type(error).__name__}: {error}".rstrip(": ")) from error
        return Fetched(url, content, told.get("etag"), told.get("last-modified"))

    def _read(self, response: httpcore2.Response, told: dict[str, str], deadline: float) -> bytes:
        parts, size = [], 0
        for part in response.iter_stream():
            size += len(part)
            if size > self._max_bytes:
                raise FetchError(f"the answer is larger than {self._max_bytes:,} bytes")
            if time.monotonic() > deadline:
                raise FetchError(f"took longer than {self._seconds:g} seconds")
            parts.append(part)
        content = b"".join(parts)
        if told.get("content-encoding", "").strip().lower() == "gzip" or content[:2] == b"\x1f\x8b":
            content = self._unpacked(content)
        return content

    def _unpacked(self, content: bytes) -> bytes:
        unpacker = zlib.decompressobj(wbits=31)
        try:
            unpacked = unpacker.decompress(content, self._max_bytes + 1)
        except zlib.error as error:
            raise FetchError(f"the answer is not whole gzip: {error}") from error
        if len(unpacked) > self._max_bytes:
            raise FetchError(f"the answer is larger than {self._max_bytes:,} bytes unpacked")
        if not unpacker.eof:
            raise FetchError("the answer ends in the middle")
        return unpacked


def check_address(url: str) -> None:
    """Raises FetchError for what is no address to connect to."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise FetchError(f"not an address: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise FetchError("only http and https addresses are fetched")
    if parts.username is not None or parts.password is not None:
        raise FetchError("an address with a password in it is not fetched")
    if port == 0:
        raise FetchError("port 0 is no port")


def seconds_to_wait(value: str | None) -> float | None:
    """Seconds that a Retry-After asks for."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError):
        return None
