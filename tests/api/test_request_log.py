"""One line and one id per request; nothing that was sent."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.analysis import Analyser
from service.app import create_app
from service.logs import JsonLines
from service.runtime import Runtime
from service.settings import Settings

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Everything logged, as it would be written."""
    written: list[str] = []

    class Collecting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            # The test's own client logs what it asks.
            if not record.name.startswith("httpx2"):
                written.append(self.format(record))

    handler = Collecting()
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lambda: [json.loads(line) for line in written]
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def served(empty_home: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A service whose models are never asked."""
    monkeypatch.setattr(Runtime, "load", lambda self: None)
    here: dict[str, Any] = {"base_url": "http://127.0.0.1", "client": ("127.0.0.1", 50_000)}
    with TestClient(create_app(empty_home), raise_server_exceptions=False, **here) as client:
        yield client


def requests(lines: Lines) -> list[dict[str, Any]]:
    return [line for line in lines() if line["logger"] == "service.telemetry.requests"]


def test_a_request_leaves_one_line_with_its_route_and_no_more_of_it(served: TestClient, lines: Lines) -> None:
    token = served.post("/v1/keys", json={"name": "first", "role": "admin"}).json()["token"]
    answer = served.get("/v1/records/a%20b?after=private", headers={"authorization": f"Bearer {token}"})
    line = requests(lines)[-1]
    assert line["message"] == "GET /v1/records/a%20b 404"
    assert (line["route"], line["status"]) == ("/v1/records/{record_id:path}", 404)
    assert line["problem"] == "not-found"
    assert line["caller"] == token[3:15]
    assert line["seconds"] >= 0
    assert line["request_id"] == answer.headers["x-request-id"]
    served.get("/a%0Ab")
    assert requests(lines)[-1]["message"] == "GET /a%0Ab 404"
    assert requests(lines)[-1]["route"] == "unmatched"
    everything = json.dumps(lines())
    assert token[16:] not in everything
    assert "private" not in everything


def test_the_id_is_the_callers_or_the_traces_or_made_here(served: TestClient, lines: Lines) -> None:
    parent = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    assert (
        served.get("/livez", headers={"x-request-id": "cms-42.a:b"}).headers["x-request-id"] == "cms-42.a:b"
    )
    assert served.get("/livez", headers=parent).headers["x-request-id"] == TRACE
    made = {
        served.get("/livez", headers=headers).headers["x-request-id"]
        for headers in (
            {},
            {"x-request-id": "has spaces\t"},
            {"x-request-id": "x" * 65},
            {"traceparent": "00-0"},
        )
    }
    assert len(made) == 4
    assert all(len(one) == 32 for one in made)


def test_a_refused_request_has_an_id_too(served: TestClient, lines: Lines) -> None:
    refused = served.get("/v1/records", headers={"authorization": "Bearer nothing"})
    assert refused.status_code == 401
    assert requests(lines)[-1]["request_id"] == refused.headers["x-request-id"]


def test_an_unexpected_error_is_found_again_by_its_id(
    served: TestClient, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "Жаңа көпірдің құрылысы аяқталды."

    def fail(*_: Any) -> None:
        raise LookupError("no such table of words")

    monkeypatch.setattr(Analyser, "analyse", fail)
    answer = served.post("/v1/articles", json={"text": text}, headers={"x-request-id": "lost-and-found"})
    assert (answer.status_code, answer.headers["x-request-id"]) == (500, "lost-and-found")
    told = [line for line in lines() if line.get("request_id") == "lost-and-found"]
    assert any("LookupError: no such table" in line.get("exception", "") for line in told)
    assert requests(lines)[-1]["problem"] == "internal-error"
    assert text[:10] not in json.dumps(lines(), ensure_ascii=False)


def test_probes_are_logged_only_when_they_fail(served: TestClient, lines: Lines) -> None:
    served.get("/livez")
    assert requests(lines)[-1]["level"] == "debug"
    served.app.state.worker.drain(0)  # type: ignore[attr-defined]
    assert served.get("/readyz").status_code == 503
    assert requests(lines)[-1]["level"] == "info"
