"""Audits on a Ray cluster, or on several processes of this machine. This is the one module that knows Ray.

A worker is an actor: a process that has loaded the models once. `Dispatch` decides which item goes where and
what happens when a worker is lost; here workers are started, called and replaced. Why actors and not Ray
Data: docs/adr/0012-audits-on-ray.md.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final

from service.audits import cluster_worker
from service.audits.cluster_worker import AuditWorker, Expected, OpenAnalyse, store_id, tamga_version
from service.audits.dispatch import Dispatch, Done, Lost, Ready
from service.audits.items import AuditOptions, Item
from service.audits.runner import Audited
from service.errors import ConfigurationError, TamgaError
from service.settings import Settings

log = logging.getLogger(__name__)

# Ray reports how it is used unless it is told not to, and warns of accelerators that nobody asked for.
_ENVIRONMENT: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_enable_metrics_collection": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
# Items and results are small; what is in flight fits many times over.
_OBJECT_STORE_BYTES: Final = 256 * 1024 * 1024
# A busy machine may need longer for its first start than Ray waits.
_STARTS: Final = 3
_SETTLE_SECONDS: Final = 10.0
_REACH_SECONDS: Final = 10.0


class RayRunner:
    """A `Runner` over Ray. Use it in a `with`: entering joins or starts the cluster, leaving lets it go.

    `address` is a running cluster's ("auto", "host:6379", "ray://host:10001"); None starts one on this
    machine that ends with this process and is closed to whoever lacks Ray's token. `workers` None takes one
    for each CPU of the cluster, or as many as the setting `threads` lets each take. `open_analyse` makes, in
    a worker, what analyses an article.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        address: str | None = None,
        workers: int | None = None,
        open_analyse: OpenAnalyse | None = None,
    ) -> None:
        threads = settings.threads or 1
        home = settings.home.absolute()
        self._settings = settings.model_copy(update={"home": home, "threads": threads})
        self._address = address
        self._workers = workers
        self._open_analyse = open_analyse or cluster_worker.pipeline
        self._joined = False

    def __enter__(self) -> RayRunner:
        """Raises ConfigurationError where Ray is not installed, does not start or is not at the address."""
        ray = _import_ray()
        if not ray.is_initialized():
            self._join(ray)
            self._joined = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._joined:
            self._joined = False
            _import_ray().shutdown()

    def run(self, items: Iterable[Item], options: AuditOptions) -> Iterator[Audited]:
        """See `Runner`. Raises TamgaError where workers cannot work."""
        if options.store:
            raise ConfigurationError(
                "A cluster may analyse an item more than once, so it stores none: use the local engine."
            )
        expected = Expected(tamga_version(), store_id(self._settings))
        threads = self._settings.threads or 1
        workers = self._workers
        if workers is None:
            workers = max(1, int(_import_ray().cluster_resources().get("CPU", 1)) // threads)
        fleet = _RayFleet(workers, threads, expected, (self._settings, options, self._open_analyse))
        try:
            yield from Dispatch(fleet).run(items)
        finally:
            fleet.close()

    def _join(self, ray: Any) -> None:
        if self._address is not None:
            try:
                _reach(self._address)
                ray.init(address=self._address, log_to_driver=False, logging_level=logging.ERROR)
            except (ConnectionError, ValueError, RuntimeError, OSError) as error:
                raise ConfigurationError(
                    f"No Ray cluster at {self._address}: {_first_line(error)}"
                ) from error
            return
        for attempt in range(1, _STARTS + 1):
            try:
                ray.init(
                    address="local",
                    num_cpus=None if self._workers is None else self._workers * (self._settings.threads or 1),
                    num_gpus=0,
                    include_dashboard=False,
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                    object_store_memory=_OBJECT_STORE_BYTES,
                )
            # Ray raises a bare Exception where a part of it does not come up in time.
            except Exception as error:
                ray.shutdown()
                if attempt == _STARTS:
                    raise ConfigurationError(f"Ray did not start: {_first_line(error)}") from error
            else:
                return


@dataclass(slots=True)
class _Call:
    place: int
    # None for loading.
    bundle: int | None


class _RayFleet:
    """Places of a `Dispatch`, each an actor that is replaced when it is lost."""

    def __init__(
        self,
        places: int,
        threads: int,
        expected: Expected,
        arguments: tuple[Settings, AuditOptions, OpenAnalyse],
    ) -> None:
        self._ray = _import_ray()
        # Spread: one actor on each machine before the second on any. Restarting is done here, not by Ray:
        # what a worker was at counts as having ended it.
        self._actor_class = self._ray.remote(AuditWorker).options(
            num_cpus=threads, max_restarts=0, max_task_retries=0, scheduling_strategy="SPREAD"
        )
        self._arguments = arguments
        self._expected = expected
        self._calls: dict[Any, _Call] = {}
        self._actors = [self._start(place) for place in range(places)]

    @property
    def places(self) -> int:
        return len(self._actors)

    def send(self, place: int, bundle: int, items: Sequence[Item]) -> None:
        self._calls[self._actors[place].analyse.remote(list(items))] = _Call(place, bundle)

    def events(self, seconds: float) -> list[Ready | Done | Lost]:
        calls = list(self._calls)
        ready, _ = self._ray.wait(calls, num_returns=1, timeout=seconds)
        events: list[Ready | Done | Lost] = []
        for reference in ready:
            if reference in self._calls:
                events += self._outcome(reference)
        return events

    def close(self) -> None:
        """End all workers."""
        for actor in self._actors:
            self._ray.kill(actor)
        self._calls.clear()

    def _start(self, place: int) -> Any:
        actor = self._actor_class.remote(*self._arguments)
        self._calls[actor.load.remote(self._expected)] = _Call(place, None)
        return actor

    def _outcome(self, reference: Any) -> list[Ready | Done | Lost]:
        call = self._calls.pop(reference)
        try:
            value = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            if call.bundle is None:
                # Loading failed, and would everywhere and again.
                raise _cause(error) from error
            return self._lose(call.place, _first_line(error))
        except self._ray.exceptions.RayError as error:
            return self._lose(call.place, _first_line(error))
        return [Ready(call.place) if call.bundle is None else Done(call.place, call.bundle, value)]

    def _lose(self, place: int, reason: str) -> list[Ready | Done | Lost]:
        """Take what the place had finished before it was lost, and start another."""
        log.warning("a worker was lost and is replaced: %s", reason)
        # It may only be out of reach: then it must not go on.
        self._ray.kill(self._actors[place])
        own = {reference: call for reference, call in self._calls.items() if call.place == place}
        events: list[Ready | Done | Lost] = []
        if own:
            finished, _ = self._ray.wait(list(own), num_returns=len(own), timeout=_SETTLE_SECONDS)
            for reference in finished:
                bundle = own[reference].bundle
                try:
                    value = self._ray.get(reference)
                except self._ray.exceptions.RayError:
                    continue
                if bundle is not None:
                    events.append(Done(place, bundle, value))
        for reference in own:
            del self._calls[reference]
        self._actors[place] = self._start(place)
        return [*events, Lost(place, reason)]


def _reach(address: str) -> None:
    """Raises OSError or ValueError where nothing listens at an address; Ray would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_REACH_SECONDS).close()


def _import_ray() -> Any:
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        import ray
        import ray.exceptions
    except ImportError as error:
        raise ConfigurationError(
            "The engine `ray` needs the extra `cluster`: pip install 'tamga-newsroom[cluster]'."
        ) from error
    return ray


def _cause(error: Any) -> TamgaError:
    cause = error.cause
    if isinstance(cause, TamgaError):
        return cause
    return TamgaError(f"A worker could not load what it needs: {type(cause).__name__}: {_first_line(cause)}")


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
