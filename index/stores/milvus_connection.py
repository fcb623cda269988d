"""A connection to a Milvus server: every call has a time limit, every failure one kind of error.

pymilvus is imported here alone, when a connection is made.
"""

from __future__ import annotations

import logging
import re
from typing import Any, Final

from index.errors import VectorStoreUnavailable

_NOT_FOUND: Final = 100
# pymilvus asks an idle server every ten seconds whether it is there. Servers with gRPC's own limits take that
# for an attack and hang up, and the next connection to them fails.
_QUIET_WHILE_IDLE: Final = {"grpc.keepalive_permit_without_calls": False, "grpc.keepalive_time_ms": 60_000}


class MilvusConnection:
    """Calls of a `MilvusClient` by name; safe to use from threads."""

    def __init__(self, uri: str, *, token: str | None, database: str | None, seconds: float) -> None:
        """Connect. Raises VectorStoreUnavailable where nobody answers at `uri` within `seconds` or the token
        is refused, ModuleNotFoundError without pymilvus.
        """
        from pymilvus import MilvusClient, MilvusException  # type: ignore[import-untyped, unused-ignore]

        # What it reports by raising it would also write to standard error, with a traceback.
        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
        self._failure = MilvusException
        self._seconds = seconds
        self.address = re.sub(r"//[^/@]*@", "//", uri)
        """Where the server is, without credentials."""
        try:
            self._client = MilvusClient(
                uri,
                token=token or "",
                db_name=database or "",
                timeout=seconds,
                grpc_options=_QUIET_WHILE_IDLE,
            )
        except MilvusException as error:
            raise self._explained(error) from error

    def ask(self, call: str, *arguments: Any, **named: Any) -> Any:
        """What the client's method of this name returns. Raises VectorStoreUnavailable."""
        method = getattr(self._client, call)
        try:
            try:
                return method(*arguments, timeout=self._seconds, **named)
            except self._failure as error:
                # An alias has just moved, and a proxy still knows the collection that was removed.
                if error.code != _NOT_FOUND:
                    raise
                return method(*arguments, timeout=self._seconds, **named)
        except self._failure as error:
            raise self._explained(error) from error

    def pages(self, *arguments: Any, **named: Any) -> Any:
        """All rows of a query, in lists. Raises VectorStoreUnavailable."""
        iterator = self.ask("query_iterator", *arguments, **named)
        try:
            while rows := iterator.next():
                yield rows
        except self._failure as error:
            raise self._explained(error) from error
        finally:
            iterator.close()

    def close(self) -> None:
        """Give the connection up."""
        self._client.close()

    def _explained(self, error: Any) -> VectorStoreUnavailable:
        return VectorStoreUnavailable(f"Milvus at {self.address}: {' '.join(str(error.message).split())}")
