"""What all charts share: the words, the drawing's frame, the table behind it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree as ET

from markupsafe import Markup

# 13 pixels of the page's sans-serif; no text is measured here, so widths are upper estimates.
FONT_SIZE: Final = 13
CHARACTER_WIDTH: Final = 7.6
# Of a name that is cut in the drawing, the whole stands in its tooltip and in the table.
LONGEST_NAME: Final = 26

# What XML cannot hold, whatever the escaping.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")

FormatValue = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class ChartText:
    """The words of a chart, in the language of its page.

    `title` and `description` are what a screen reader says of the drawing. `category` heads the first column
    of the table, `value` the numbers (and names their axis), `interval` and `note` the columns that are there
    only if some entry has them. `table` opens the table; `empty` stands where there is nothing to draw.
    """

    title: str
    description: str
    category: str
    value: str
    table: str
    empty: str
    interval: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: as drawing, as table, and as figure with both."""

    svg: Markup
    table: Markup
    figure: Markup


def number_text(value: float) -> str:
    """The default form of a number: at most three significant places."""
    return f"{value:.3g}"


class Drawing:
    """An SVG under construction, `width` x `height` pixels, named by title and description."""

    def __init__(self, text: ChartText, chart_id: str, width: int, height: float) -> None:
        if not _ID.fullmatch(chart_id):
            raise ValueError(f"not an id for a chart: {chart_id!r}")
        self.root = ET.Element(
            "svg",
            {
                "xmlns": "http://www.w3.org/2000/svg",
                "viewBox": f"0 0 {width} {height:g}",
                "width": str(width),
                "height": f"{height:g}",
                "role": "img",
                "aria-labelledby": f"{chart_id}-title {chart_id}-desc",
                "class": "chart",
                "font-family": "system-ui, sans-serif",
                "font-size": str(FONT_SIZE),
                "fill": "currentColor",
            },
        )
        for tag, words in (("title", text.title), ("desc", text.description)):
            element = ET.SubElement(self.root, tag, {"id": f"{chart_id}-{tag}"})
            element.text = legal(words)

    def group(self, tooltip: str) -> ET.Element:
        """A group of marks; pointing at it shows `tooltip`."""
        group = ET.SubElement(self.root, "g")
        ET.SubElement(group, "title").text = legal(tooltip)
        return group

    def text(
        self, x: float, y: float, words: str, *, anchor: str = "start", parent: ET.Element | None = None
    ) -> None:
        """Words with their baseline at (x, y)."""
        place = {"x": f"{x:g}", "y": f"{y:g}", "text-anchor": anchor}
        ET.SubElement(self.root if parent is None else parent, "text", place).text = legal(words)

    def line(self, x1: float, y1: float, x2: float, y2: float, **style: str) -> None:
        """A line of the frame: an axis or a mark of its scale."""
        place = {"x1": f"{x1:g}", "y1": f"{y1:g}", "x2": f"{x2:g}", "y2": f"{y2:g}"}
        ET.SubElement(self.root, "line", {**place, "stroke": "currentColor", **_attributes(style)})

    def markup(self) -> Markup:
        """The SVG as text."""
        # Built as a tree and escaped by its serialiser.
        return Markup(ET.tostring(self.root, encoding="unicode"))  # noqa: S704


def add(parent: ET.Element, tag: str, **attributes: str | float) -> ET.Element:
    """A mark within a group; underscores in names stand for hyphens."""
    return ET.SubElement(parent, tag, _attributes(attributes))


def legend(drawing: Drawing, names: Sequence[str], colours: Sequence[str], x: float, y: float) -> None:
    """The names of series beside their colours, in one row."""
    for name, colour in zip(names, colours, strict=True):
        add(drawing.root, "rect", x=x, y=y - 10, width=11, height=11, fill=colour)
        shown = short(name)
        drawing.text(x + 16, y, shown)
        x += 16 + len(shown) * CHARACTER_WIDTH + 18


def short(name: str) -> str:
    """A name as long as there is room for."""
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1].rstrip() + "…"


def legal(words: str) -> str:
    """Words without the characters that no XML document can hold."""
    return _ILLEGAL.sub("\ufffd", words)


def table_of(caption: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Markup:
    """The data as HTML; the first column names the rows."""
    head = Markup("").join(Markup('<th scope="col">{}</th>').format(legal(heading)) for heading in headings)
    body = Markup("").join(
        Markup('<tr><th scope="row">{}</th>{}</tr>').format(
            legal(row[0]), Markup("").join(Markup("<td>{}</td>").format(legal(cell)) for cell in row[1:])
        )
        for row in rows
    )
    return Markup(
        '<table class="chart-data"><caption>{}</caption><thead><tr>{}</tr></thead><tbody>{}</tbody></table>'
    ).format(legal(caption), head, body)


def figure_of(text: ChartText, svg: Markup, table: Markup, chart_id: str) -> Chart:
    """Drawing and folded table together."""
    figure = Markup(
        '<figure class="chart-figure" id="{}"><figcaption>{}</figcaption><div class="chart-frame">{}</div>'
        '<details><summary>{}</summary><div class="chart-scroll" tabindex="0" role="region" aria-label="{}">'
        "{}</div></details></figure>"
    ).format(chart_id, legal(text.title), svg, legal(text.table), legal(text.title), table)
    return Chart(svg, table, figure)


def empty_chart(text: ChartText, chart_id: str) -> Chart:
    """In place of a chart for which there is no data."""
    figure = Markup(
        '<figure class="chart-figure" id="{}"><figcaption>{}</figcaption><p>{}</p></figure>'
    ).format(chart_id, legal(text.title), legal(text.empty))
    return Chart(Markup(""), Markup(""), figure)


def interval_text(low: float | None, high: float | None, format_value: FormatValue) -> str:
    """An interval as cell of a table."""
    return "" if low is None or high is None else f"{format_value(low)} – {format_value(high)}"


def _attributes(given: dict[str, str] | dict[str, str | float]) -> dict[str, str]:
    return {
        name.replace("_", "-"): value if isinstance(value, str) else f"{value:g}"
        for name, value in given.items()
    }
