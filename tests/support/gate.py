"""A server that can be away without being stopped: a port of this machine before it, open or shut."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

_PART = 1 << 16


class Gate:
    """Forwards what comes to its `port` to a server: (host, port), or the path of a Unix socket. It is shut
    until `open`; nobody listens then.
    """

    def __init__(self, server: tuple[str, int] | str) -> None:
        self._server = server
        self._listener: socket.socket | None = None
        self._links: list[socket.socket] = []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shut()

    def open(self) -> None:
        """Let everybody through."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def shut(self) -> None:
        """Break every connection, and take no more."""
        if self._listener is not None:
            # Closing alone does not wake the thread that accepts, and the port stays taken until it wakes.
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        while self._links:
            _break(self._links.pop())

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                inside, _ = listener.accept()
            except OSError:
                return
            family = socket.AF_UNIX if isinstance(self._server, str) else socket.AF_INET
            outside = socket.socket(family)
            outside.connect(self._server)
            self._links += [inside, outside]
            for one, other in ((inside, outside), (outside, inside)):
                threading.Thread(target=_forward, args=(one, other), daemon=True).start()


def _forward(source: socket.socket, target: socket.socket) -> None:
    try:
        while part := source.recv(_PART):
            target.sendall(part)
    except OSError:
        pass
    _break(source)
    _break(target)


def _break(link: socket.socket) -> None:
    with contextlib.suppress(OSError):
        link.shutdown(socket.SHUT_RDWR)
    link.close()
