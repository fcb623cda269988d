"""What the client sends again, when, and what it tells instead."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from service.client import Problem, Tamga, Unreachable
from service.client.transport import Transport

REFUSED = {
    "type": "urn:tamga:problem:overloaded",
    "title": "Full",
    "status": 503,
    "detail": "20 are waiting.",
}
Answer = httpx2.Response | type[httpx2.TransportError]


class Service:
    """Answers with what it was given, one after the other, and remembers what it was sent."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.sent: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.sent.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, httpx2.Response):
            return answer
        raise answer("broken", request=request)


Make = Callable[..., tuple[Transport, Service, list[float]]]


@pytest.fixture
def made() -> Make:
    def make(*answers: Answer, patience: float = 60) -> tuple[Transport, Service, list[float]]:
        service, slept = Service(*answers), list[float]()
        http = httpx2.Client(base_url="http://service", transport=httpx2.MockTransport(service))
        return Transport(http, patience=patience, sleep=slept.append), service, slept

    return make


def refused(status: int, after: str | None) -> httpx2.Response:
    headers = {"content-type": "application/problem+json", "x-request-id": "request-7"}
    if after is not None:
        headers["retry-after"] = after
    return httpx2.Response(status, headers=headers, content=json.dumps(REFUSED))


@pytest.mark.parametrize("status", [429, 503])
def test_it_comes_back_when_it_is_told_to(made: Make, status: int) -> None:
    transport, service, slept = made(refused(status, "3"), refused(status, "2"), httpx2.Response(200))
    assert transport.send("POST", "/v1/labels", json={}).status_code == 200
    assert slept == [3, 2]
    assert len(service.sent) == 3


def test_it_does_not_wait_for_longer_than_its_patience(made: Make) -> None:
    transport, _service, slept = made(refused(503, "20"), refused(503, "20"), refused(503, "20"), patience=50)
    with pytest.raises(Problem) as caught:
        transport.send("GET", "/v1/records")
    assert slept == [20, 20]
    problem = caught.value
    assert (problem.status, problem.type, problem.request_id) == (503, REFUSED["type"], "request-7")
    assert "20 are waiting" in str(problem)


@pytest.mark.parametrize(
    "answer", [refused(503, None), refused(503, "soon"), refused(500, "1"), refused(422, None)]
)
def test_what_is_no_refusal_for_now_is_told_at_once(made: Make, answer: httpx2.Response) -> None:
    transport, _service, slept = made(answer)
    with pytest.raises(Problem):
        transport.send("GET", "/v1/records")
    assert not slept


def test_a_creation_whose_answer_was_lost_is_sent_again_to_the_byte(made: Make) -> None:
    transport, service, slept = made(httpx2.ReadError, httpx2.RemoteProtocolError, httpx2.Response(201))
    files = {"file": ("a.jsonl", b'{"id": "1"}')}
    answer = transport.send("POST", "/v1/audits", creates=True, data={"kind": "archive"}, files=files)
    assert answer.status_code == 201
    assert len({request.headers["idempotency-key"] for request in service.sent}) == 1
    assert len({request.content for request in service.sent}) == 1
    assert len(slept) == 2
    assert slept[0] < slept[1]


def test_two_creations_have_different_keys(made: Make) -> None:
    transport, service, _ = made(httpx2.Response(201), httpx2.Response(201))
    for _ in range(2):
        transport.send("POST", "/v1/labels", creates=True, json={})
    assert len({request.headers["idempotency-key"] for request in service.sent}) == 2


def test_while_the_first_sending_is_carried_out_the_second_waits_for_its_answer(made: Make) -> None:
    transport, _, slept = made(httpx2.ReadTimeout, refused(409, None), httpx2.Response(201))
    assert transport.send("POST", "/v1/labels", creates=True, json={}).status_code == 201
    assert len(slept) == 2
    transport, _, slept = made(refused(409, None))
    with pytest.raises(Problem):
        transport.send("POST", "/v1/labels", creates=True, json={})
    assert not slept


def test_what_may_have_happened_is_not_done_twice(made: Make) -> None:
    transport, service, _ = made(httpx2.ReadError)
    with pytest.raises(Unreachable):
        transport.send("POST", "/v1/feeds/a/refresh")
    assert len(service.sent) == 1
    # Where there was no connection, nothing has happened.
    transport, service, _ = made(httpx2.ConnectError, httpx2.Response(200))
    assert transport.send("POST", "/v1/feeds/a/refresh").status_code == 200


def test_a_service_that_stays_away_is_told_in_the_end(made: Make) -> None:
    transport, service, slept = made(*[httpx2.ConnectError] * 20, patience=30)
    with pytest.raises(Unreachable, match="broken"):
        transport.send("GET", "/v1/records")
    assert 3 <= len(service.sent) <= 8
    assert sum(slept) <= 30


def test_an_error_page_of_a_proxy_is_a_problem_too(made: Make) -> None:
    transport, _, _ = made(httpx2.Response(502, content=b"<html>Bad Gateway</html>"))
    with pytest.raises(Problem) as caught:
        transport.send("GET", "/v1/records")
    assert caught.value.status == 502
    transport, _, _ = made(httpx2.Response(500, content=b"[1]"))
    with pytest.raises(Problem):
        transport.send("GET", "/v1/records")


def page(items: list[Any], following: str | None) -> httpx2.Response:
    return httpx2.Response(200, json={"items": items, "next": following})


def test_pages_are_fetched_as_they_are_needed() -> None:
    records = [{"id": f"r{number}", "claim": "The bridge was opened."} for number in range(3)]
    service = Service(page(records[:2], "r1"), page(records[2:], None))
    http = httpx2.Client(base_url="http://service", transport=httpx2.MockTransport(service))
    with Tamga(key="tg_a_b", http=http) as tamga:
        listed = tamga.list_records()
        assert next(listed).id == "r0"
        assert len(service.sent) == 1
        assert [record.id for record in listed] == ["r1", "r2"]
    assert [request.url.query for request in service.sent] == [b"", b"after=r1"]
    assert {request.headers["authorization"] for request in service.sent} == {"Bearer tg_a_b"}
