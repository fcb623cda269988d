"""The metrics of one application, in a registry of its own.

Labels hold only values from fixed, short lists (phases, route templates, problem types): no text, no key, no
id of anything, so that a scrape tells nothing about articles and their number stays bounded.
"""

from __future__ import annotations

from typing import Final, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from service.observer import Transaction

# An article takes from a tenth of a second to some; nobody waits for longer than the queue's limit.
SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
TRANSACTION_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0)
TOKENS: Final = (16, 32, 64, 128, 256, 512, 768, 1024, 2048)


class Metrics:
    """What is counted while it happens. State that can be asked for is collected at a scrape
    (`service.telemetry.state`).
    """

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.requests = Counter(
            "tamga_http_requests",
            "Requests answered, by route template and status.",
            ("method", "route", "status"),
            registry=registry,
        )
        self.request_seconds = Histogram(
            "tamga_http_request_seconds",
            "Time from a request's head to the end of its answer.",
            ("method", "route"),
            buckets=SECONDS,
            registry=registry,
        )
        self.requests_in_progress = Gauge(
            "tamga_http_requests_in_progress", "Requests that are being answered.", registry=registry
        )
        self.refusals = Counter(
            "tamga_refusals", "Requests answered with a problem, by its type.", ("reason",), registry=registry
        )
        self.queue_seconds = Histogram(
            "tamga_queue_seconds",
            "Time that work waited for the models before it was begun.",
            buckets=SECONDS,
            registry=registry,
        )
        self.inference_seconds = Histogram(
            "tamga_inference_seconds",
            "Time of the models' work, by phase.",
            ("phase",),
            buckets=SECONDS,
            registry=registry,
        )
        self.batch_tokens = Histogram(
            "tamga_batch_tokens",
            "Tokens that the encoder computes at once, padding included.",
            buckets=TOKENS,
            registry=registry,
        )
        self.transaction_seconds = Histogram(
            "tamga_database_transaction_seconds",
            "Time of database transactions, waiting for a connection and for the lock included.",
            ("kind",),
            buckets=TRANSACTION_SECONDS,
            registry=registry,
        )
        self.transaction_errors = Counter(
            "tamga_database_errors", "Database transactions that failed.", ("kind",), registry=registry
        )
        # There from the first scrape on, so that a rate sees the first error.
        for kind in get_args(Transaction):
            self.transaction_seconds.labels(kind)
            self.transaction_errors.labels(kind)

    def collect_from(self, collector: Collector) -> None:
        """Ask `collector` at every scrape from now on."""
        self.registry.register(collector)

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """All metrics as text, and its media type: OpenMetrics where the Accept header wants it, else
        Prometheus' own format.
        """
        encode, media_type = choose_encoder(accept)
        return encode(self.registry), media_type
