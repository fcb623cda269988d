"""Who gets into the queue, who is next, and who is told to come again."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import service.serving.queue as module
from service.errors import NotReady, Overloaded, QuotaExceeded
from service.serving.queue import FIXED_COST, Job, QueueLimits, WorkQueue
from service.serving.quota import Quota


def job(characters: int = 0, caller: str = "a") -> Job:
    return Job(lambda runtime: None, characters, caller)


def background() -> Job:
    return Job(lambda runtime: None, background=True)


class Clock:
    """Stands in for time.monotonic where the queue looks at it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000.0
        monkeypatch.setattr(module.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def put(queue: WorkQueue, clock: Clock, *jobs: Job) -> None:
    for item in jobs:
        item.queued_at = clock.now
        queue.put(item)


def test_short_work_goes_first_until_something_has_waited_for_too_long(clock: Clock) -> None:
    queue = WorkQueue(QueueLimits())
    book, first, second = job(100_000), job(300), job(200)
    put(queue, clock, book, first, second)
    assert queue.take() is second
    clock.now += module.PATIENCE
    put(queue, clock, job(1))
    assert queue.take() is book


@settings(max_examples=50)
@given(st.lists(st.integers(0, 10_000), max_size=40))
def test_everything_is_taken_once(sizes: list[int]) -> None:
    queue = WorkQueue(QueueLimits(items=100, items_per_caller=100, seconds=10_000))
    jobs = [job(size) for size in sizes]
    for item in jobs:
        queue.put(item)
    queue.close()
    taken = []
    while (item := queue.take()) is not None:
        taken.append(item)
    assert sorted(map(id, taken)) == sorted(map(id, jobs))
    with pytest.raises(NotReady):
        queue.put(job())


def test_a_cancelled_job_is_never_taken_and_leaves_its_place(clock: Clock) -> None:
    queue = WorkQueue(QueueLimits(items=2))
    gone, stays = job(), job(9)
    put(queue, clock, gone, stays)
    assert gone.future.cancel()
    assert queue.take() is stays
    put(queue, clock, job(), job())


def test_a_full_queue_refuses_and_says_when_to_come_again(clock: Clock) -> None:
    queue = WorkQueue(QueueLimits(items=3))
    put(queue, clock, job(), job(), job())
    with pytest.raises(Overloaded) as refused:
        queue.put(job(caller="b"))
    assert int(refused.value.headers["Retry-After"]) >= 1


def test_one_caller_may_not_take_all_places(clock: Clock) -> None:
    queue = WorkQueue(QueueLimits(items=10, items_per_caller=2))
    put(queue, clock, job(), job())
    with pytest.raises(QuotaExceeded):
        queue.put(job())
    put(queue, clock, job(caller="b"))
    queue.take()
    put(queue, clock, job())


def test_what_could_not_begin_in_time_is_refused_by_what_jobs_took(clock: Clock) -> None:
    queue = WorkQueue(QueueLimits(items=1_000, items_per_caller=1_000, seconds=10))
    for _ in range(60):
        put(queue, clock, job())
        taken = queue.take()
        assert taken is not None
        queue.done(taken, 1.0)
    assert queue.wait() == 0
    put(queue, clock, *(job() for _ in range(7)))
    assert queue.wait() == pytest.approx(7, rel=0.02)
    put(queue, clock, job())
    # The estimate errs: who would wait for more than three quarters of the limit is sent away now, not then.
    with pytest.raises(Overloaded):
        queue.put(job())
    assert len(queue) == 8


def test_what_runs_counts_as_far_as_it_is_still_to_come(clock: Clock) -> None:
    queue = WorkQueue(QueueLimits())
    put(queue, clock, job(10_000 - FIXED_COST))
    queue.take()
    assert queue.wait() == pytest.approx(10_000 * module.FIRST_GUESS)
    clock.now += 0.4
    assert queue.wait() == pytest.approx(10_000 * module.FIRST_GUESS - 0.4)
    clock.now += 100
    assert queue.wait() == 0


def test_what_waited_for_too_long_is_failed_not_begun(clock: Clock) -> None:
    queue = WorkQueue(QueueLimits(seconds=5))
    late = job()
    put(queue, clock, late)
    clock.now += 5.1
    fresh = job()
    put(queue, clock, fresh)
    assert queue.take() is fresh
    assert isinstance(late.future.exception(0), Overloaded)


def test_a_taker_waits_for_work_and_for_the_end() -> None:
    queue = WorkQueue(QueueLimits())
    taken: list[Any] = []
    thread = threading.Thread(target=lambda: taken.extend([queue.take(), queue.take()]))
    thread.start()
    time.sleep(0.05)
    assert taken == []
    item = job()
    queue.put(item)
    queue.close()
    thread.join(10)
    assert taken == [item, None]


def test_all_that_waits_can_be_failed_at_once() -> None:
    queue = WorkQueue(QueueLimits())
    jobs = [job(), job(), job()]
    for item in jobs:
        queue.put(item)
    queue.fail_all(NotReady("gone"))
    assert [type(item.future.exception(0)) for item in jobs] == [NotReady] * 3
    assert len(queue) == 0


def test_a_quota_refills_with_time_and_is_each_callers_own(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    quota = Quota(per_minute=60)
    for _ in range(15):
        quota.take("a")
    with pytest.raises(QuotaExceeded) as refused:
        quota.take("a")
    assert refused.value.headers == {"Retry-After": "1"}
    quota.take("b")
    clock.now += 1.01
    quota.take("a")
    with pytest.raises(QuotaExceeded):
        quota.take("a")


def test_without_a_quota_nobody_is_counted() -> None:
    quota = Quota(None)
    for _ in range(1_000):
        quota.take("a")


def test_the_background_waits_for_everybody_but_not_for_ever(clock: Clock) -> None:
    queue = WorkQueue(QueueLimits(items=2))
    first, second = background(), background()
    requests = [job(5_000), job()]
    put(queue, clock, first, second, *requests)
    # Limits count requests alone, and a request goes first however long it is.
    assert len(queue) == 2
    assert [queue.take(), queue.take(), queue.take()] == [*reversed(requests), first]
    clock.now += module.BACKGROUND_PATIENCE - 1
    put(queue, clock, job(), job())
    queue.take()
    clock.now += 1
    assert queue.take() is second


def test_a_closed_queue_drops_the_background() -> None:
    queue = WorkQueue(QueueLimits())
    waiting, request = background(), job()
    queue.put(waiting)
    queue.put(request)
    queue.close()
    assert isinstance(waiting.future.exception(0), NotReady)
    assert queue.take() is request
    assert queue.take() is None
    with pytest.raises(NotReady):
        queue.put(background())
