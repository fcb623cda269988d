"""Statistics of reviewers: how far they agree, how often they override which model, and their decisions to
train with.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response

from service.api.access import requires
from service.api.state import ModelWorkerDep
from service.audits.report.tally import Rate
from service.charts import Bar, Chart, ChartText, bar_chart
from service.dashboard.i18n import Formats, marked
from service.dashboard.pages import Page, PageDep
from service.dashboard.queue import with_runtime
from service.dashboard.statistics import PERIODS
from service.reviews.agreement import Agreement, agreement_by_language
from service.runtime import Runtime

router = APIRouter(prefix="/dashboard/statistics/reviewers", include_in_schema=False)

# With fewer, one more opinion could turn a figure around; the counts are shown all the same.
FEWEST: Final = 10


@dataclass(frozen=True, slots=True)
class AgreementLine:
    """Agreement in one language, or in all."""

    name: str
    found: Agreement
    total: bool = False

    @property
    def few(self) -> bool:
        return self.found.reviews < FEWEST

    @property
    def rate(self) -> Rate:
        return Rate(self.found.agreeing, self.found.reviews)


@dataclass(frozen=True, slots=True)
class VersionLine:
    """What persons decided against one version of a model, in one language. `version` is None where a review
    was opened without that model.
    """

    version: str | None
    language: str
    against: Rate

    @property
    def few(self) -> bool:
        return self.against.of < FEWEST


@router.get("", dependencies=[requires("reviews:read")])
async def reviewers(
    page: PageDep, worker: ModelWorkerDep, days: Annotated[int, Query(ge=1, le=3_650)] = 90
) -> Response:
    """Agreement by language, and overrides by version and language; too few are counted and not judged."""
    since = datetime.now(UTC) - timedelta(days=days)

    def read(runtime: Runtime) -> tuple[Agreement, dict[str, Agreement], Sequence[Any]]:
        reviews = runtime.store.reviews
        everything, by_language = agreement_by_language(reviews.double_judged(since))
        return everything, by_language, reviews.overrides(since)

    everything, by_language, overrides = await with_runtime(worker, read)
    detector = _lines((row.detector, row.language, row.overridden, row.judged) for row in overrides)
    matches = _lines(
        (row.stance, row.language, row.rejected, row.confirmed + row.rejected) for row in overrides
    )
    return page.render(
        "reviewers.html",
        tab="statistics",
        days=days,
        periods=[(number, page.gettext(words)) for number, words in PERIODS],
        fewest=FEWEST,
        agreement=_agreement(page, everything, by_language),
        detector=detector,
        matches=matches,
        charts=_charts(page, detector, matches),
    )


def _agreement(page: Page, everything: Agreement, by_language: dict[str, Agreement]) -> list[AgreementLine]:
    if not everything.reviews:
        return []
    formats = Formats(page.locale)
    judged = [(formats.language(code), found) for code, found in by_language.items() if found.reviews]
    judged.sort(key=lambda line: (-line[1].reviews, line[0]))
    return [
        AgreementLine(page.gettext(marked("All languages")), everything, total=True),
        *(AgreementLine(name, found) for name, found in judged),
    ]


def _lines(counted: Iterable[tuple[str | None, str, int, int]]) -> list[VersionLine]:
    """A line per version and language, of (version, language, decided against, of); the newest version's name
    comes last, languages with most decisions first.
    """
    against: Counter[tuple[str | None, str]] = Counter()
    of: Counter[tuple[str | None, str]] = Counter()
    for version, language, hits, total in counted:
        against[version, language] += hits
        of[version, language] += total
    lines = [
        VersionLine(version, language, Rate(against[version, language], total))
        for (version, language), total in of.items()
        if total
    ]
    return sorted(lines, key=lambda line: (line.version or "", -line.against.of, line.language))


def _charts(page: Page, detector: Sequence[VersionLine], matches: Sequence[VersionLine]) -> dict[str, Chart]:
    """The share decided against each version, in all languages; none where there are too few."""
    _, formats = page.gettext, Formats(page.locale)

    def chart(name: str, title: str, description: str, value: str, lines: Sequence[VersionLine]) -> Chart:
        text = ChartText(
            title=title,
            description=description,
            category=_(marked("Version")),
            value=value,
            interval=_(marked("%(share)s interval"), share=formats.percent(0.95)),
            note=_(marked("Opinions")),
            table=_(marked("Data")),
            empty=_(marked("Nothing to count yet.")) if not lines else _(marked("Too few for a figure")),
        )
        bars = [
            Bar(
                version or _(marked("Not known")),
                rate.share,
                *rate.interval,
                note=f"{formats.number(rate.hits)} / {formats.number(rate.of)}",
            )
            for version, rate in _by_version(lines)
            if rate.of >= FEWEST
        ]
        return bar_chart(bars, text, chart_id=name, format_value=lambda share: formats.percent(share, 1))

    return {
        "detector": chart(
            "overridden",
            _(marked("Decided against the detector")),
            _(marked("Share of the judged origins where a person set aside what the machine said.")),
            _(marked("Overridden")),
            detector,
        ),
        "matches": chart(
            "rejected",
            _(marked("Rejected matches")),
            _(marked("Share of the judged matches that a person rejected.")),
            _(marked("Rejected")),
            matches,
        ),
    }


def _by_version(lines: Sequence[VersionLine]) -> list[tuple[str | None, Rate]]:
    found: dict[str | None, Rate] = {}
    for line in lines:
        known = found.get(line.version, Rate(0, 0))
        found[line.version] = Rate(known.hits + line.against.hits, known.of + line.against.of)
    return list(found.items())
