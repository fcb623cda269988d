"""All model work of the service runs in one thread of its own, so that the event loop never waits for it.

One, because the inference sessions use every core they are given: two analyses at once would only slow each
other.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import TypeVar

from service.errors import NotReady
from service.runtime import Runtime

log = logging.getLogger(__name__)
T = TypeVar("T")


class WorkerState(StrEnum):
    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


class ModelWorker:
    """Loads a runtime in its thread, then runs calls on it there, one after the other.

    `prepare` runs in the same thread after loading and before the worker is ready.
    """

    def __init__(self, runtime: Runtime, prepare: Callable[[Runtime], None] | None = None) -> None:
        self.runtime = runtime
        self.state = WorkerState.LOADING
        self.failure: str | None = None
        self._prepare = prepare
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="models")

    def start(self) -> None:
        self._executor.submit(self._load)

    def _load(self) -> None:
        started = time.monotonic()
        try:
            self.runtime.load()
            if self._prepare is not None:
                self._prepare(self.runtime)
        except Exception as error:
            # The process stays up and says so on /readyz: a supervisor sees the reason without digging for
            # logs.
            self.failure = f"{type(error).__name__}: {error}"
            self.state = WorkerState.FAILED
            log.exception("loading failed")
            return
        self.state = WorkerState.READY
        log.info("models and index loaded in %.1f s", time.monotonic() - started)

    async def run(self, call: Callable[[Runtime], T]) -> T:
        """Run `call(runtime)` in the model thread.

        Raises:
            NotReady: the models are still loading, or could not be loaded.
        """
        self._require_ready()
        return await asyncio.get_running_loop().run_in_executor(self._executor, call, self.runtime)

    async def read(self, call: Callable[[Runtime], T]) -> T:
        """Run `call(runtime)` in any thread: for the database alone, which need not wait behind an analysis.

        Raises:
            NotReady: see `run`.
        """
        self._require_ready()
        return await asyncio.to_thread(call, self.runtime)

    def _require_ready(self) -> None:
        if self.state is WorkerState.FAILED:
            raise NotReady("The models could not be loaded; /readyz has the reason.")
        if self.state is WorkerState.LOADING:
            raise NotReady("The models are still loading; try again in a few seconds.")

    def stop(self) -> None:
        """Finish what was accepted, then close the runtime in its thread. Blocks."""
        closing = self._executor.submit(self.runtime.close)
        self._executor.shutdown(wait=True)
        closing.result()
