"""Traces: every part of a request's way, joined to the caller's trace, without texts; nothing while off."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.analysis import Analyser
from service.analysis_models import Analysis
from service.app import create_app
from service.articles import ArticleInput
from service.errors import ConfigurationError, EmptyText
from service.runtime import Runtime
from service.settings import Settings, load_settings
from service.telemetry.tracing import CUT, open_tracing, tracer_provider

pytest.importorskip("opentelemetry.sdk", reason="the extra `otel` is not installed")
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TEXT = "Жаңа көпірдің құрылысы аяқталды."


def analyse(analyser: Analyser, source: ArticleInput, options: Any) -> Analysis:
    """Stands in for the models: one phase, one transaction, then an error that quotes the text."""
    runtime = analyser._runtime
    with runtime.observer.phase("origin"):
        runtime.store.records.count()
    raise EmptyText(f"nothing in {source.text}")


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def traced(
    empty_home: Settings, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TestClient]:
    monkeypatch.setattr(Runtime, "load", lambda self: None)
    monkeypatch.setattr(Analyser, "analyse", analyse)
    here: dict[str, Any] = {"base_url": "http://127.0.0.1", "client": ("127.0.0.1", 50_000)}
    app = create_app(empty_home, tracing=tracer_provider(SimpleSpanProcessor(spans)))
    with TestClient(app, **here) as client:
        yield client


def named(spans: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in spans.get_finished_spans()}


def parent_of(span: ReadableSpan) -> str | None:
    return f"{span.parent.span_id:016x}" if span.parent else None


def id_of(span: ReadableSpan) -> str:
    return f"{span.context.span_id:016x}"


def test_a_request_is_one_trace_from_the_callers_span_to_the_database(
    traced: TestClient, spans: InMemorySpanExporter
) -> None:
    spans.clear()
    answer = traced.post(
        "/v1/articles", json={"text": TEXT}, headers={"traceparent": f"00-{TRACE}-{PARENT}-01"}
    )
    assert answer.status_code == 422
    found = named(spans)
    assert {f"{span.context.trace_id:032x}" for span in found.values()} == {TRACE}
    request, queue, models = found["POST /v1/articles"], found["queue"], found["models"]
    phase, database = found["origin"], [s for s in spans.get_finished_spans() if s.name == "database read"]
    assert parent_of(request) == PARENT
    assert parent_of(queue) == parent_of(models) == id_of(request)
    assert parent_of(phase) == id_of(models)
    assert id_of(phase) in {parent_of(span) for span in database}
    assert request.start_time <= queue.start_time <= queue.end_time <= models.start_time  # type: ignore[operator]
    assert request.attributes is not None
    assert request.attributes["http.response.status_code"] == 422
    assert request.attributes["tamga.request_id"] == answer.headers["x-request-id"] == TRACE
    assert request.resource.attributes["service.name"] == "tamga"


def test_spans_hold_no_text_and_no_query(traced: TestClient, spans: InMemorySpanExporter) -> None:
    traced.post("/v1/articles", json={"text": TEXT})
    traced.get("/v1/records", params={"after": TEXT})
    told = "".join(span.to_json() for span in spans.get_finished_spans())
    assert TEXT not in told
    assert TEXT.encode().decode("latin-1")[:8] not in told
    attributes = named(spans)["GET /v1/records"].attributes
    assert attributes is not None
    assert attributes["url.query"] == CUT


def test_probes_and_the_services_own_work_are_not_traced(
    traced: TestClient, spans: InMemorySpanExporter
) -> None:
    spans.clear()
    traced.get("/readyz")
    traced.get("/metrics")
    traced.app.state.worker.runtime.store.records.count()  # type: ignore[attr-defined]
    assert not spans.get_finished_spans()


def test_while_off_nothing_is_loaded_or_taken_up_from_elsewhere(tmp_path: Path) -> None:
    program = """
import os, sys
from opentelemetry import trace
class Elsewhere(trace.NoOpTracerProvider):
    def get_tracer(self, *arguments, **options):
        raise SystemExit("a tracer was asked for")
from service.app import create_app
from service.settings import load_settings
app = create_app(load_settings(home=sys.argv[1]))
assert not any(name.startswith("opentelemetry.sdk") for name in sys.modules)
assert not any(name.startswith("opentelemetry.exporter") for name in sys.modules)
trace.set_tracer_provider(Elsewhere())
assert not app._native_telemetry.enabled()
"""
    environment = {"FASTAPI_OTEL_AUTO_CONFIGURE": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        env={"PATH": "/usr/bin", **environment},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_missing_libraries_are_told_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    settings = load_settings(home=tmp_path, trace_endpoint="http://127.0.0.1:4318")
    with pytest.raises(ConfigurationError, match=r"tamga-newsroom\[otel\]"):
        open_tracing(settings, "1")


def test_spans_reach_a_collector_as_otlp(tmp_path: Path) -> None:
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    received: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        provider = open_tracing(load_settings(home=tmp_path, trace_endpoint=address), "1.2")
        assert provider is not None
        with provider.get_tracer("tamga").start_as_current_span("models"):
            pass
        provider.shutdown()
        server.shutdown()
    ((path, content),) = received
    assert path == "/v1/traces"
    assert b"models" in content or content[:2] == b"\x1f\x8b"
