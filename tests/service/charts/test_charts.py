"""Charts: what is drawn, what a screen reader gets, what hostile words do."""

from __future__ import annotations

import math
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from service.charts import (
    SERIES_COLOURS,
    Bar,
    Chart,
    ChartText,
    Point,
    bar_chart,
    grouped_bar_chart,
    line_chart,
)
from service.charts.scale import scale_to

SVG = "{http://www.w3.org/2000/svg}"
WORDS = ChartText(
    title="Үлес",
    description="What is drawn here.",
    category="Outlet",
    value="Share",
    table="Data",
    empty="Nothing yet.",
    interval="95% interval",
    note="Articles",
)
BARS = [Bar("Alpha", 0.04, 0.02, 0.08, "5 of 120"), Bar("Beta", 0.0, 0.0, 0.03, "0 of 90")]
MONTHS = [Point("2026-01", 0.1, 0.05, 0.2), Point("2026-02", None), Point("2026-03", 0.2, 0.1, 0.3)]


def percent(value: float) -> str:
    return f"{value:.0%}"


def cells(chart: Chart) -> list[list[str]]:
    rows = html.fragment_fromstring(chart.table).xpath(".//tr")
    return [[cell.text_content() for cell in row.xpath("./th|./td")] for row in rows]


def luminance(colour: str) -> float:
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("ground", ["#ffffff", "#f4f4f4", "#121212", "#1c1f24"])
@pytest.mark.parametrize("colour", SERIES_COLOURS)
def test_every_colour_stands_out_on_light_and_dark_grounds(colour: str, ground: str) -> None:
    brighter, darker = sorted((luminance(colour), luminance(ground)), reverse=True)
    assert (brighter + 0.05) / (darker + 0.05) >= 3


def test_a_drawing_has_a_name_a_description_and_its_numbers_in_a_table() -> None:
    chart = bar_chart(BARS, WORDS, chart_id="shares", format_value=percent)
    root = ET.fromstring(chart.svg)
    assert root.get("role") == "img"
    named = [root.find(f"{SVG}title"), root.find(f"{SVG}desc")]
    assert [element.text for element in named] == ["Үлес", "What is drawn here."]
    assert root.get("aria-labelledby") == " ".join(element.get("id") for element in named)
    assert cells(chart) == [
        ["Outlet", "Share", "95% interval", "Articles"],
        ["Alpha", "4%", "2% – 8%", "5 of 120"],
        ["Beta", "0%", "0% – 3%", "0 of 90"],
    ]
    assert chart.svg in chart.figure
    assert chart.table in chart.figure


def test_bars_are_as_long_as_their_values() -> None:
    chart = bar_chart([Bar("a", 1.0), Bar("b", 0.5), Bar("c", 0.25)], WORDS, chart_id="c")
    widths = [float(rect.get("width")) for rect in ET.fromstring(chart.svg).iter(f"{SVG}rect")]
    assert widths == pytest.approx([widths[0], widths[0] / 2, widths[0] / 4], rel=1e-4)
    assert widths[0] > 300


def test_groups_have_one_row_and_miss_what_is_missing() -> None:
    series = {"human": [Bar("one", 3), Bar("two", 1)], "machine": [Bar("two", 2)]}
    chart = grouped_bar_chart(series, WORDS, chart_id="g")
    assert cells(chart) == [["Outlet", "human", "machine"], ["one", "3", ""], ["two", "1", "2"]]
    fills = [rect.get("fill") for rect in ET.fromstring(chart.svg).iter(f"{SVG}rect")]
    assert fills == [*SERIES_COLOURS[:2], SERIES_COLOURS[0], *SERIES_COLOURS[:2]]


def test_a_line_has_a_gap_where_nothing_is_known() -> None:
    full = [Point(point.label, 0.1) for point in MONTHS]
    chart = line_chart({"x": MONTHS, "y": full}, WORDS, chart_id="l", format_value=percent)
    lines = [
        path for path in ET.fromstring(chart.svg).iter(f"{SVG}path") if path.get("stroke-width") == "2.5"
    ]
    assert [path.get("d").count("L") for path in lines] == [2]
    assert cells(chart)[2] == ["2026-02", "", "", "10%", ""]


def test_many_periods_are_not_all_named() -> None:
    points = [Point(f"20{year:02}-{month:02}", 1.0) for year in range(10) for month in range(1, 13)]
    chart = line_chart({"x": points}, WORDS, chart_id="l")
    named = [text.text for text in ET.fromstring(chart.svg).iter(f"{SVG}text") if text.text.startswith("20")]
    assert 4 <= len(named) <= 12
    assert len(cells(chart)) == 121


def test_without_data_there_are_words_instead() -> None:
    for chart in (
        bar_chart([], WORDS, chart_id="e"),
        grouped_bar_chart({"a": []}, WORDS, chart_id="e"),
        line_chart({"a": [Point("2026", None)]}, WORDS, chart_id="e"),
    ):
        assert chart.svg == ""
        assert "Nothing yet." in chart.figure


@settings(deadline=None)
@given(st.text(min_size=1))
def test_whatever_a_label_holds_it_stays_text(label: str) -> None:
    hostile = label + '"><script>alert(1)</script>&amp;\x00\ud800'
    words = ChartText(hostile, hostile, hostile, hostile, hostile, hostile, hostile, hostile)
    for chart in (
        bar_chart([Bar(hostile, 1, 0, 2, hostile)], words, chart_id="h"),
        line_chart({hostile: [Point(hostile, 1, 0, 2, hostile)]}, words, chart_id="h"),
    ):
        chart.figure.encode()
        root = ET.fromstring(chart.svg)
        assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
            "svg", "title", "desc", "g", "rect", "path", "line", "text",
        }  # fmt: skip
        assert html.fragment_fromstring(chart.figure).xpath("//script") == []


@settings(deadline=None)
@given(st.floats(min_value=0, max_value=1e12, allow_subnormal=False))
def test_a_scale_holds_its_greatest_value_in_few_round_steps(greatest: float) -> None:
    scale = scale_to(greatest, 0, 100)
    assert scale.top >= greatest * (1 - 1e-6)
    assert 2 <= len(scale.ticks) <= 7
    assert 0 <= scale.place(greatest) <= 100
    assert scale.place(0) == 0


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(ValueError, match="zero"):
        bar_chart([Bar("a", -1)], WORDS, chart_id="x")
    with pytest.raises(ValueError, match="can be drawn"):
        bar_chart([Bar("a", math.nan)], WORDS, chart_id="x")
    with pytest.raises(ValueError, match="at most 6"):
        grouped_bar_chart({str(n): [Bar("a", 1)] for n in range(7)}, WORDS, chart_id="x")
    with pytest.raises(ValueError, match="same periods"):
        line_chart({"a": MONTHS, "b": MONTHS[:1]}, WORDS, chart_id="x")
    with pytest.raises(ValueError, match="not an id"):
        bar_chart(BARS, WORDS, chart_id="a b")
