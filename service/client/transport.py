"""Requests that are sent again where that is right.

Refused for now (429, 503 with Retry-After): again when the service says so. No answer: again if carrying it
out twice does no harm, because it only reads or has an Idempotency-Key.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Final

import httpx2

from service.client.errors import Problem, Unreachable

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 15.0
_LATER: Final = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


class Transport:
    """Sends requests through `http`, waiting for at most `patience` seconds between tries of one of them."""

    def __init__(
        self, http: httpx2.Client, *, patience: float, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._http = http
        self._patience = patience
        self._sleep = sleep

    def send(
        self, method: str, path: str, *, creates: bool = False, repeatable: bool = False, **content: Any
    ) -> httpx2.Response:
        """Send a request and read its answer. `creates`: it gets an Idempotency-Key. `repeatable`: carried
        out twice it does no harm, though its method does not say so. `content` as httpx2 takes it (json,
        params, files, data, headers).

        Raises:
            Problem: the service refused it.
            Unreachable: there was no answer.
        """
        headers: dict[str, str] = dict(content.pop("headers", {}))
        if creates:
            headers["Idempotency-Key"] = uuid.uuid4().hex
        request = self._http.build_request(method, path, headers=headers, **content)
        # Whatever is sent again is the same to the byte: the key belongs to this very body.
        request.read()
        repeatable = creates or repeatable or method in ("GET", "DELETE")
        left = self._patience
        for attempt, pause in enumerate(_pauses()):
            try:
                answer = self._http.send(request)
            except httpx2.TransportError as error:
                unsent = isinstance(error, httpx2.ConnectError)
                if not (repeatable or unsent) or pause > left:
                    raise Unreachable(f"{method} {path}: {error or type(error).__name__}") from error
                wait = pause
            else:
                if answer.is_success:
                    return answer
                asked = _asked_to_wait(answer)
                if asked is None and creates and attempt and answer.status_code == HTTPStatus.CONFLICT:
                    # An earlier sending of ours is still being carried out: its answer is the one we want.
                    asked = pause
                if asked is None or asked > left:
                    raise problem_of(answer)
                wait = asked
            left -= wait
            self._sleep(wait)
        raise AssertionError("pauses never end")

    @contextmanager
    def stream(self, path: str, params: Mapping[str, Any]) -> Iterator[httpx2.Response]:
        """An answer that is read as it comes. Raises Problem, Unreachable."""
        try:
            with self._http.stream("GET", path, params=dict(params)) as answer:
                if not answer.is_success:
                    answer.read()
                    raise problem_of(answer)
                yield answer
        except httpx2.TransportError as error:
            raise Unreachable(f"GET {path}: {error or type(error).__name__}") from error


def problem_of(answer: httpx2.Response) -> Problem:
    """The error that an answer tells; one without problem+json comes from something before the service."""
    try:
        content = answer.json()
    except ValueError:
        content = None
    if not isinstance(content, dict):
        content = {"title": answer.reason_phrase, "detail": "The answer is not problem+json."}
    return Problem(answer.status_code, content, answer.headers.get("x-request-id"))


def _asked_to_wait(answer: httpx2.Response) -> float | None:
    if answer.status_code not in _LATER:
        return None
    try:
        return max(float(answer.headers["retry-after"]), 0.0)
    except (KeyError, ValueError):
        return None


def _pauses() -> Iterator[float]:
    pause = FIRST_PAUSE
    while True:
        # Not all at once: many callers lose the same connection together.
        yield pause * random.uniform(0.75, 1.25)  # noqa: S311
        pause = min(pause * 2, LONGEST_PAUSE)
