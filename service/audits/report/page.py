"""The report as one HTML page: no script, no request, readable in the dark and on paper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, Template, select_autoescape

from service.audits.report import charts
from service.audits.report.tally import Rate, Tally

# Tables are for reading; the CSV has every group.
_MOST_ROWS: Final = 200

REASONS: Final = {
    "too_short": "the text is too short",
    "unsupported_language": "the language is not among the nine",
    "not_prose": "it is no running prose",
    "tampered": "the characters of the text were tampered with",
    "too_few_calibration_texts": "too few human texts of this kind to compare with",
}


@dataclass(frozen=True, slots=True)
class ReportHead:
    """What stands above the figures. `complete` False: the audit has not gone through all its items."""

    title: str
    source: str
    made_at: datetime
    checks: tuple[str, ...]
    target_fpr: float
    complete: bool = True
    total: int | None = None


def report_page(tally: Tally, head: ReportHead) -> str:
    """The whole page."""
    drawings: dict[str, Callable[[Tally], Any]] = {}
    if tally.has_origin:
        drawings |= {
            "outlet": charts.by_outlet, "month": charts.by_month, "declared": charts.declared_and_detected,
        }  # fmt: skip
    if tally.has_answers:
        drawings |= {"model": charts.by_model, "country": charts.by_country}
    pairs = [
        {"model": model, "country": country, "items": group.items, "rate": group.rate}
        for (model, country), group in sorted(
            tally.pairs.items(), key=lambda entry: (-entry[1].rate.share, entry[0])
        )
        if group.rate.of
    ]
    return _template().render(
        head=head,
        tally=tally,
        figures={name: draw(tally).figure for name, draw in drawings.items()},
        pairs=pairs[:_MOST_ROWS],
        quotations=tally.quotations,
        declared=[
            (charts.DECLARED[name], tally.declared[name])
            for name in charts.DECLARED
            if name in tally.declared
        ],
        outcomes=charts.OUTCOMES,
        reasons=REASONS,
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("service.audits.report", "."),
        autoescape=select_autoescape(default=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": charts.percent, "interval": _interval, "web": _web_address}
    return environment.get_template("report.html")


def _interval(rate: Rate) -> str:
    low, high = rate.interval
    return f"{charts.percent(low)} – {charts.percent(high)}"


def _web_address(address: str | None) -> str | None:
    """An address that may stand in a link."""
    try:
        return address if address and urlsplit(address).scheme in ("http", "https") else None
    except ValueError:
        return None
