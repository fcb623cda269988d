"""A key is claimed once, by one request, until its answer or its end."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from service.store import Store
from service.store.idempotency import Claim, SqlIdempotencyRepository, StoredAnswer

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=10)
ANSWER = StoredAnswer(201, [["location", "/v1/x"]], b'{"id": "x"}')


@pytest.fixture
def answers(store: Store) -> SqlIdempotencyRepository:
    return store.idempotency


def begin(answers: SqlIdempotencyRepository, request: str = "r", **given: datetime) -> object:
    return answers.begin("caller", "key", request, now=given.get("now", NOW), until=LATER)


def test_the_first_request_is_carried_out_and_the_second_waits_for_its_answer(
    answers: SqlIdempotencyRepository,
) -> None:
    assert begin(answers) is None
    assert begin(answers) is Claim.IN_PROGRESS
    answers.complete("caller", "key", ANSWER, until=LATER)
    assert begin(answers) == ANSWER
    assert begin(answers, "another") is Claim.OTHER_REQUEST
    assert answers.begin("somebody else", "key", "r", now=NOW, until=LATER) is None


def test_an_answer_with_a_secret_is_remembered_without_it(answers: SqlIdempotencyRepository) -> None:
    begin(answers)
    answers.complete("caller", "key", StoredAnswer(201, [], None), until=LATER)
    assert begin(answers) == StoredAnswer(201, [], None)


def test_a_released_key_may_try_again_and_an_answered_one_is_never_released(
    answers: SqlIdempotencyRepository,
) -> None:
    begin(answers)
    answers.release("caller", "key")
    assert begin(answers, "another") is None
    answers.complete("caller", "key", ANSWER, until=LATER)
    answers.release("caller", "key")
    assert begin(answers, "another") == ANSWER


def test_claims_and_answers_lapse(answers: SqlIdempotencyRepository) -> None:
    begin(answers)
    assert begin(answers, now=LATER - timedelta(seconds=1)) is Claim.IN_PROGRESS
    assert begin(answers, now=LATER) is None
    assert answers.purge(LATER - timedelta(seconds=1)) == 0
    assert answers.purge(LATER) == 1
    assert begin(answers, "another") is None


def test_of_many_at_once_one_is_carried_out(answers: SqlIdempotencyRepository) -> None:
    start = threading.Barrier(6)
    outcomes: list[object] = []

    def send() -> None:
        start.wait()
        outcomes.append(begin(answers))

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes, key=str) == sorted([None, *[Claim.IN_PROGRESS] * 5], key=str)
