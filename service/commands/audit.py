"""`tamga audit`: many articles, or answers of chat assistants, from a file or folder to JSON Lines."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Literal, TextIO

import typer

from service.commands.jsonl import (
    STANDARD_STREAM,
    OutputFile,
    Progress,
    open_input,
    open_output,
    write_line,
)
from service.commands.progress import progress_bar
from service.commands.session import open_runtime

if TYPE_CHECKING:
    from service.analysis_models import CheckName
    from service.audits.items import Item
    from service.audits.report import Tally
    from service.audits.runner import Runner
    from service.runtime import Runtime

Engine = Literal["local", "ray"]


def audit(
    source: Annotated[
        str,
        typer.Argument(
            metavar="IN",
            help="JSON Lines, CSV or Parquet file, a folder of them, or - for JSON Lines on standard input.",
        ),
    ],
    out: OutputFile = "-",
    checks: Annotated[str, typer.Option(help="Comma-separated: origin, claims.")] = "origin,claims",
    fpr: Annotated[float | None, typer.Option(min=0.0001, max=0.5, help="Accepted false-alarm rate.")] = None,
    store: Annotated[bool, typer.Option("--store", help="Keep the articles and their Analyses.")] = False,
    report: Annotated[
        Path | None,
        typer.Option(metavar="REPORT.html", help="Also write a report, and its figures as REPORT.csv."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Keep the results that --out holds, and go on behind them.")
    ] = False,
    engine: Annotated[
        Engine, typer.Option(help="local: in this process; ray: on workers, here or in a Ray cluster.")
    ] = "local",
    address: Annotated[
        str | None,
        typer.Option(help="Ray cluster, such as auto or HOST:6379; by default one is started here."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=100_000, help="Ray workers; by default one for each CPU.")
    ] = None,
    progress: Progress = None,
) -> None:
    """Analyse every article of a file or folder; one line out per article, in order."""
    from service.analysis import ALL_CHECKS
    from service.audits.facts import facts_of
    from service.audits.items import AuditOptions
    from service.audits.report import Tally
    from service.audits.resume import kept_results

    asked = [name.strip() for name in checks.split(",") if name.strip()]
    if not asked or not set(asked) <= set(ALL_CHECKS):
        raise typer.BadParameter(f"--checks takes {', '.join(ALL_CHECKS)}; got {checks!r}")
    if report is not None and report.suffix == ".csv":
        raise typer.BadParameter("--report names the page; its figures are written beside it as .csv")
    _check_files(source, out, resume)
    _check_engine(engine, address, workers, store)
    with ExitStack() as stack:
        items, total = _items(stack, source)
        runtime = stack.enter_context(open_runtime(progress))
        # One rate for all, whatever is changed meanwhile.
        target_fpr = fpr if fpr is not None else runtime.policy.target_fpr()
        options = AuditOptions(tuple(name for name in ALL_CHECKS if name in asked), target_fpr, store)
        tally = Tally()
        bar = stack.enter_context(progress_bar("audit", total=total, shown=progress))
        resumed = resume and Path(out).exists()
        if resumed:
            with _kept(Path(out)) as kept:
                for item, result in kept_results(kept, items, options):
                    tally.add(facts_of(item, result))
                    bar.update(1)
        # Taken before Ray, which prints to whatever is called standard output then.
        standard = sys.stdout
        # Nothing is overwritten before there is somebody to write it anew.
        runner = stack.enter_context(_runner(engine, runtime, address, workers))
        outgoing = standard if out == STANDARD_STREAM else open_output(stack, out, append=resumed)
        page = None if report is None else stack.enter_context(_opened(report))
        figures = None if report is None else stack.enter_context(_opened(report.with_suffix(".csv")))
        for audited in runner.run(items, options):
            write_line(outgoing, dict(audited.result))
            outgoing.flush()
            bar.update(1)
            tally.add(audited.facts)
        if page is not None and figures is not None:
            _write_report(page, figures, tally, source, options.checks, target_fpr)


def _check_files(source: str, out: str, resume: bool) -> None:
    if out == STANDARD_STREAM:
        if resume:
            raise typer.BadParameter("--resume needs --out: a file that holds the results so far")
        return
    if source == STANDARD_STREAM:
        return
    read, written = Path(source).resolve(), Path(out).resolve()
    if written == read or written.is_relative_to(read):
        raise typer.BadParameter("--out must not be what is read, nor lie in it")


def _check_engine(engine: Engine, address: str | None, workers: int | None, store: bool) -> None:
    if engine == "local":
        if address is not None or workers is not None:
            raise typer.BadParameter("--address and --workers are for --engine ray")
    elif store:
        raise typer.BadParameter(
            "--store is for the local engine: a cluster may analyse an article twice, and would store both"
        )


def _items(stack: ExitStack, source: str) -> tuple[Iterator[Item], int | None]:
    """The items to go through, and how many they are where that is known."""
    from service.audits.archive import Archive
    from service.audits.items import AuditArticle, items_of
    from service.lines import read_lines

    if source == STANDARD_STREAM or not Path(source).is_dir():
        # Also says what is wrong with a file that cannot be opened.
        incoming = open_input(stack, source)
        if source == STANDARD_STREAM or not incoming.seekable():
            return items_of(read_lines(incoming, AuditArticle, unique_ids=True)), None
    archive = Archive(Path(source))
    return iter(archive), archive.count()


@contextmanager
def _runner(engine: Engine, runtime: Runtime, address: str | None, workers: int | None) -> Iterator[Runner]:
    if engine == "ray":
        from service.audits.cluster import RayRunner

        # Of lost workers the engine's own warnings tell.
        with (
            Path(os.devnull).open("w") as nowhere,
            redirect_stdout(nowhere),
            RayRunner(runtime.settings, address=address, workers=workers) as cluster,
        ):
            yield cluster
        return
    from service.audits.runner import LocalRunner

    yield LocalRunner(runtime.analyser.analyse)


def _write_report(
    page: TextIO, figures: TextIO, tally: Tally, source: str, checks: Sequence[CheckName], target_fpr: float
) -> None:
    from service.audits.report import ReportHead, figures_csv, report_page

    head = ReportHead(
        title="Audit",
        source="standard input" if source == STANDARD_STREAM else Path(source).name,
        made_at=datetime.now(UTC),
        checks=tuple(checks),
        target_fpr=target_fpr,
    )
    page.write(report_page(tally, head))
    figures.write(figures_csv(tally))


def _kept(path: Path) -> BinaryIO:
    try:
        return path.open("r+b")
    except OSError as error:
        raise typer.BadParameter(f"cannot go on with {path}: {error.strerror}") from error


def _opened(path: Path) -> TextIO:
    try:
        return path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise typer.BadParameter(f"cannot write {path}: {error.strerror}") from error
