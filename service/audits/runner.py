"""Running an audit: items in, results out, one for each and in order.

`Runner` is what every engine offers: the one here works in this process, one item after the other, on
whatever analyses an article (the models themselves for the command line, the queue before them in the
service). An engine that spreads items over machines keeps to the same interface.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from service.analysis import AnalysisOptions
from service.analysis_models import Analysis, CheckName
from service.articles import ArticleInput
from service.audits.cache import ResultCache, content_key
from service.audits.facts import facts_of
from service.audits.items import AuditOptions, Item
from service.lines import as_tamga_error

Analyse = Callable[[ArticleInput, AnalysisOptions], Analysis]


@dataclass(frozen=True, slots=True)
class Audited:
    """An item's `result`, as its output line, and its `facts` for the report. `refused`: the result is an
    error; `reused`: an earlier item was the same, and nothing was computed.
    """

    number: int
    result: Mapping[str, Any]
    facts: Mapping[str, Any]
    refused: bool = False
    reused: bool = False


class Runner(Protocol):
    """Analyses items. One result for each item, in the order of the items, whatever becomes of it."""

    def run(self, items: Iterable[Item], options: AuditOptions) -> Iterator[Audited]:
        """The results, as they come."""


class LocalRunner:
    """Analyses in this process, one item after the other. Texts that come again are analysed once.

    `analyse` answers or raises; what it raises becomes the result of the item, unless it is no `Exception`:
    that interrupts the run.
    """

    def __init__(self, analyse: Analyse, cache: ResultCache | None = None) -> None:
        self._analyse = analyse
        self._cache = cache or ResultCache()

    def run(self, items: Iterable[Item], options: AuditOptions) -> Iterator[Audited]:
        """See `Runner`."""
        for item in items:
            yield self.one(item, options)

    def one(self, item: Item, options: AuditOptions) -> Audited:
        """The result of one item."""
        if item.source is None:
            return refusal(item, item.error or {})
        # What is stored is stored once for each item.
        key = None if options.store else content_key(item.source, options)
        found = None if key is None else self._cache.get(key)
        reused = found is not None
        if found is None:
            asked = AnalysisOptions(options.checks, options.target_fpr, store=options.store)
            try:
                analysis = self._analyse(item.source, asked)
            except Exception as error:
                return refusal(item, as_tamga_error(error).as_error())
            found = analysis.model_dump(mode="json", include=_fields(options.checks))
            if key is not None:
                self._cache.put(key, found)
        result = {"id": item.id, **found}
        return Audited(item.number, result, facts_of(item, result), reused=reused)


def refusal(item: Item, error: Mapping[str, str]) -> Audited:
    """The result of an item that has no answer."""
    result = {"id": item.id, "error": error}
    return Audited(item.number, result, facts_of(item, result), refused=True)


def _fields(checks: Collection[CheckName]) -> set[str]:
    fields = {"language", "script", "text", "truncated"}
    if "origin" in checks:
        fields.add("origin")
    if "claims" in checks:
        fields |= {
            "claims",
            "claims_status",
            "claims_reason",
            "related_records",
            "near_duplicates",
            "index_generation",
        }
    return fields
