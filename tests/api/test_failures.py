"""What callers see while the service cannot answer, and that it never answers with its own insides."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.analysis import Analyser
from service.app import create_app
from service.errors import PROBLEM_PREFIX
from service.runtime import Runtime
from service.settings import Settings, load_settings
from service.store.errors import StoreError
from service.store.records import SqlRecordRepository

# Without keys only this machine is answered.
HERE: dict[str, Any] = {"base_url": "http://127.0.0.1", "client": ("127.0.0.1", 50_000)}
BODY = {"text": "Бұл қысқа мәтін."}


def test_requests_are_refused_until_the_models_are_loaded(
    empty_home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    loading = threading.Event()
    monkeypatch.setattr(Runtime, "load", lambda self: loading.wait(120))
    with TestClient(create_app(empty_home), **HERE) as client, ExitStack() as end:
        end.callback(loading.set)
        assert client.get("/livez").json() == {"status": "alive"}
        answer = client.post("/v1/articles", json=BODY)
        assert answer.status_code == 503
        assert answer.json()["type"] == PROBLEM_PREFIX + "not-ready"
        assert int(answer.headers["retry-after"]) > 0
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert ready.headers["content-type"] == "application/problem+json"
        assert ready.json()["checks"] == {"models": {"status": "loading"}}


def test_a_failed_load_turns_readiness_red_and_says_why(
    empty_home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Runtime) -> None:
        raise RuntimeError("weights are damaged")

    monkeypatch.setattr(Runtime, "load", fail)
    with TestClient(create_app(empty_home), **HERE) as client:
        for _ in range(100):
            ready = client.get("/readyz")
            if ready.json()["checks"]["models"]["status"] == "failed":
                break
            time.sleep(0.05)
        assert ready.status_code == 503
        assert "weights are damaged" in ready.json()["checks"]["models"]["detail"]
        assert client.get("/livez").status_code == 200
        assert client.post("/v1/articles", json=BODY).status_code == 503


@pytest.mark.parametrize(
    "path", ["/v1/records/%00", "/v1/records?after=a%00", "/v1/articles/a%00b", "/v1/articles?after=%00"]
)
def test_a_nul_that_postgresql_refuses_is_the_mistake_of_the_caller(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(Runtime, "load", lambda self: None)
    settings = load_settings(home=tmp_path / "home", database_url=postgres_url)
    with TestClient(create_app(settings), **HERE) as client:
        while client.get(path).json()["type"] == PROBLEM_PREFIX + "not-ready":
            time.sleep(0.05)
        answer = client.get(path)
        assert (answer.status_code, answer.json()["type"]) == (422, PROBLEM_PREFIX + "nul-character")


def test_callers_hear_nothing_of_the_database_but_that_it_fails(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(self: SqlRecordRepository, *arguments: object) -> None:
        raise StoreError("database postgresql://tamga:***@db.internal/tamga: Key (id)=(secret)")

    monkeypatch.setattr(SqlRecordRepository, "list", fail)
    answer = client.get("/v1/records")
    assert (answer.status_code, answer.json()["type"]) == (503, PROBLEM_PREFIX + "database")
    assert "db.internal" not in answer.text
    assert "secret" not in answer.text
    assert "db.internal" in caplog.text


def test_an_unexpected_error_is_a_problem_without_internals(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(self: Analyser, *arguments: object) -> None:
        raise ZeroDivisionError("internal detail")

    monkeypatch.setattr(Analyser, "analyse", fail)
    answer = client.post("/v1/articles", json=BODY)
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == PROBLEM_PREFIX + "internal-error"
    assert "internal detail" not in answer.text
    assert "internal detail" in caplog.text
    assert BODY["text"] not in caplog.text
