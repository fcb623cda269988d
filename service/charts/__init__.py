"""Charts drawn on the server as accessible SVG, each with the table of its data behind it.

No script, no style sheet and no request is needed: text and axes take the colour of the page around them
(`currentColor`), marks have colours that stand out on light and dark grounds alike. Every word is the
caller's, so a chart speaks the language of its page.

    from service.charts import Bar, ChartText, bar_chart

    chart = bar_chart(
        [Bar("Mysal gazeti", 0.04, low=0.02, high=0.08, note="5 of 120"), Bar("Example", 0.0, 0.0, 0.03)],
        ChartText(
            title="Flagged articles by outlet",
            description="Share of articles that the detector flagged, with 95% intervals.",
            category="Outlet", value="Flagged", interval="95% interval", note="Articles", table="Data",
            empty="No article was judged.",
        ),
        chart_id="by-outlet",
        format_value=lambda value: f"{value:.0%}",
    )
    chart.figure   # Markup: <figure> with the drawing and, folded, its table; for a Jinja2 template
    chart.svg      # the drawing alone (a whole SVG document: it may also be a file of its own)
    chart.table    # the table alone

`grouped_bar_chart` puts several series beside each other, `line_chart` draws them over time.
"""

from service.charts.bars import Bar, bar_chart, grouped_bar_chart
from service.charts.chart import Chart, ChartText
from service.charts.lines import Point, line_chart
from service.charts.palette import SERIES_COLOURS

__all__ = [
    "SERIES_COLOURS",
    "Bar",
    "Chart",
    "ChartText",
    "Point",
    "bar_chart",
    "grouped_bar_chart",
    "line_chart",
]
