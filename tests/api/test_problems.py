"""Every refusal is problem+json with a stable type and says where the mistake is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.errors import PROBLEM_PREFIX

JSON = {"content-type": "application/json"}
SENTENCE = "The capital moved in 1997."
RECORD = {"id": "r", "claim": "Water boils at 100 degrees Celsius at sea level."}


def send(client: TestClient, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.request(method, path, content=content, headers=headers)


def assert_problem(answer: Any, status: int, slug: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["type"] == PROBLEM_PREFIX + slug
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    return problem


@pytest.mark.parametrize(
    ("body", "status", "slug", "pointer"),
    [
        ({"text": ""}, 422, "empty-text", "#/text"),
        ({"text": " \n\t "}, 422, "empty-text", "#/text"),
        ({"text": "… — !"}, 422, "empty-text", "#/text"),
        ({"html": "<html><body></body></html>"}, 422, "empty-text", "#/html"),
        ({"text": "a\0b"}, 422, "nul-character", "#/text"),
        ({"html": "<p>a\0b</p>"}, 422, "nul-character", "#/html"),
        ({}, 422, "invalid-input", "#"),
        ({"text": SENTENCE, "html": "<p>x</p>"}, 422, "invalid-input", "#"),
        ({"text": 5}, 422, "invalid-input", "#/text"),
        ({"text": None}, 422, "invalid-input", "#"),
        ({"text": [SENTENCE]}, 422, "invalid-input", "#/text"),
        ([], 422, "invalid-input", "#"),
        ("text", 422, "invalid-input", "#"),
        ({"text": SENTENCE, "txet": "x"}, 422, "invalid-input", "#/txet"),
        ({"text": SENTENCE, "language": "Klingon!"}, 422, "invalid-input", "#/language"),
        ({"text": SENTENCE, "published_at": "12.03.2024"}, 422, "invalid-input", "#/published_at"),
        ({"text": SENTENCE, "published_at": 1710201600}, 422, "invalid-input", "#/published_at"),
        ({"text": SENTENCE, "url": "javascript:alert(1)"}, 422, "invalid-input", "#/url"),
        ({"text": SENTENCE, "checks": []}, 422, "invalid-input", "#/checks"),
        ({"text": SENTENCE, "checks": ["facts"]}, 422, "invalid-input", "#/checks/0"),
        ({"text": SENTENCE, "target_fpr": 0}, 422, "invalid-input", "#/target_fpr"),
        ({"text": SENTENCE, "store": "perhaps"}, 422, "invalid-input", "#/store"),
        ({"text": SENTENCE, "title": "a\0b"}, 422, "invalid-input", "#/title"),
        ({"text": "x" * 1_000_001}, 413, "text-too-long", "#/text"),
        ({"text": "мәтін " * 900_000}, 413, "too-large", None),
    ],
    ids=lambda value: json.dumps(value)[:40] if isinstance(value, dict | list) else None,
)
def test_articles_that_cannot_be_analysed(
    client: TestClient, body: Any, status: int, slug: str, pointer: str | None
) -> None:
    problem = assert_problem(send(client, "POST", "/v1/articles", body, JSON), status, slug)
    if pointer is not None:
        assert pointer in [part.get("pointer") for part in problem["errors"]]


@pytest.mark.parametrize(
    ("body", "headers", "status", "slug"),
    [
        (b"", JSON, 422, "invalid-input"),
        (b'{"text": "abc', JSON, 400, "invalid-json"),
        (b"{'text': 'abc'}", JSON, 400, "invalid-json"),
        (b'{"text": "caf\xe9 au lait"}', JSON, 400, "invalid-encoding"),
        (b'{"text": "lone \\ud800 surrogate"}', JSON, 422, "invalid-input"),
        (b"[" * 100_000, JSON, 400, "invalid-json"),
        (b'{"target_fpr": ' + b"9" * 5_000 + b"}", JSON, 400, "invalid-json"),
        (b'{"text": "abc"}', {"content-type": "text/plain"}, 415, "unsupported-media-type"),
        (b'{"text": "abc"}', {}, 415, "unsupported-media-type"),
        (b"text=abc", {"content-type": "application/x-www-form-urlencoded"}, 415, "unsupported-media-type"),
    ],
)
def test_bodies_that_cannot_be_read(
    client: TestClient, body: bytes, headers: dict[str, str], status: int, slug: str
) -> None:
    problem = assert_problem(send(client, "POST", "/v1/articles", body, headers), status, slug)
    assert problem["instance"] == "/v1/articles"


@pytest.mark.parametrize(
    ("method", "path", "status", "slug"),
    [
        ("GET", "/v2/articles", 404, "not-found"),
        ("GET", "/v1/articles/", 404, "not-found"),
        ("GET", "/v1/articles/art_absent", 404, "not-found"),
        ("GET", "/v1/records/absent", 404, "not-found"),
        ("DELETE", "/v1/records/absent", 404, "not-found"),
        ("GET", "/docs/static/absent.js", 404, "not-found"),
        ("GET", "/docs/static/../problems.py", 404, "not-found"),
        ("PUT", "/v1/articles", 405, "method-not-allowed"),
        ("GET", "/v1/claims/match", 405, "method-not-allowed"),
        ("GET", "/v1/records?limit=0", 422, "invalid-input"),
        ("GET", "/v1/records?limit=x", 422, "invalid-input"),
    ],
)
def test_requests_that_lead_nowhere(
    client: TestClient, method: str, path: str, status: int, slug: str
) -> None:
    answer = client.request(method, path)
    problem = assert_problem(answer, status, slug)
    if status == 405:
        assert answer.headers["allow"]
    if slug == "invalid-input":
        assert problem["errors"][0]["parameter"] == "limit"


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/v1/records", {"id": "r"}, "#/claim"),
        ("/v1/records", [RECORD, {"id": "", "claim": "x"}], "#/1/id"),
        ("/v1/records", [], "#"),
        ("/v1/records", {**RECORD, "url": "ftp://example.org/x"}, "#/url"),
        ("/v1/claims/match", {"claims": []}, "#/claims"),
        ("/v1/claims/match", {"claims": [{"text": "?!"}]}, "#/claims/0/text"),
        ("/v1/claims/match", {"claims": [{"text": SENTENCE}], "top_k": 0}, "#/top_k"),
        ("/v1/claims/match", {"claims": [{"text": SENTENCE}], "languages": ["not a tag"]}, "#/languages/0"),
        ("/v1/claims/compare", {"pairs": [{"claim": SENTENCE}]}, "#/pairs/0/evidence"),
    ],
)
def test_malformed_parts_are_pointed_at(client: TestClient, path: str, body: Any, pointer: str) -> None:
    problem = assert_problem(send(client, "POST", path, body, JSON), 422, "invalid-input")
    assert [part["pointer"] for part in problem["errors"]] == [pointer]


def test_too_many_records_are_refused(client: TestClient) -> None:
    records = [{"id": f"r{number}", "claim": "x"} for number in range(1_001)]
    problem = assert_problem(send(client, "POST", "/v1/records", records, JSON), 413, "too-large")
    assert "1,001" in problem["detail"]


def test_a_body_that_grows_past_the_limit_while_streaming_is_refused(client: TestClient) -> None:
    chunks = (b" " * 1_000_000 for _ in range(20))
    answer = client.post("/v1/articles", content=chunks, headers=JSON)
    assert_problem(answer, 413, "too-large")


def test_a_body_above_the_limit_is_refused_even_where_nothing_reads_it(client: TestClient) -> None:
    assert_problem(client.post("/nowhere", content=b" " * 20_000_000), 413, "too-large")


def test_an_error_does_not_echo_the_text(client: TestClient) -> None:
    answer = send(client, "POST", "/v1/articles", {"text": SENTENCE, "language": "secret-" + "x" * 40}, JSON)
    assert answer.status_code == 422
    assert SENTENCE not in answer.text
