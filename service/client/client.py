"""All calls of the service, over one connection."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import httpx2

from service.client.articles import ArticleCalls
from service.client.audits import AuditCalls
from service.client.keys import KeyCalls
from service.client.labels import LabelCalls
from service.client.records import RecordCalls
from service.client.reviews import ReviewCalls
from service.client.transport import Transport
from service.client.webhooks import WebhookCalls


class Tamga(ArticleCalls, RecordCalls, LabelCalls, ReviewCalls, AuditCalls, WebhookCalls, KeyCalls):
    """A service at an address. Use it as a context manager, or `close` it; not from several threads at once.

    Every method may raise `Problem` and `Unreachable`. Whatever creates something carries an Idempotency-Key,
    so that a lost answer costs no second label, record or audit.
    """

    def __init__(
        self,
        address: str = "http://127.0.0.1:8000",
        *,
        key: str | None = None,
        timeout: float = 90.0,
        patience: float = 120.0,
        http: httpx2.Client | None = None,
    ) -> None:
        """`key` is an access key (`tg_…`). `timeout` is for one answer, `patience` for all waiting between
        the tries of one request, both in seconds. `http` replaces the connection, `address` and `timeout`.
        """
        self._http = http or httpx2.Client(base_url=address, timeout=timeout)
        if key is not None:
            self._http.headers["Authorization"] = f"Bearer {key}"
        super().__init__(Transport(self._http, patience=patience))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
