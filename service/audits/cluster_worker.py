"""What runs in each worker of a cluster: a runtime of its own, loaded once, under the embedded engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from service.audits.items import AuditOptions, Item
from service.audits.runner import Analyse, Audited, LocalRunner
from service.errors import ConfigurationError
from service.settings import Settings

OpenAnalyse = Callable[[Settings, AuditOptions], Analyse]


@dataclass(frozen=True, slots=True)
class Expected:
    """What a worker must find on its machine, or its answers would be others: this version of Tamga, and this
    database, which has records and rates.
    """

    version: str
    store_id: str


class AuditWorker:
    """Analyses items with models of its own. An engine makes one in each process, and calls `load` first."""

    def __init__(self, settings: Settings, options: AuditOptions, open_analyse: OpenAnalyse) -> None:
        self._settings = settings
        self._options = options
        self._open_analyse = open_analyse
        self._runner: LocalRunner | None = None

    def load(self, expected: Expected) -> None:
        """Load everything, and answer a sentence with it.

        Raises ConfigurationError, and what loading raises.
        """
        own = tamga_version()
        if own != expected.version:
            raise ConfigurationError(f"A worker runs Tamga {own}, not {expected.version} as here.")
        if store_id(self._settings) != expected.store_id:
            raise ConfigurationError(
                "A worker on another machine sees another database: set TAMGA_DATABASE_URL to one that all "
                "machines reach."
            )
        self._runner = LocalRunner(self._open_analyse(self._settings, self._options))

    def analyse(self, items: Sequence[Item]) -> list[Audited]:
        """A result for each item; what fails is a result, too."""
        assert self._runner is not None, "load comes first"
        return [self._runner.one(item, self._options) for item in items]


def pipeline(settings: Settings, options: AuditOptions) -> Analyse:
    """The models and indexes themselves, loaded for these checks."""
    from service.analysis import AnalysisOptions
    from service.articles import ArticleInput
    from service.runtime import WARM_UP, Runtime

    runtime = Runtime(settings)
    runtime.analyser.analyse(ArticleInput(text=WARM_UP), AnalysisOptions(options.checks))
    if "claims" in options.checks:
        # The next worker of this machine reads what this one may have had to build.
        runtime.library.save()
    return runtime.analyser.analyse


def store_id(settings: Settings) -> str:
    """The identity of the database that these settings lead to. Raises StoreError."""
    from service.store import open_store

    store = open_store(settings.database)
    try:
        return store.records.store_id()
    finally:
        store.close()


def tamga_version() -> str:
    """The version of Tamga that is installed here."""
    return version("tamga-newsroom")
