"""A request that is sent again is carried out once."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.analysis import Analyser
from service.errors import PROBLEM_PREFIX
from service.settings import Settings
from service.store import open_store

ARTICLE = {"text": "Көпір 2019 жылғы қыркүйекте ашылды.", "title": "Көпір", "checks": ["origin"]}


def post(client: TestClient, key: str, body: Any = ARTICLE, path: str = "/v1/articles") -> Any:
    return client.post(path, json=body, headers={"idempotency-key": key})


def articles(settings: Settings) -> int:
    store = open_store(settings.database)
    try:
        return store.articles.count()
    finally:
        store.close()


def test_the_same_request_again_gets_the_same_answer(client: TestClient, settings: Settings) -> None:
    before = articles(settings)
    first = post(client, "same")
    again = post(client, "same")
    assert first.status_code == again.status_code == 201
    assert again.json() == first.json()
    assert again.headers["location"] == first.headers["location"]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert articles(settings) == before + 1
    assert post(client, "not the same").json()["id"] != first.json()["id"]


def test_the_same_key_with_another_body_is_refused(client: TestClient) -> None:
    post(client, "taken")
    answer = post(client, "taken", {**ARTICLE, "title": "Басқа"})
    assert answer.status_code == 422
    assert answer.json()["type"] == PROBLEM_PREFIX + "idempotency-key-reused"


def test_records_too(client: TestClient) -> None:
    record = {"id": "once", "claim": "Кітапхана 1911 жылы ашылды."}
    assert post(client, "records", record, "/v1/records").json()["results"][0]["status"] == "added"
    assert post(client, "records", record, "/v1/records").json()["results"][0]["status"] == "added"
    assert client.delete("/v1/records/once").status_code == 204


def test_a_repetition_while_the_first_is_carried_out_is_refused(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    analyse = Analyser.analyse
    entered, leave = threading.Event(), threading.Event()

    def slow(self: Analyser, *arguments: Any) -> Any:
        entered.set()
        assert leave.wait(30)
        return analyse(self, *arguments)

    monkeypatch.setattr(Analyser, "analyse", slow)
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(post(client, "at once")))
    thread.start()
    assert entered.wait(30)
    refused = post(client, "at once")
    leave.set()
    thread.join(30)
    assert (refused.status_code, refused.json()["type"]) == (409, PROBLEM_PREFIX + "conflict")
    assert answers[0].status_code == 201
    assert post(client, "at once").json() == answers[0].json()


def test_a_failed_request_may_be_tried_again_with_its_key(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert post(client, "failed", {"text": " "}).status_code == 422
    with monkeypatch.context() as patch:
        patch.setattr(Analyser, "analyse", lambda self, *arguments: 1 / 0)
        assert post(client, "failed").status_code == 500
    assert post(client, "failed").status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there"])
def test_keys_that_are_none(client: TestClient, key: str) -> None:
    assert post(client, key).status_code == 422
