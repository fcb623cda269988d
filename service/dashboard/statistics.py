"""Statistics: what the detector said by language, outlet and month, and how long the queue waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from service.api.access import requires
from service.api.state import Worker
from service.audits.report.tally import Rate
from service.charts import Bar, Chart, ChartText, Point, bar_chart, line_chart
from service.dashboard.i18n import Formats, marked
from service.dashboard.pages import Page, PageDep
from service.dashboard.words import ABSTAINED
from service.runtime import Runtime
from service.store.statistics import OriginCount, origin_counts, waiting_since

router = APIRouter(prefix="/dashboard/statistics", include_in_schema=False)

MOST_OUTLETS: Final = 15
PERIODS: Final = (
    (30, marked("The last 30 days")),
    (90, marked("The last 90 days")),
    (365, marked("The last year")),
)
AGES: Final = (
    (timedelta(hours=1), marked("Up to an hour")),
    (timedelta(hours=8), marked("Up to 8 hours")),
    (timedelta(days=1), marked("Up to a day")),
    (timedelta(days=7), marked("Up to a week")),
    (None, marked("Longer")),
)


@router.get("", dependencies=[requires("articles:read")])
async def statistics(
    page: PageDep, worker: Worker, days: Annotated[int, Query(ge=1, le=3_650)] = 90
) -> Response:
    """Shares with 95% intervals, each chart with its table."""
    now = datetime.now(UTC)
    limits = [now - age for age, _ in AGES if age is not None]

    def read(runtime: Runtime) -> tuple[Sequence[OriginCount], list[int]]:
        database = runtime.store.database
        return origin_counts(database, now - timedelta(days=days)), waiting_since(database, limits)

    counts, waiting = await worker.read(read)
    judged, abstained = sum(item.judged for item in counts), sum(item.abstained for item in counts)
    flagged = sum(item.flagged for item in counts)
    return page.render(
        "statistics.html",
        tab="statistics",
        days=days,
        periods=[(number, page.gettext(words)) for number, words in PERIODS],
        analysed=judged + abstained,
        flagged=Rate(flagged, judged),
        abstained=Rate(abstained, judged + abstained),
        waiting=sum(waiting),
        charts=_Charts(page).all(counts, waiting),
    )


class _Charts:
    """The charts in the language of a page."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._formats = Formats(page.locale)

    def all(self, counts: Sequence[OriginCount], waiting: Sequence[int]) -> list[Chart]:
        _, formats = self._page.gettext, self._formats
        return [
            self._rates(
                "by-language",
                _(marked("Flagged by language")),
                _(marked("Language")),
                _grouped(counts, lambda item: formats.language(item.language)),
            ),
            self._rates(
                "by-outlet",
                _(marked("Flagged by outlet")),
                _(marked("Outlet")),
                _grouped(counts, lambda item: item.outlet or _(marked("No outlet given")))[:MOST_OUTLETS],
            ),
            self._months(counts),
            self._counts(
                "abstentions",
                _(marked("Abstentions by reason")),
                _(marked("Reason")),
                self._reasons(counts),
            ),
            self._counts(
                "waiting",
                _(marked("Waiting for a reviewer")),
                _(marked("Age")),
                [(_(words), count) for (_age, words), count in zip(AGES, waiting, strict=True)],
            ),
        ]

    def _rates(self, chart_id: str, title: str, category: str, groups: list[tuple[str, Rate]]) -> Chart:
        bars = [
            Bar(name, rate.share, *rate.interval, note=self._of(rate)) for name, rate in groups if rate.of
        ]
        return bar_chart(
            bars, self._rate_text(title, category), chart_id=chart_id, format_value=self._percent
        )

    def _months(self, counts: Sequence[OriginCount]) -> Chart:
        _ = self._page.gettext
        points = [
            Point(month, rate.share, *rate.interval, note=self._of(rate))
            for month, rate in sorted(_grouped(counts, lambda item: item.month))
            if rate.of
        ]
        text = self._rate_text(_(marked("Flagged by month")), _(marked("Month")))
        series = {_(marked("Flagged")): points} if points else {}
        return line_chart(series, text, chart_id="by-month", format_value=self._percent)

    def _counts(self, chart_id: str, title: str, category: str, rows: Iterable[tuple[str, int]]) -> Chart:
        _ = self._page.gettext
        text = ChartText(
            title=title,
            description=title,
            category=category,
            value=_(marked("Articles")),
            table=_(marked("Data")),
            empty=_(marked("Nothing to count yet.")),
        )
        counted = list(rows)
        if not any(count for _name, count in counted):
            counted = []
        bars = [Bar(name, float(count)) for name, count in counted]
        return bar_chart(bars, text, chart_id=chart_id, format_value=self._formats.number)

    def _rate_text(self, title: str, category: str) -> ChartText:
        _ = self._page.gettext
        return ChartText(
            title=title,
            description=_(marked("Share of the judged articles that the detector flagged, with intervals.")),
            category=category,
            value=_(marked("Flagged")),
            interval=_(marked("%(share)s interval"), share=self._formats.percent(0.95)),
            note=_(marked("Articles")),
            table=_(marked("Data")),
            empty=_(marked("Nothing to count yet.")),
        )

    def _reasons(self, counts: Sequence[OriginCount]) -> list[tuple[str, int]]:
        found: Counter[str] = Counter()
        for item in counts:
            found.update(item.reasons)
        named = ((self._page.gettext(ABSTAINED.get(reason, reason)), n) for reason, n in found.most_common())
        return [(words.rstrip("."), count) for words, count in named]

    def _of(self, rate: Rate) -> str:
        return f"{self._formats.number(rate.hits)} / {self._formats.number(rate.of)}"

    def _percent(self, share: float) -> str:
        return self._formats.percent(share, 1)


def _grouped(counts: Sequence[OriginCount], name: Callable[[OriginCount], str]) -> list[tuple[str, Rate]]:
    """A rate per name, those with most articles first."""
    hits: Counter[str] = Counter()
    of: Counter[str] = Counter()
    for item in counts:
        hits[name(item)] += item.flagged
        of[name(item)] += item.judged
    return [(known, Rate(hits[known], total)) for known, total in of.most_common()]
