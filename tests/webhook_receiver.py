"""A receiver of webhooks on the loopback address, which does what the path of its address says."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def event(self) -> Any:
        return json.loads(self.body)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


class WebhookReceiver:
    """Use as a context manager. Under the path are `/ok`, `/status/CODE`, `/fail/N/…` (refuses each event N
    times), `/slow/SECONDS`, `/trickle` (a byte of the answer now and then), `/to/ADDRESS` (redirects),
    `/large` (a long answer with a NUL in it), `/wait/SECONDS` (503 with that Retry-After).
    """

    def __init__(self) -> None:
        self.received: list[Received] = []
        # Whatever the path says, from here on.
        self.healed = False
        self._seen: Counter[tuple[str, str]] = Counter()
        self._ending = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("content-length", 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver._answer(self, Received(self.path, headers, self.rfile.read(length), time.time()))

            def log_message(self, format: str, *args: object) -> None:
                return

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                return  # the sender left, as it should

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ending.set()
        self._server.shutdown()
        self._server.server_close()

    def at(self, path: str) -> list[Received]:
        """What came to addresses that begin like this."""
        return [one for one in list(self.received) if one.path.startswith(path)]

    def wait_for(self, path: str, count: int = 1, seconds: float = 30) -> list[Received]:
        """The requests to a path, once there are so many."""
        deadline = time.monotonic() + seconds
        while len(found := self.at(path)) < count:
            assert time.monotonic() < deadline, f"{len(found)} of {count} came to {path}"
            time.sleep(0.01)
        return found

    def _answer(self, handler: BaseHTTPRequestHandler, one: Received) -> None:
        self.received.append(one)
        self._seen[one.path, one.headers.get("webhook-id", "")] += 1
        kind, _, rest = one.path.lstrip("/").partition("/")
        status, headers, body = 204, {}, b""
        if self.healed:
            pass
        elif kind == "status":
            status = int(rest.split("/")[0])
        elif kind == "fail" and self._seen[one.path, one.headers["webhook-id"]] <= int(rest.split("/")[0]):
            status, body = 500, b"not yet"
        elif kind == "slow":
            self._ending.wait(float(rest.split("/")[0]))
        elif kind == "to":
            status, headers = 307, {"Location": rest}
        elif kind == "wait":
            status, headers = 503, {"Retry-After": rest}
        elif kind == "large":
            status, body = 500, "дж\0".encode() * 100_000
        elif kind == "trickle":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
            while not self._ending.wait(0.1):
                handler.wfile.write(b"x")
            return
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
