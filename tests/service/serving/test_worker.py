"""The model thread: a bad job fails alone, a dead thread is replaced, an end is an end."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest

import service.serving.worker as module
from index.errors import VectorStoreUnavailable
from service.auth.actor import COMMAND_LINE, acting_as, current_actor
from service.errors import NotReady
from service.runtime import Runtime
from service.serving.queue import QueueLimits
from service.serving.worker import ModelWorker, WorkerState
from service.settings import Settings
from service.store.errors import StoreError


class NoModels(Runtime):
    """A runtime that loads nothing, and counts."""

    loads = 0
    closed = False

    def load(self) -> None:
        self.loads += 1

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelWorker]:
    monkeypatch.setattr(module, "RESTART_SECONDS", 0.2)
    started = ModelWorker(NoModels(Settings()), limits=QueueLimits(items=10), stall_seconds=0.3)
    started.start()
    wait_for(lambda: started.state is WorkerState.READY)
    yield started
    started.stop(10)


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


class Blocker:
    """A job that runs until it is let go."""

    def __init__(self, worker: ModelWorker) -> None:
        self.entered, self.leave = threading.Event(), threading.Event()
        self.future: Future[Any] = worker.submit(self)
        assert self.entered.wait(10)

    def __call__(self, runtime: Runtime) -> str:
        self.entered.set()
        assert self.leave.wait(30)
        return "done"


def test_jobs_run_in_the_model_thread_with_its_runtime(worker: ModelWorker) -> None:
    def where(runtime: Runtime) -> tuple[Runtime, str]:
        return runtime, threading.current_thread().name

    assert asyncio.run(worker.run(where)) == (worker.runtime, "models")


def test_a_job_acts_for_whoever_sent_it(worker: ModelWorker) -> None:
    with acting_as("0f3a9c2b7d41"):
        sent = worker.submit(lambda runtime: current_actor())
    other = worker.submit(lambda runtime: current_actor())
    assert (sent.result(10), other.result(10)) == ("0f3a9c2b7d41", COMMAND_LINE)


def test_a_poisonous_job_fails_alone(worker: ModelWorker) -> None:
    blocker = Blocker(worker)
    before = worker.submit(lambda runtime: 1)
    poison = worker.submit(lambda runtime: 1 // 0)
    after = worker.submit(lambda runtime: 2)
    blocker.leave.set()
    assert (before.result(10), after.result(10)) == (1, 2)
    with pytest.raises(ZeroDivisionError):
        poison.result(10)
    assert worker.state is WorkerState.READY


def test_cancelled_work_is_dropped_before_it_computes(worker: ModelWorker) -> None:
    blocker = Blocker(worker)
    ran: list[str] = []
    dropped = worker.submit(lambda runtime: ran.append("dropped"))
    kept = worker.submit(lambda runtime: ran.append("kept"))
    assert dropped.cancel()
    blocker.leave.set()
    kept.result(10)
    assert ran == ["kept"]


def test_a_dead_thread_fails_what_waits_turns_unready_and_is_replaced(worker: ModelWorker) -> None:
    blocker = Blocker(worker)

    def die(runtime: Runtime) -> None:
        raise SystemExit(3)

    deadly = worker.submit(die)
    # The queue takes short work first; equal ones in their order.
    waiting = [worker.submit(lambda runtime: 1, characters=100) for _ in range(3)]
    blocker.leave.set()
    for future in (deadly, *waiting):
        with pytest.raises(NotReady):
            future.result(10)
    assert worker.state is WorkerState.LOADING
    assert worker.failure == "SystemExit: 3"
    with pytest.raises(NotReady):
        worker.submit(lambda runtime: 1)
    wait_for(lambda: worker.state is WorkerState.READY)
    assert worker.submit(lambda runtime: 7).result(10) == 7
    assert worker.runtime.loads == 2  # type: ignore[attr-defined]
    assert worker.failure is None


def test_a_job_that_does_not_end_is_told(worker: ModelWorker) -> None:
    blocker = Blocker(worker)
    assert not worker.stalled
    wait_for(lambda: worker.stalled)
    blocker.leave.set()
    blocker.future.result(10)
    wait_for(lambda: not worker.stalled)


def test_draining_finishes_what_was_taken_and_takes_no_more(worker: ModelWorker) -> None:
    blocker = Blocker(worker)
    accepted = worker.submit(lambda runtime: 1)
    worker.drain(30)
    assert worker.draining
    with pytest.raises(NotReady):
        worker.submit(lambda runtime: 1)
    with pytest.raises(NotReady):
        asyncio.run(worker.read(lambda runtime: 1))
    blocker.leave.set()
    assert accepted.result(10) == 1


def test_what_is_not_begun_when_draining_ends_fails(worker: ModelWorker) -> None:
    blocker = Blocker(worker)
    late = worker.submit(lambda runtime: 1)
    worker.drain(0)
    time.sleep(0.01)
    blocker.leave.set()
    assert blocker.future.result(10) == "done"
    with pytest.raises(NotReady):
        late.result(10)


def test_stopping_finishes_what_was_accepted_and_closes_the_runtime(worker: ModelWorker) -> None:
    futures = [worker.submit(lambda runtime, n=n: n) for n in range(5)]
    worker.stop()
    assert [future.result(0) for future in futures] == [0, 1, 2, 3, 4]
    assert worker.runtime.closed  # type: ignore[attr-defined]


def test_a_job_that_hangs_does_not_keep_the_process(worker: ModelWorker) -> None:
    blocker = Blocker(worker)
    started = time.monotonic()
    worker.stop(0.2)
    assert time.monotonic() - started < 5
    blocker.leave.set()


class Away(NoModels):
    """A runtime whose server is away at first."""

    back = False

    def load(self) -> None:
        super().load()
        if not self.back:
            raise self.error

    def __init__(self, error: Exception) -> None:
        super().__init__(Settings())
        self.error = error


@pytest.mark.parametrize("error", [VectorStoreUnavailable("Milvus is away"), StoreError("no answer")])
def test_a_server_that_was_away_at_the_start_is_used_when_it_is_back(
    error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "AWAY_SECONDS", 0.01)
    runtime = Away(error)
    worker = ModelWorker(runtime)
    worker.start()
    wait_for(lambda: runtime.loads > 3)
    assert worker.state is WorkerState.FAILED
    # The address of a database is not for everybody; that of the vector store has no credentials in it.
    assert (str(error) in (worker.failure or "")) == isinstance(error, VectorStoreUnavailable)
    with pytest.raises(NotReady):
        worker.submit(lambda runtime: 1)
    runtime.back = True
    wait_for(lambda: worker.state is WorkerState.READY)
    assert (worker.failure, worker.submit(lambda runtime: 1).result(10)) == (None, 1)
    # Told once, not with every try.
    assert caplog.text.count(f"loading failed and is tried again: {error}") == 1
    worker.stop(10)


def test_waiting_for_a_server_does_not_keep_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AWAY_SECONDS", 60)
    runtime = Away(StoreError("no answer"))
    worker = ModelWorker(runtime)
    worker.start()
    wait_for(lambda: worker.state is WorkerState.FAILED)
    started = time.monotonic()
    worker.stop(30)
    assert runtime.closed
    assert time.monotonic() - started < 10
