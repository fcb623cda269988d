"""`tamga label`: issue labels, one or an archive of them, and look after them."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.commands.jsonl import (
    InputFile,
    OutputFile,
    Progress,
    answer_lines,
    count_lines,
    open_input,
    open_output,
    write_line,
)
from service.commands.label_input import content_of, first_problem
from service.commands.progress import progress_bar
from service.commands.session import open_runtime
from service.lines import read_lines

if TYPE_CHECKING:
    from service.store.labels import StoredLabel

app = typer.Typer(help="Labels: how an item was made, signed by the newsroom.")

Reason = Annotated[str, typer.Option(help="Why; it goes into the history.")]
Actor = Annotated[str, typer.Option("--by", help="Who does it, for the history.")]


@app.command()
def issue(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="Text, HTML, JPEG, PNG, WebP or PDF.")],
    declared: Annotated[
        str | None, typer.Option(help="none, assisted, generated or mixed, as the author declares.")
    ] = None,
    review: Annotated[str | None, typer.Option(help="Human review: reviewed or none.")] = None,
    url: Annotated[str | None, typer.Option(help="Address of the item.")] = None,
    title: Annotated[str | None, typer.Option(help="Headline.")] = None,
    language: Annotated[str | None, typer.Option(help="Language code.")] = None,
    translation_of: Annotated[str | None, typer.Option(help="Label or address of the original.")] = None,
    ai_system: Annotated[str | None, typer.Option(help="Name of the AI system.")] = None,
    responsible: Annotated[str | None, typer.Option(help="Who holds editorial responsibility.")] = None,
    country: Annotated[
        list[str] | None, typer.Option(help="Country whose rules to look at; may be repeated.")
    ] = None,
    by: Actor = "command line",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what the label would be.")] = False,
    embed: Annotated[
        Path | None, typer.Option(help="Write the HTML page with the label in it to this file.")
    ] = None,
) -> None:
    """Label one item; prints the label as JSON."""
    from pydantic import ValidationError

    from service.labels.request import LabelRequest

    content = content_of(file)
    values: dict[str, Any] = {
        "declared": declared,
        "human_review": review,
        "url": url,
        "title": title,
        "language": language,
        "translation_of": translation_of,
        "ai_system": {"name": ai_system} if ai_system else None,
        "editorial_responsibility": {"name": responsible} if responsible else None,
        # None: those of the settings.
        "jurisdictions": country,
        "actor": by,
    }
    try:
        request = LabelRequest.model_validate({**content, **values})
    except ValidationError as error:
        raise typer.BadParameter(first_problem(error)) from error
    if embed is not None and "html" not in content:
        raise typer.BadParameter("--embed writes a page, and this is no HTML")
    with open_runtime() as runtime:
        desk = runtime.labels
        if dry_run:
            found = desk.prepare(request).proposal
            shown = {
                "state": found.state,
                "human_review": found.human_review,
                "basis": found.basis,
                "status": found.status,
                "review_reasons": list(found.review_reasons),
            }
            sys.stdout.write(json.dumps(shown, ensure_ascii=False, indent=2) + "\n")
            return
        label = desk.issue(request)
        if embed is not None and label.jws is not None:
            embed.write_text(desk.embed(label.id, content["html"]), encoding="utf-8", newline="")
        _print(label, desk.page_url(label.id))


@app.command()
def archive(
    source: InputFile,
    out: OutputFile = "-",
    report: Annotated[Path | None, typer.Option(help="Also write a CSV report to this file.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Store nothing; say what would be.")] = False,
    by: Actor = "command line",
    progress: Progress = None,
) -> None:
    """Label an archive from JSON Lines; one line out per line in, in order. What is printed is committed."""
    from service.labels.batch import ArchiveLine, CsvReport, label_archive

    with ExitStack() as stack, open_runtime(progress) as runtime:
        incoming = open_input(stack, source)
        target = open_output(stack, out)
        table = None
        if report is not None:
            try:
                table = CsvReport(stack.enter_context(report.open("w", encoding="utf-8", newline="")))
            except OSError as error:
                raise typer.BadParameter(f"cannot write {report}: {error.strerror}") from error
        bar = stack.enter_context(progress_bar("labels", total=count_lines(incoming), shown=progress))

        def answer(lines: Sequence[ArchiveLine]) -> list[dict[str, Any]]:
            named = [line.model_copy(update={"actor": by}) if line.actor == "api" else line for line in lines]
            return label_archive(runtime.labels, named, dry_run=dry_run)

        lines = read_lines(incoming, ArchiveLine, unique_ids=True)
        # One by one: a line that fails must not have its neighbours labelled twice.
        for answers in answer_lines(lines, answer, batch_size=1):
            for row in answers:
                write_line(target, row)
                if table is not None:
                    table.add(row)
            target.flush()
            bar.update(len(answers))


@app.command()
def revoke(
    label_id: Annotated[str, typer.Argument(metavar="LABEL")],
    reason: Reason,
    by: Actor = "command line",
) -> None:
    """Withdraw a label for good."""
    with open_runtime() as runtime:
        desk = runtime.labels
        label = desk.revoke(desk.require(label_id).id, actor=by, reason=reason)
        _print(label, desk.page_url(label.id))


@app.command()
def history(
    label_id: Annotated[str | None, typer.Argument(metavar="LABEL", help="Default: all labels.")] = None,
) -> None:
    """Print what happened, as JSON Lines; exit 1 if the chain of hashes is broken."""
    from service.labels.history import LabelEvent, first_break

    with open_runtime() as runtime:
        labels = runtime.labels.store.labels
        events: list[LabelEvent] = []
        found = labels.log() if label_id is None else labels.history(runtime.labels.require(label_id).id)
        for event in found:
            write_line(sys.stdout, event.model_dump(mode="json"))
            events.append(event)
        broken = first_break(events, whole_log=label_id is None)
        if label_id is None and broken is None and len(events) != labels.log_size():
            broken = f"{labels.log_size()} events were recorded, {len(events)} are there"
    if broken is not None:
        typer.echo(f"tamga: the history was tampered with: {broken}", err=True)
        raise typer.Exit(1)


def _print(label: StoredLabel, page: str) -> None:
    shown = {
        "id": label.id,
        "version": label.version,
        "status": label.status,
        "state": label.state,
        "human_review": label.human_review,
        "basis": label.basis,
        "review_reasons": list(label.review_reasons),
        "page": page if label.jws else None,
        "jws": label.jws,
    }
    sys.stdout.write(json.dumps(shown, ensure_ascii=False, indent=2) + "\n")
