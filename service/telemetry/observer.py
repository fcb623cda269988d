"""The observer of a running service: counts into metrics, and into spans where tracing is on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Tracer

from service.observer import Observer, Transaction
from service.telemetry.metrics import Metrics


class TelemetryObserver(Observer):
    """See `Observer`. `tracer` is None where tracing is off."""

    def __init__(self, metrics: Metrics, tracer: Tracer | None = None) -> None:
        self._metrics = metrics
        self._tracer = tracer

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """See `Observer`."""
        started = time.perf_counter()
        try:
            with self._span(name):
                yield
        finally:
            self._metrics.inference_seconds.labels(name).observe(time.perf_counter() - started)

    @contextmanager
    def job(self, waited: float, *, background: bool = False) -> Iterator[None]:
        """See `Observer`."""
        if not background:
            # What is done when nobody waits may wait for hours, and nobody minds.
            self._metrics.queue_seconds.observe(waited)
        if self._tracer is None:
            yield
            return
        now = time.time_ns()
        waiting = self._tracer.start_span("queue", start_time=now - int(waited * 1e9))
        waiting.end(now)
        with self._span("models"):
            yield

    def batch(self, tokens: int) -> None:
        """See `Observer`."""
        self._metrics.batch_tokens.observe(tokens)

    @contextmanager
    def transaction(self, kind: Transaction) -> Iterator[None]:
        """See `Observer`."""
        started = time.perf_counter()
        try:
            with self._span(f"database {kind}") if self._in_trace() else nullcontext():
                yield
        except BaseException as error:
            # Whatever the block raises passes through here; only what the database raises is its error.
            if _of_database(error):
                self._metrics.transaction_errors.labels(kind).inc()
            raise
        finally:
            self._metrics.transaction_seconds.labels(kind).observe(time.perf_counter() - started)

    def _in_trace(self) -> bool:
        # What the service does by itself every second would be a trace of its own each time.
        return self._tracer is not None and trace.get_current_span().get_span_context().is_valid

    def _span(self, name: str) -> AbstractContextManager[Any]:
        if self._tracer is None:
            return nullcontext()
        # Messages of exceptions may quote a text.
        return self._tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False)


def _of_database(error: BaseException) -> bool:
    from service.store.errors import StoreError

    return isinstance(error, StoreError)
