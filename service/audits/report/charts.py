"""The drawings of a report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from service.audits.report.tally import UNKNOWN, Rate, Tally
from service.charts import Bar, Chart, ChartText, Point, bar_chart, grouped_bar_chart, line_chart

MOST_BARS: Final = 20
_MOST_MONTHS: Final = 240
OUTCOMES: Final = {"flagged": "flagged", "not_flagged": "not flagged", "abstained": "abstained"}
DECLARED: Final = {
    UNKNOWN: "nothing declared",
    "none": "no AI",
    "assisted": "assisted",
    "mixed": "mixed",
    "generated": "generated",
    "involved": "AI involved",
}


def percent(value: float) -> str:
    """A share for people."""
    return f"{value * 100:.1f}".removesuffix(".0") + "%"


def chart_text(title: str, description: str, category: str, value: str, note: str = "Count") -> ChartText:
    """Words that all drawings of a report share."""
    return ChartText(
        title=title,
        description=description,
        category=category,
        value=value,
        table="The figures as a table",
        empty="No item was judged here.",
        interval="95% interval",
        note=note,
    )


def by_outlet(tally: Tally) -> Chart:
    """Flag rates of the outlets with most articles."""
    rates = {name: (group.items, group.rate) for name, group in tally.outlets.items()}
    text = chart_text(
        "Flagged articles by outlet",
        "Share of the articles judged that the detector flagged, by outlet, with 95% intervals.",
        "Outlet", "Share flagged", "Flagged of judged",
    )  # fmt: skip
    return bar_chart(_bars(rates, "no outlet named"), text, chart_id="by-outlet", format_value=percent)


def by_month(tally: Tally) -> Chart:
    """Flag rates month by month."""
    known = sorted(month for month in tally.months if month != UNKNOWN)
    points = []
    for month in _months(known):
        group = tally.months.get(month)
        if group is None or not group.judged:
            points.append(Point(month, None))
            continue
        low, high = group.rate.interval
        points.append(Point(month, group.rate.share, low, high, _count(group.rate)))
    text = chart_text(
        "Flagged articles by month",
        "Share of the articles judged that the detector flagged, by month, with 95% intervals.",
        "Month of publication", "Share flagged", "Flagged of judged",
    )  # fmt: skip
    return line_chart({"flagged": points}, text, chart_id="by-month", format_value=percent)


def declared_and_detected(tally: Tally) -> Chart:
    """What was declared beside what was detected."""
    order = [name for name in DECLARED if name in tally.declared]
    series = {
        label: [Bar(DECLARED[name], tally.declared[name][outcome]) for name in order]
        for outcome, label in OUTCOMES.items()
    }
    text = chart_text(
        "Declared and detected",
        "Articles by what their outlet declares about AI and by what the detector found.",
        "Declared", "Articles",
    )  # fmt: skip
    return grouped_bar_chart(series, text, chart_id="declared", format_value=lambda value: f"{value:,.0f}")


def by_model(tally: Tally) -> Chart:
    """How often the answers of each assistant conflict with verified reporting."""
    rates = {name: (group.items, group.rate) for name, group in tally.models.items()}
    return _conflicts(rates, "assistant", "by-model")


def by_country(tally: Tally) -> Chart:
    """How often answers about each country conflict with verified reporting."""
    rates = {name: (group.items, group.rate) for name, group in tally.countries.items()}
    return _conflicts(rates, "country", "by-country")


def _conflicts(rates: Mapping[str, tuple[int, Rate]], what: str, chart_id: str) -> Chart:
    text = chart_text(
        f"Answers that conflict with verified reporting, by {what}",
        "Share of the answers that could be compared with a record in which a statement conflicts with it, "
        f"by {what}, with 95% intervals.",
        what.capitalize(), "Share conflicting", "Conflicting of compared",
    )  # fmt: skip
    return bar_chart(_bars(rates, f"no {what} named"), text, chart_id=chart_id, format_value=percent)


def _bars(rates: Mapping[str, tuple[int, Rate]], unnamed: str) -> list[Bar]:
    """The groups with most items, those with the highest share first; groups of which nothing is known are
    left out.
    """
    known = {name: (items, rate) for name, (items, rate) in rates.items() if rate.of}
    most = _first(known, lambda name: (-known[name][0], name))
    ordered = sorted(most, key=lambda name: (-known[name][1].share, name))
    return [
        Bar(name or unnamed, rate.share, *rate.interval, _count(rate))
        for name, rate in ((name, known[name][1]) for name in ordered)
    ]


def _first(names: Iterable[str], key: Callable[[str], object]) -> list[str]:
    return sorted(names, key=key)[:MOST_BARS]  # type: ignore[arg-type]


def _count(rate: Rate) -> str:
    return f"{rate.hits:,} of {rate.of:,}"


def _months(known: list[str]) -> list[str]:
    """All months from the first to the last; of more than twenty years the last twenty."""
    if not known:
        return []
    first, last = (int(month[:4]) * 12 + int(month[5:7]) - 1 for month in (known[0], known[-1]))
    return [f"{n // 12:04}-{n % 12 + 1:02}" for n in range(max(first, last - _MOST_MONTHS + 1), last + 1)]
