"""The figures of a report as a table for further work."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from service.audits.cells import safe_cell
from service.audits.report.tally import Rate, Tally

HEADING = ("section", "group", "subgroup", "items", "of", "count", "share", "low", "high")


def figures_csv(tally: Tally) -> str:
    """All counts of a tally as CSV, one group a line: `count` of `of` with the share and its 95% interval."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEADING)
    for section, group, subgroup, items, rate in _rows(tally):
        low, high = rate.interval
        shares = [f"{value:.6f}" for value in (rate.share, low, high)] if rate.of else ["", "", ""]
        writer.writerow([section, safe_cell(group), safe_cell(subgroup), items, rate.of, rate.hits, *shares])
    return out.getvalue()


def _rows(tally: Tally) -> Iterator[tuple[str, str, str, int, Rate]]:
    refused = sum(tally.refused.values())
    yield "all", "refused", "", tally.items, Rate(refused, tally.items)
    for name, count in tally.refused.most_common():
        yield "refused", name, "", count, Rate(count, tally.items)
    if tally.has_origin:
        yield "all", "flagged", "", tally.origin.items, tally.origin.rate
        for section, groups in (
            ("outlet", tally.outlets),
            ("month", tally.months),
            ("language", tally.languages),
        ):
            for name in sorted(groups):
                yield section, name, "", groups[name].items, groups[name].rate
        for declared in sorted(tally.declared):
            outcomes = tally.declared[declared]
            for outcome in ("flagged", "not_flagged", "abstained"):
                total = outcomes.total()
                yield "declared", declared, outcome, total, Rate(outcomes[outcome], total)
        for name, count in tally.abstained.most_common():
            yield "abstained", name, "", count, Rate(count, tally.origin.items)
    if tally.answers.items:
        yield "all", "conflicting", "", tally.answers.items, tally.answers.rate
        for name in sorted(tally.models):
            yield "model", name, "", tally.models[name].items, tally.models[name].rate
        for name in sorted(tally.countries):
            yield "country", name, "", tally.countries[name].items, tally.countries[name].rate
        for model, country in sorted(tally.pairs):
            group = tally.pairs[(model, country)]
            yield "model and country", model, country, group.items, group.rate
