"""Horizontal bars, with intervals where there are any: alone, or several series beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from service.charts.chart import (
    CHARACTER_WIDTH,
    Chart,
    ChartText,
    Drawing,
    FormatValue,
    add,
    empty_chart,
    figure_of,
    interval_text,
    legend,
    number_text,
    short,
    table_of,
)
from service.charts.palette import MAX_SERIES, SERIES_COLOURS
from service.charts.scale import Scale, scale_to

BAR: Final = 16
GAP: Final = 10
_AXIS: Final = 44


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar from 0 to `value`, which is not negative; `low` and `high` are the ends of its interval.
    `note` says what it rests on, such as "5 of 120".
    """

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    note: str = ""


def bar_chart(
    bars: Sequence[Bar],
    text: ChartText,
    *,
    chart_id: str,
    format_value: FormatValue = number_text,
    width: int = 640,
) -> Chart:
    """One bar under the other, in the order given. `chart_id` must be unique on the page.

    Raises ValueError for values that are negative or not finite.
    """
    if not bars:
        return empty_chart(text, chart_id)
    return _draw({text.value: bars}, text, chart_id, format_value, width)


def grouped_bar_chart(
    series: Mapping[str, Sequence[Bar]],
    text: ChartText,
    *,
    chart_id: str,
    format_value: FormatValue = number_text,
    width: int = 640,
) -> Chart:
    """Bars of several series beside each other, grouped by their labels; the first series sets the order.

    Raises ValueError for more than six series (nobody could tell them apart) and for impossible values.
    """
    if len(series) > MAX_SERIES:
        raise ValueError(f"at most {MAX_SERIES} series can be told apart, not {len(series)}")
    if not any(series.values()):
        return empty_chart(text, chart_id)
    return _draw(series, text, chart_id, format_value, width)


def _draw(
    series: Mapping[str, Sequence[Bar]],
    text: ChartText,
    chart_id: str,
    format_value: FormatValue,
    width: int,
) -> Chart:
    several = len(series) > 1
    labels = list(dict.fromkeys(bar.label for bars in series.values() for bar in bars))
    named = [{bar.label: bar for bar in bars} for bars in series.values()]
    everything = [bar for bars in series.values() for bar in bars]
    greatest = max(max(bar.value, bar.high or 0.0) for bar in everything)
    if any(bar.value < 0 or (bar.low or 0.0) < 0 for bar in everything):
        raise ValueError("bars are drawn from zero to positive values")
    names = max(len(short(label)) for label in labels) * CHARACTER_WIDTH + 14
    values = max(len(format_value(bar.value)) for bar in everything) * CHARACTER_WIDTH + 16
    top = 30 if several else 8
    group = len(series) * BAR + GAP
    bottom = top + len(labels) * group
    drawing = Drawing(text, chart_id, width, bottom + _AXIS)
    scale = scale_to(greatest, names, width - values)
    _axis(drawing, scale, top, bottom, text.value, format_value)
    if several:
        legend(drawing, list(series), SERIES_COLOURS[: len(series)], names, 14)
    for row, label in enumerate(labels):
        y = top + row * group + GAP / 2
        drawing.text(names - 8, y + len(series) * BAR / 2 + 4.5, short(label), anchor="end")
        for number, (name, bars) in enumerate(zip(series, named, strict=True)):
            bar = bars.get(label)
            if bar is not None:
                told = _told(bar, name if several else "", format_value)
                _bar(drawing, scale, bar, y + number * BAR, SERIES_COLOURS[number], told, format_value)
    return figure_of(text, drawing.markup(), _table(series, text, format_value), chart_id)


def _axis(
    drawing: Drawing, scale: Scale, top: float, bottom: float, words: str, format_value: FormatValue
) -> None:
    for tick in scale.ticks:
        x = scale.place(tick)
        drawing.line(x, top, x, bottom, stroke_opacity="1" if tick == 0 else "0.18")
        drawing.text(x, bottom + 17, format_value(tick), anchor="middle")
    drawing.text((scale.start + scale.end) / 2, bottom + 36, words, anchor="middle")


def _bar(
    drawing: Drawing,
    scale: Scale,
    bar: Bar,
    y: float,
    colour: str,
    told: str,
    format_value: FormatValue,
) -> None:
    group = drawing.group(told)
    end = scale.place(bar.value)
    middle = y + BAR / 2
    add(group, "rect", x=scale.start, y=y + 1, width=end - scale.start, height=BAR - 2, fill=colour)
    if bar.low is not None and bar.high is not None:
        low, high = scale.place(bar.low), scale.place(bar.high)
        path = f"M{low:g} {middle - 4:g}v8M{low:g} {middle:g}H{high:g}M{high:g} {middle - 4:g}v8"
        add(group, "path", d=path, stroke="currentColor", stroke_width=1.5, fill="none")
        end = max(end, high)
    drawing.text(end + 6, middle + 4.5, format_value(bar.value), parent=group)


def _told(bar: Bar, series: str, format_value: FormatValue) -> str:
    parts = [bar.label, series, format_value(bar.value), interval_text(bar.low, bar.high, format_value)]
    return ", ".join(part for part in (*parts, bar.note) if part)


def _table(series: Mapping[str, Sequence[Bar]], text: ChartText, format_value: FormatValue) -> Markup:
    several = len(series) > 1
    everything = [bar for bars in series.values() for bar in bars]
    intervals = any(bar.low is not None for bar in everything)
    notes = any(bar.note for bar in everything)
    columns: list[str] = []
    for name in series:
        prefix = f"{name}: " if several else ""
        columns.append(name if several else text.value)
        columns += [prefix + text.interval] if intervals else []
        columns += [prefix + text.note] if notes else []
    rows = []
    for label in dict.fromkeys(bar.label for bar in everything):
        row = [label]
        for bars in series.values():
            bar = next((bar for bar in bars if bar.label == label), None)
            row.append("" if bar is None else format_value(bar.value))
            if intervals:
                row.append("" if bar is None else interval_text(bar.low, bar.high, format_value))
            if notes:
                row.append("" if bar is None else bar.note)
        rows.append(row)
    return table_of(text.title, [text.category, *columns], rows)
