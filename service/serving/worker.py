"""All model work of the service runs in one thread of its own, so that the event loop never waits for it.

One, because the inference sessions use every core they are given: two analyses at once would only slow each
other. `WorkQueue` says who is next.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from enum import StrEnum
from typing import Final, TypeVar

from index.errors import VectorStoreUnavailable
from service.errors import NotReady
from service.runtime import Runtime
from service.serving.queue import Job, QueueLimits, WorkQueue
from service.store.errors import StoreError

log = logging.getLogger(__name__)
T = TypeVar("T")

# Between the death of the thread and its successor: a cause that persists must not keep a core busy.
RESTART_SECONDS: Final = 1.0
# Between two tries to load while a server is away: it may come back by itself, damaged files do not.
AWAY_SECONDS: Final = 5.0
_AWAY: Final = (VectorStoreUnavailable, StoreError)


class WorkerState(StrEnum):
    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


class ModelWorker:
    """Loads a runtime in its thread, then runs jobs on it there, one after the other.

    `prepare` runs in the same thread after loading and before the worker is ready. A job that raises fails
    alone. If the thread itself dies, everything that waits fails at once, the worker is not ready, and a new
    thread loads again. A job that runs for longer than `stall_seconds` counts as hanging. What cannot be
    loaded because the database or the vector store is away is tried again until it can.
    """

    def __init__(
        self,
        runtime: Runtime,
        prepare: Callable[[Runtime], None] | None = None,
        *,
        limits: QueueLimits | None = None,
        stall_seconds: float = 600.0,
    ) -> None:
        self.runtime = runtime
        self.state = WorkerState.LOADING
        self.failure: str | None = None
        self.queue = WorkQueue(limits or QueueLimits())
        self._prepare = prepare
        self._stall_seconds = stall_seconds
        self._busy_since: float | None = None
        self._drain_until: float | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to load."""
        self._thread = threading.Thread(target=self._live, name="models", daemon=True)
        self._thread.start()

    @property
    def stalled(self) -> bool:
        """Does a job run for so long that it will hardly end?"""
        since = self._busy_since
        return since is not None and time.monotonic() - since > self._stall_seconds

    @property
    def busy(self) -> bool:
        """Does a job run?"""
        return self._busy_since is not None

    @property
    def draining(self) -> bool:
        """Is the service on its way out?"""
        return self._drain_until is not None

    def submit(
        self,
        call: Callable[[Runtime], T],
        *,
        characters: int = 0,
        caller: str = "",
        background: bool = False,
    ) -> Future[T]:
        """Have `call(runtime)` run in the model thread. Cancelling the future before that drops the call.
        What is done in the `background` gets its turn when no request waits.

        Raises:
            NotReady: the models are still loading, or could not be loaded, or the service is shutting down.
            Overloaded, QuotaExceeded: see `WorkQueue.put`; Overloaded also after too long a wait.
        """
        self._require_ready()
        # What the call writes is written by whoever sends it, though another thread carries it out.
        context = contextvars.copy_context()
        queued_at = time.monotonic()

        def carry_out(runtime: Runtime) -> T:
            with runtime.observer.job(time.monotonic() - queued_at, background=background):
                return call(runtime)

        job = Job(lambda runtime: context.run(carry_out, runtime), characters, caller, background)
        self.queue.put(job)
        return job.future

    async def run(self, call: Callable[[Runtime], T]) -> T:
        """Run `call(runtime)` in the model thread, for the service itself. Raises what `submit` raises."""
        return await asyncio.wrap_future(self.submit(call))

    async def read(self, call: Callable[[Runtime], T]) -> T:
        """Run `call(runtime)` in any thread: for the database alone, which need not wait behind an analysis.

        Raises:
            NotReady: see `submit`.
        """
        self._require_ready()
        return await asyncio.to_thread(call, self.runtime)

    def _require_ready(self) -> None:
        if self.draining:
            raise NotReady("The service is shutting down.")
        if self.state is WorkerState.FAILED:
            raise NotReady("The models could not be loaded; /readyz has the reason.")
        if self.state is WorkerState.LOADING:
            raise NotReady("The models are still loading; try again in a few seconds.")

    def drain(self, seconds: float) -> None:
        """Take no more work, and finish what was taken within `seconds`: what has not begun by then fails.

        It takes no lock, so that a signal handler may call it.
        """
        if self._drain_until is None:
            self._drain_until = time.monotonic() + seconds

    def stop(self, seconds: float | None = None) -> None:
        """Finish what was accepted, then close the runtime in its thread. Blocks, for `seconds` at most: a
        job that hangs must not keep the process.
        """
        self.queue.close()
        deadline = None if seconds is None else time.monotonic() + seconds
        # A thread that died meanwhile has left a successor.
        while self._thread is not None and self._thread.is_alive():
            self._thread.join(None if deadline is None else max(deadline - time.monotonic(), 0.0))
            if deadline is not None and time.monotonic() >= deadline:
                log.error("the model thread did not end in time; it is abandoned")
                return

    def _live(self) -> None:
        try:
            if self._load_in_the_end():
                while (job := self.queue.take()) is not None:
                    self._run(job)
            else:
                self._refuse_all()
            self.runtime.close()
        except BaseException as error:
            # Nothing that a job raises gets here, save what is meant to end a thread.
            self.failure = f"{type(error).__name__}: {error}"
            self.state = WorkerState.LOADING
            log.critical("the model thread died; it is started again", exc_info=True)
            self.queue.fail_all(NotReady("The model worker died and is being restarted."))
            self._busy_since = None
            time.sleep(RESTART_SECONDS)
            self.start()

    def _load_in_the_end(self) -> bool:
        """Load, again and again while a server is away; says whether it is done."""
        told = None
        while True:
            try:
                self._load()
                return True
            except _AWAY as error:
                self._fail(error)
                if str(error) != told:
                    log.error("loading failed and is tried again: %s", error)
                told = str(error)
                if self.queue.closed_within(AWAY_SECONDS):
                    return False
            except Exception as error:
                self._fail(error)
                log.exception("loading failed")
                return False

    def _fail(self, error: Exception) -> None:
        # The process stays up and says so on /readyz: a supervisor sees the reason without digging for logs.
        # Everybody may read it there, so the address of the database is left to the log.
        known = StoreError.title if isinstance(error, StoreError) else error
        self.failure = f"{type(error).__name__}: {known}"
        self.state = WorkerState.FAILED

    def _load(self) -> None:
        started = time.monotonic()
        self.runtime.load()
        if self._prepare is not None:
            self._prepare(self.runtime)
        self.failure = None
        self.state = WorkerState.READY
        log.info("models and index loaded in %.1f s", time.monotonic() - started)

    def _refuse_all(self) -> None:
        # Nobody gets into the queue of a worker that is not ready; this waits for its end.
        while (job := self.queue.take()) is not None:
            job.future.set_exception(NotReady("The models could not be loaded; /readyz has the reason."))

    def _run(self, job: Job) -> None:
        drain_until = self._drain_until
        if drain_until is not None and time.monotonic() > drain_until:
            job.future.set_exception(NotReady("The service is shutting down and did not begin this."))
            return
        started = self._busy_since = time.monotonic()
        try:
            result = job.call(self.runtime)
        except Exception as error:
            job.future.set_exception(error)
        except BaseException:
            job.future.set_exception(NotReady("The model worker died of this request."))
            raise
        else:
            job.future.set_result(result)
        finally:
            self._busy_since = None
            self.queue.done(job, time.monotonic() - started)
