"""More than can be done: told at once, fairly, and nobody hangs."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.analysis import Analyser
from service.api.access import public
from service.api.state import Worker
from service.app import create_app
from service.errors import PROBLEM_PREFIX, EmptyText
from service.runtime import Runtime
from service.settings import load_settings

BODY = {"text": "Көпір ашылды."}


class Models:
    """Stands in for the models: an article takes until it is let go, and then has no text."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.entered, self.leave = threading.Semaphore(0), threading.Event()
        self.begun = 0
        monkeypatch.setattr(Runtime, "load", lambda runtime: None)
        monkeypatch.setattr(Analyser, "analyse", lambda analyser, *arguments: self._analyse())

    def _analyse(self) -> None:
        self.begun += 1
        self.entered.release()
        assert self.leave.wait(30)
        raise EmptyText("carried out")


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> Models:
    return Models(monkeypatch)


Serve = Callable[..., TestClient]


@pytest.fixture
def serve(models: Models, tmp_path: Path) -> Iterator[Serve]:
    running: list[TestClient] = []

    def start(**settings: Any) -> TestClient:
        app = create_app(load_settings(home=tmp_path / "home", **settings))
        client = TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 50_000))
        running.append(client)
        client.__enter__()
        until(lambda: ready(client))
        return client

    yield start
    models.leave.set()
    for client in running:
        client.__exit__(None, None, None)


def ready(client: TestClient) -> bool:
    return bool(client.app.state.worker.state == "ready")  # type: ignore[attr-defined]


def waiting(client: TestClient) -> int:
    return len(client.app.state.worker.queue)  # type: ignore[attr-defined]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_full_service_refuses_at_once_and_finishes_what_it_took(serve: Serve, models: Models) -> None:
    client = serve(queue_items=3)
    with ThreadPoolExecutor(8) as threads:
        taken = [threads.submit(client.post, "/v1/articles", json=BODY)]
        assert models.entered.acquire(timeout=20)
        taken += [threads.submit(client.post, "/v1/articles", json=BODY) for _ in range(3)]
        until(lambda: waiting(client) == 3)
        started = time.monotonic()
        refused = client.post("/v1/articles", json=BODY)
        assert time.monotonic() - started < 1
        assert (refused.status_code, refused.json()["type"]) == (503, PROBLEM_PREFIX + "overloaded")
        assert 1 <= int(refused.headers["retry-after"]) <= 120
        assert client.get("/livez").status_code == 200
        models.leave.set()
        assert [future.result(30).json()["detail"] for future in taken] == ["carried out"] * 4
    assert client.post("/v1/articles", json=BODY).status_code == 422


def test_one_key_cannot_take_all_places(serve: Serve, models: Models) -> None:
    client = serve(queue_items=10, queue_items_per_caller=2)
    made = client.post("/v1/keys", json={"name": "first", "role": "admin"}).json()
    first = {"authorization": f"Bearer {made['token']}"}
    made = client.post("/v1/keys", json={"name": "second", "role": "editor"}, headers=first).json()
    second = {"authorization": f"Bearer {made['token']}"}
    with ThreadPoolExecutor(8) as threads:

        def post(headers: dict[str, str]) -> Any:
            return threads.submit(client.post, "/v1/articles", json=BODY, headers=headers)

        taken = [post(first)]
        assert models.entered.acquire(timeout=20)
        taken += [post(first), post(first)]
        until(lambda: waiting(client) == 2)
        refused = post(first).result(20)
        assert (refused.status_code, refused.json()["type"]) == (429, PROBLEM_PREFIX + "quota-exceeded")
        assert int(refused.headers["retry-after"]) >= 1
        taken.append(post(second))
        until(lambda: waiting(client) == 3)
        models.leave.set()
        assert {future.result(30).status_code for future in taken} == {422}


def test_a_key_may_send_so_many_a_minute(serve: Serve, models: Models) -> None:
    client = serve(requests_per_minute=8)
    models.leave.set()
    assert [client.post("/v1/articles", json=BODY).status_code for _ in range(3)] == [422, 422, 429]
    assert client.get("/v1/records").status_code == 200


def test_what_is_not_begun_in_time_is_told_so(serve: Serve, models: Models) -> None:
    client = serve(queue_seconds=0.3)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(client.post, "/v1/articles", json=BODY)
        assert models.entered.acquire(timeout=20)
        late = client.post("/v1/articles", json=BODY)
        assert (late.status_code, late.json()["type"]) == (503, PROBLEM_PREFIX + "overloaded")
        assert "not begun" in late.json()["detail"]
        models.leave.set()
        assert first.result(30).status_code == 422
    assert models.begun == 1


def test_work_of_a_caller_who_left_is_not_begun(serve: Serve, models: Models) -> None:
    client = serve()
    app = client.app
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(client.post, "/v1/articles", json=BODY)
        assert models.entered.acquire(timeout=20)
        sent: list[Any] = []

        async def leave() -> None:
            parts = [{"type": "http.request", "body": b'{"text": "abc"}'}, {"type": "http.disconnect"}]

            async def receive() -> Any:
                return parts.pop(0)

            async def send(message: Any) -> None:
                sent.append(message)

            scope = {
                "type": "http",
                "method": "POST",
                "path": "/v1/articles",
                "query_string": b"",
                "headers": [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")],
                "client": ("127.0.0.1", 50_001),
                "state": dict(client.app_state),
            }
            await app(scope, receive, send)  # type: ignore[arg-type]

        asyncio.run(leave())
        assert sent[0]["status"] == 499
        models.leave.set()
        assert first.result(30).status_code == 422
    assert models.begun == 1


def test_work_of_a_public_route_counts_as_its_senders(serve: Serve, models: Models) -> None:
    client = serve(requests_per_minute=8)
    models.leave.set()

    @client.app.get("/public", dependencies=[public])  # type: ignore[attr-defined]
    async def work(worker: Worker) -> str:
        return await worker.run(lambda runtime: "done")

    make_key(client)
    assert client.get("/v1/records").status_code == 401
    assert [client.get("/public").status_code for _ in range(3)] == [200, 200, 429]


def make_key(client: TestClient) -> None:
    answer = client.post("/v1/keys", json={"name": "first", "role": "admin"})
    assert answer.status_code == 201


def test_a_dead_model_thread_turns_readiness_red_and_comes_back(
    serve: Serve, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = serve()
    with monkeypatch.context() as patch:
        patch.setattr(models, "_analyse", lambda: (_ for _ in ()).throw(SystemExit(1)))
        assert client.post("/v1/articles", json=BODY).status_code == 503
        red = client.get("/readyz")
        assert red.status_code == 503
        assert red.json()["checks"]["models"] == {"status": "loading", "detail": "SystemExit: 1"}
    models.leave.set()
    until(lambda: ready(client))
    assert client.post("/v1/articles", json=BODY).status_code == 422
