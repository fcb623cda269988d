"""Lines over time, with the band of their intervals where there are any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final
from xml.etree.ElementTree import Element

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
    table_of,
)
from service.charts.palette import MAX_SERIES, SERIES_COLOURS
from service.charts.scale import scale_to

HEIGHT: Final = 200
_AXIS: Final = 44
# Beside its colour each line has marks of its own shape.
_SHAPES: Final = (
    "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0",
    "m-4-4h8v8h-8z",
    "m0-5l5 9h-10z",
    "m0-5.5l5.5 5.5l-5.5 5.5l-5.5-5.5z",
    "m0 5l5-9h-10z",
    "m-5-2h3v-3h4v3h3v4h-3v3h-4v-3h-3z",
)


@dataclass(frozen=True, slots=True)
class Point:
    """The value of one period; None where there is none: the line has a gap there. `low` and `high` are the
    ends of its interval, `note` says what it rests on.
    """

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Placed:
    x: float
    y: float
    point: Point


def line_chart(
    series: Mapping[str, Sequence[Point]],
    text: ChartText,
    *,
    chart_id: str,
    format_value: FormatValue = number_text,
    width: int = 640,
) -> Chart:
    """One line for each series. All series have the same periods in the same order, evenly spaced.

    `chart_id` must be unique on the page. Raises ValueError for more than six series, for periods that
    differ, and for values that are negative or not finite.
    """
    if len(series) > MAX_SERIES:
        raise ValueError(f"at most {MAX_SERIES} series can be told apart, not {len(series)}")
    known = [point for points in series.values() for point in points if point.value is not None]
    if not known:
        return empty_chart(text, chart_id)
    periods = [point.label for point in next(iter(series.values()))]
    if any([point.label for point in points] != periods for points in series.values()):
        raise ValueError("every series must have the same periods")
    if any((point.value or 0.0) < 0 for point in known):
        raise ValueError("lines are drawn over positive values")
    top = 34 if len(series) > 1 else 12
    bottom = top + HEIGHT
    scale = scale_to(max(max(point.value or 0.0, point.high or 0.0) for point in known), bottom, top)
    left = max(len(format_value(tick)) for tick in scale.ticks) * CHARACTER_WIDTH + 12
    drawing = Drawing(text, chart_id, width, bottom + _AXIS)
    for tick in scale.ticks:
        y = scale.place(tick)
        drawing.line(left, y, width - 10, y, stroke_opacity="1" if tick == 0 else "0.18")
        drawing.text(left - 6, y + 4.5, format_value(tick), anchor="end")
    places = _places(len(periods), left + 24, width - 34)
    for x, label in _shown(places, periods):
        drawing.text(x, bottom + 17, label, anchor="middle")
    drawing.text((left + width) / 2, bottom + 36, text.category, anchor="middle")
    if len(series) > 1:
        legend(drawing, list(series), SERIES_COLOURS[: len(series)], left, 14)
    for number, (name, points) in enumerate(series.items()):
        placed = [
            None if point.value is None else _Placed(x, scale.place(point.value), point)
            for x, point in zip(places, points, strict=True)
        ]
        bands = [
            (item.x, scale.place(item.point.low or 0.0), scale.place(item.point.high or 0.0))
            for item in placed
            if item is not None and item.point.low is not None and item.point.high is not None
        ]
        colour = SERIES_COLOURS[number]
        _intervals(drawing, bands, colour, offset=(number - (len(series) - 1) / 2) * 5)
        for stretch in _stretches(placed):
            path = "M" + "L".join(f"{item.x:g} {item.y:g}" for item in stretch)
            add(drawing.root, "path", d=path, stroke=colour, stroke_width=2.5, fill="none")
        for item in placed:
            if item is not None:
                told = _told(item.point, name if len(series) > 1 else "", format_value)
                _mark(drawing.group(told), item, _SHAPES[number], colour)
    return figure_of(text, drawing.markup(), _table(series, text, format_value), chart_id)


def _places(count: int, start: float, end: float) -> list[float]:
    if count == 1:
        return [(start + end) / 2]
    return [start + number * (end - start) / (count - 1) for number in range(count)]


def _shown(places: Sequence[float], periods: Sequence[str]) -> Iterator[tuple[float, str]]:
    """The periods that are named under the axis: as many as there is room for, evenly spaced."""
    room = max(len(label) for label in periods) * CHARACTER_WIDTH + 14
    apart = places[1] - places[0] if len(places) > 1 else room
    step = max(1, -(-room // apart))
    yield from (
        (x, label)
        for number, (x, label) in enumerate(zip(places, periods, strict=True))
        if number % step == 0
    )


def _stretches(placed: Sequence[_Placed | None]) -> Iterator[list[_Placed]]:
    for known, items in groupby(placed, key=lambda item: item is not None):
        stretch = [item for item in items if item is not None]
        if known and len(stretch) > 1:
            yield stretch


def _intervals(
    drawing: Drawing, bands: Sequence[tuple[float, float, float]], colour: str, *, offset: float
) -> None:
    for x, low, high in bands:
        at = x + offset
        path = f"M{at - 3:g} {low:g}h6M{at:g} {low:g}V{high:g}M{at - 3:g} {high:g}h6"
        add(drawing.root, "path", d=path, stroke=colour, stroke_width=1.5, fill="none")


def _mark(group: Element, item: _Placed, shape: str, colour: str) -> None:
    add(group, "path", d=f"M{item.x:g} {item.y:g}{shape}", fill=colour)


def _told(point: Point, series: str, format_value: FormatValue) -> str:
    value = "" if point.value is None else format_value(point.value)
    interval = interval_text(point.low, point.high, format_value)
    return ", ".join(part for part in (point.label, series, value, interval, point.note) if part)


def _table(series: Mapping[str, Sequence[Point]], text: ChartText, format_value: FormatValue) -> Markup:
    several = len(series) > 1
    everything = [point for points in series.values() for point in points]
    intervals = any(point.low is not None for point in everything)
    notes = any(point.note for point in everything)
    headings = [text.category]
    for name in series:
        prefix = f"{name}: " if several else ""
        headings.append(name if several else text.value)
        headings += [prefix + text.interval] if intervals else []
        headings += [prefix + text.note] if notes else []
    rows = []
    for row_points in zip(*series.values(), strict=True):
        row = [row_points[0].label]
        for point in row_points:
            row.append("" if point.value is None else format_value(point.value))
            if intervals:
                row.append(interval_text(point.low, point.high, format_value))
            if notes:
                row.append(point.note)
        rows.append(row)
    return table_of(text.title, headings, rows)
