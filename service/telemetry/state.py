"""Metrics of what the service is at the moment of a scrape: queue, readiness, index, models, backlogs."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from service.runtime import Runtime
from service.serving.worker import ModelWorker, WorkerState
from service.store import Store
from service.store.backlog import backlog
from service.store.errors import StoreError


class ServiceState(Collector):
    """Asks worker, index and database of one service. Loads nothing that is not loaded yet."""

    def __init__(self, version: str, worker: ModelWorker, store: Store) -> None:
        self._version = version
        self._worker = worker
        self._store = store

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not ask the database."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """See `prometheus_client.registry.Collector`."""
        yield InfoMetricFamily("tamga_build", "The version that runs.", {"version": self._version})
        yield from self._serving()
        ready = self._worker.state is WorkerState.READY
        if ready:
            yield from _models(self._worker.runtime)
            yield from _index(self._worker.runtime)
        yield from self._database()

    def _serving(self) -> Iterable[Metric]:
        worker = self._worker
        ready = worker.state is WorkerState.READY and not worker.draining and not worker.stalled
        yield _gauge("tamga_ready", "Whether /readyz would be green but for the database.", ready)
        yield _gauge("tamga_busy", "Whether the model thread works on a request.", worker.busy)
        queue = worker.queue
        yield _gauge("tamga_queue_requests", "Requests that wait for the models.", len(queue))
        yield _gauge("tamga_queue_characters", "Characters of text that wait.", queue.characters)
        yield _gauge("tamga_queue_expected_seconds", "What a request put now would wait.", queue.wait())

    def _database(self) -> Iterable[Metric]:
        up = _gauge("tamga_database_up", "Whether the database answers.", True)
        try:
            documents = GaugeMetricFamily(
                "tamga_documents", "What the database holds, by collection.", labels=["collection"]
            )
            documents.add_metric(["records"], self._store.records.count())
            documents.add_metric(["articles"], self._store.articles.count())
            waiting = GaugeMetricFamily("tamga_backlog", "What waits to be done, by kind.", labels=["kind"])
            for kind, count in backlog(self._store.database).items():
                waiting.add_metric([kind], count)
        except StoreError:
            yield _gauge("tamga_database_up", "Whether the database answers.", False)
        else:
            yield from (up, documents, waiting)


def _models(runtime: Runtime) -> Iterable[Metric]:
    models = GaugeMetricFamily("tamga_model_info", "The models in use: always 1.", labels=["name", "version"])
    for name, version in runtime.loaded_models().items():
        models.add_metric([name, version], 1)
    yield models


def _index(runtime: Runtime) -> Iterable[Metric]:
    library = runtime.loaded_library()
    if library is None:
        return
    generation = GaugeMetricFamily(
        "tamga_index_generation", "Database revision that the index equals.", labels=["collection"]
    )
    vectors = GaugeMetricFamily("tamga_index_vectors", "Vectors in the index.", labels=["collection"])
    for collection, index in (("records", library.records.index), ("articles", library.articles.index)):
        generation.add_metric([collection], index.generation)
        vectors.add_metric([collection], len(index))
    yield from (generation, vectors)


def _gauge(name: str, documentation: str, value: float) -> Metric:
    return GaugeMetricFamily(name, documentation, value=float(value))
