"""The queue before the model thread: who gets in, and who is next.

Short work goes first, because it costs long work little and gains much, until something has waited for
`PATIENCE` seconds: from then on the oldest is next, so nothing starves. Requests are not merged into batches:
on a CPU a batch takes as long as its items one by one, and the queue keeps them fair.

Work in the background (audits) is nobody's request: it takes its turn when nobody waits, or once in
`BACKGROUND_PATIENCE` seconds if there is always somebody. It counts for no limit and may wait for ever.

What cannot start in time is refused at once, with the time after which trying again makes sense: an answer
that comes too late is work for nobody.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from service.errors import NotReady, Overloaded, QuotaExceeded, TamgaError

if TYPE_CHECKING:
    from service.runtime import Runtime

PATIENCE: Final = 2.0
BACKGROUND_PATIENCE: Final = 30.0
# What any job costs besides its characters, counted in characters.
FIXED_COST: Final = 500
# Seconds per character before anything was measured; soon replaced by what this machine takes.
FIRST_GUESS: Final = 0.25 / 2_500
# The weight of the latest job in the measured rate.
_WEIGHT: Final = 0.1
MAX_RETRY_AFTER: Final = 120.0
# The share of the longest wait up to which the estimate lets jobs in. The estimate errs, and a job let in too
# late is refused only after it has waited: measured at three times the capacity, with everything let in.
_SURE: Final = 0.75


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """At most `items` waiting, `items_per_caller` of them of one caller, nobody for more than `seconds`."""

    items: int = 64
    items_per_caller: int = 32
    seconds: float = 30.0


@dataclass(eq=False, slots=True)
class Job:
    """A call to run with the runtime. `characters` is how much text it works on; cancelling `future` before
    the job runs drops it. `background`: it is done when nobody waits.
    """

    call: Callable[[Runtime], Any]
    characters: int = 0
    caller: str = ""
    background: bool = False
    future: Future[Any] = field(default_factory=Future)
    queued_at: float = field(default_factory=time.monotonic)

    @property
    def cost(self) -> int:
        return FIXED_COST + self.characters


class WorkQueue:
    """Jobs between many requests and one thread. Safe to use from all of them."""

    def __init__(self, limits: QueueLimits) -> None:
        self.limits = limits
        self._jobs: list[Job] = []
        self._background: list[Job] = []
        self._callers: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._closed = False
        self._seconds_per_cost = FIRST_GUESS
        # The job that runs now, by its cost and start: what is still to come of it is part of the wait.
        self._running: tuple[int, float] | None = None

    def __len__(self) -> int:
        return len(self._jobs)

    @property
    def characters(self) -> int:
        """Characters of text that wait."""
        with self._changed:
            return sum(job.characters for job in self._jobs)

    def put(self, job: Job) -> None:
        """Let a job in.

        Raises:
            QuotaExceeded: its caller has as many waiting as one may have.
            Overloaded: the queue is full, or the job would have to wait for too long.
            NotReady: the queue is closed.
        """
        with self._changed:
            if self._closed:
                raise NotReady("The service is shutting down.")
            if job.background:
                self._background.append(job)
                self._changed.notify()
                return
            self._drop_cancelled()
            wait = self._wait()
            limits = self.limits
            if self._callers[job.caller] >= limits.items_per_caller:
                detail = f"{limits.items_per_caller} requests of yours are waiting already."
                raise QuotaExceeded(detail, retry_after=_soon(wait))
            if len(self._jobs) >= limits.items or wait > _SURE * limits.seconds:
                detail = f"{len(self._jobs)} requests are waiting, about {wait:.0f} seconds of work."
                raise Overloaded(detail, retry_after=_soon(wait - limits.seconds / 2))
            self._jobs.append(job)
            self._callers[job.caller] += 1
            self._changed.notify()

    def take(self) -> Job | None:
        """Wait for the next job, whose future then runs; None once the queue is closed and empty."""
        with self._changed:
            while True:
                now = time.monotonic()
                self._drop_cancelled()
                self._drop_expired(now)
                job = self._next(now)
                if job is not None:
                    self._remove(job)
                    if job.future.set_running_or_notify_cancel():
                        self._running = (job.cost, now)
                        return job
                elif self._closed:
                    return None
                else:
                    self._changed.wait()

    def done(self, job: Job, seconds: float) -> None:
        """Learn how long a job took."""
        with self._changed:
            self._running = None
            latest = seconds / job.cost
            self._seconds_per_cost += _WEIGHT * (latest - self._seconds_per_cost)

    def fail_all(self, error: TamgaError) -> None:
        """End everything that waits with this error."""
        with self._changed:
            self._running = None
            for job in [*self._jobs, *self._background]:
                self._remove(job)
                _fail(job, error)

    def close(self) -> None:
        """Let nobody in any more; what waits is still taken, but for work in the background."""
        with self._changed:
            self._closed = True
            for job in list(self._background):
                self._remove(job)
                _fail(job, NotReady("The service is shutting down."))
            self._changed.notify_all()

    def closed_within(self, seconds: float) -> bool:
        """Wait for the end, for so long at most; says whether it has come."""
        with self._changed:
            return self._changed.wait_for(lambda: self._closed, seconds)

    def wait(self) -> float:
        """Seconds that a job put now would have to wait, by what jobs took so far."""
        with self._changed:
            return self._wait()

    def _wait(self) -> float:
        cost = sum(job.cost for job in self._jobs)
        left = 0.0
        if self._running is not None:
            running, since = self._running
            left = max(running * self._seconds_per_cost - (time.monotonic() - since), 0.0)
        return cost * self._seconds_per_cost + left

    def _next(self, now: float) -> Job | None:
        patient = self._background[0] if self._background else None
        if patient is not None and (not self._jobs or now - patient.queued_at >= BACKGROUND_PATIENCE):
            return patient
        if not self._jobs:
            return None
        oldest = self._jobs[0]
        if now - oldest.queued_at >= PATIENCE:
            return oldest
        return min(self._jobs, key=lambda job: job.cost)

    def _drop_cancelled(self) -> None:
        for job in [job for job in (*self._jobs, *self._background) if job.future.cancelled()]:
            self._remove(job)

    def _drop_expired(self, now: float) -> None:
        for job in [job for job in self._jobs if now - job.queued_at > self.limits.seconds]:
            self._remove(job)
            _fail(job, waited_too_long(self.limits.seconds, self._wait()))

    def _remove(self, job: Job) -> None:
        if job.background:
            self._background.remove(job)
            return
        self._jobs.remove(job)
        self._callers[job.caller] -= 1
        if not self._callers[job.caller]:
            del self._callers[job.caller]


def waited_too_long(seconds: float, backlog: float) -> Overloaded:
    """The error of a job that was not begun within `seconds`, `backlog` seconds of work being ahead still."""
    return Overloaded(
        f"The request waited for {seconds:g} seconds and was not begun.", retry_after=_soon(backlog)
    )


def _fail(job: Job, error: TamgaError) -> None:
    if job.future.set_running_or_notify_cancel():
        job.future.set_exception(error)


def _soon(seconds: float) -> float:
    return min(max(seconds, 1.0), MAX_RETRY_AFTER)
