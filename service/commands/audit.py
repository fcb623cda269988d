"""`tamga audit`: many articles, or answers of chat assistants, from JSON Lines to JSON Lines."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TextIO

import typer

from service.commands.jsonl import (
    STANDARD_STREAM,
    InputFile,
    OutputFile,
    Progress,
    count_lines,
    open_input,
    open_output,
    write_line,
)
from service.commands.progress import progress_bar
from service.commands.session import open_runtime


def audit(
    source: InputFile,
    out: OutputFile = "-",
    checks: Annotated[str, typer.Option(help="Comma-separated: origin, claims.")] = "origin,claims",
    fpr: Annotated[float | None, typer.Option(min=0.0001, max=0.5, help="Accepted false-alarm rate.")] = None,
    store: Annotated[bool, typer.Option("--store", help="Keep the articles and their Analyses.")] = False,
    report: Annotated[
        Path | None,
        typer.Option(metavar="REPORT.html", help="Also write a report, and its figures as REPORT.csv."),
    ] = None,
    progress: Progress = None,
) -> None:
    """Analyse every article of a JSON Lines file; one line out per line in, in order."""
    from service.analysis import ALL_CHECKS
    from service.audits.items import AuditArticle, AuditOptions, items_of
    from service.audits.report import ReportHead, Tally, figures_csv, report_page
    from service.audits.runner import LocalRunner
    from service.lines import read_lines

    asked = [name.strip() for name in checks.split(",") if name.strip()]
    if not asked or not set(asked) <= set(ALL_CHECKS):
        raise typer.BadParameter(f"--checks takes {', '.join(ALL_CHECKS)}; got {checks!r}")
    if report is not None and report.suffix == ".csv":
        raise typer.BadParameter("--report names the page; its figures are written beside it as .csv")
    options = AuditOptions(tuple(name for name in ALL_CHECKS if name in asked), fpr, store)
    with ExitStack() as stack:
        incoming = open_input(stack, source)
        outgoing = open_output(stack, out)
        page = None if report is None else stack.enter_context(_opened(report))
        figures = None if report is None else stack.enter_context(_opened(report.with_suffix(".csv")))
        runtime = stack.enter_context(open_runtime(progress))
        bar = stack.enter_context(progress_bar("audit", total=count_lines(incoming), shown=progress))
        tally = Tally()
        items = items_of(read_lines(incoming, AuditArticle, unique_ids=True))
        for audited in LocalRunner(runtime.analyser.analyse).run(items, options):
            write_line(outgoing, dict(audited.result))
            outgoing.flush()
            bar.update(1)
            tally.add(audited.facts)
        if page is not None and figures is not None:
            head = ReportHead(
                title="Audit",
                source="standard input" if source == STANDARD_STREAM else Path(source).name,
                made_at=datetime.now(UTC),
                checks=options.checks,
                target_fpr=fpr if fpr is not None else runtime.settings.target_fpr,
            )
            page.write(report_page(tally, head))
            figures.write(figures_csv(tally))


def _opened(path: Path) -> TextIO:
    try:
        return path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise typer.BadParameter(f"cannot write {path}: {error.strerror}") from error
