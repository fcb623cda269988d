"""Traces: where a request's time went, sent to a collector by OTLP over HTTP where that is switched on.

Spans carry names of routes, phases and transactions, never a text: query strings are cut out, and messages of
exceptions are not recorded. The libraries come with the extra `otel` and are loaded only then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from service.errors import ConfigurationError
from service.settings import Settings

if TYPE_CHECKING:
    from fastapi.telemetry import TelemetryConfig
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

SERVICE_NAME: Final = "tamga"
CUT: Final = "…"
_PROBES: Final = frozenset({"/livez", "/readyz", "/metrics"})
# FastAPI would take up providers and exporters that something else in the process, or an OTEL_* variable, has
# set up: nothing leaves this service unless its own settings say so.
_OFF: Final[TelemetryConfig] = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}


def open_tracing(settings: Settings, version: str) -> TracerProvider | None:
    """A provider that sends to `TAMGA_TRACE_ENDPOINT`; None where that is not set.

    Raises ConfigurationError where the libraries are missing.
    """
    if settings.trace_endpoint is None:
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise ConfigurationError(
            "TAMGA_TRACE_ENDPOINT is set, and the libraries for it are not installed: "
            "pip install 'tamga-newsroom[otel]'"
        ) from error
    exporter = OTLPSpanExporter(endpoint=settings.trace_endpoint.rstrip("/") + "/v1/traces")
    return tracer_provider(BatchSpanProcessor(exporter), share=settings.trace_share, version=version)


def tracer_provider(processor: SpanProcessor, *, share: float = 1.0, version: str = "") -> TracerProvider:
    """A provider that hands `share` of the traces begun here, and all that a caller has begun and sampled, to
    `processor`.
    """
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
    from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio

    class WithoutQuery(SpanProcessor):
        """Callers search for words of a text: they must not leave."""

        def on_start(self, span: Any, parent_context: Any = None) -> None:
            if "url.query" in (span.attributes or {}):
                span.set_attribute("url.query", CUT)

    provider = TracerProvider(
        sampler=ParentBasedTraceIdRatio(share),
        resource=Resource.create({"service.name": SERVICE_NAME, "service.version": version}),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(WithoutQuery())
    provider.add_span_processor(processor)
    return provider


def fastapi_telemetry(provider: TracerProvider | None) -> TelemetryConfig:
    """What FastAPI's own telemetry is to do: a span for each request but probes, and nothing else."""
    if provider is None:
        return _OFF
    return {
        **_OFF,
        "tracing": True,
        "tracer_provider": provider,
        "operation_spans": False,
        "exclude": lambda scope: scope["path"] in _PROBES,
    }
