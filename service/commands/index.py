"""`tamga index`: fill the index of verified records, look claims up in it, rebuild it, see its state."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from service.commands.jsonl import (
    InputFile,
    OutputFile,
    Progress,
    count_lines,
    open_input,
    process,
    write_line,
)
from service.commands.progress import progress_bar, wants_progress
from service.commands.session import open_runtime

if TYPE_CHECKING:
    from service.commands.lines import QueryLine

BATCH_SIZE = 32

app = typer.Typer(help="The index of verified records.")


@app.command()
def add(source: InputFile, progress: Progress = None) -> None:
    """Add or update records. A printed line is a committed write."""
    from service.records import RecordIngest, read_record_lines
    from service.store import open_store

    with ExitStack() as stack:
        incoming = open_input(stack, source)
        runtime = stack.enter_context(open_runtime(progress))
        runtime.settings.home.mkdir(parents=True, exist_ok=True)
        # The vector index is not needed: it reads the database and catches up when it is opened next.
        store = open_store(runtime.settings.database)
        stack.callback(store.close)
        ingest = RecordIngest(store.records, runtime.search_encoder)
        bar = stack.enter_context(progress_bar("index add", total=count_lines(incoming), shown=progress))
        for outcome in ingest.add(read_record_lines(_lines(incoming))):
            write_line(sys.stdout, outcome.as_line())
            sys.stdout.flush()
            bar.update()


def _lines(source: BinaryIO) -> Iterator[bytes]:
    yield from source


@app.command()
def match(
    source: InputFile,
    out: OutputFile = "-",
    top_k: Annotated[int, typer.Option(min=1, max=1000, help="Records per query.")] = 10,
    as_of: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Only records valid on this ISO 8601 day or at this moment."),
    ] = None,
    language: Annotated[
        list[str] | None,
        typer.Option(metavar="TAG", help="Only records in this language; may be given several times."),
    ] = None,
    publisher: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only records by this publisher; may be given several times."),
    ] = None,
    group: Annotated[
        bool, typer.Option("--group", help="One match for all records of the same claim.")
    ] = False,
    progress: Progress = None,
) -> None:
    """Find the records that are about the same statement as each query."""
    from service.commands.lines import QueryLine
    from service.matching import ClaimQuery, base_language

    moment = _moment(as_of)
    languages = _languages(language)
    with open_runtime(progress) as runtime:
        # An index that cannot be opened is one error, not one for every line.
        _ = runtime.library

        def answer(lines: Sequence[QueryLine]) -> list[dict[str, Any]]:
            if not lines:
                return []
            queries = [
                ClaimQuery(line.text, base_language(line.language), line.published_at) for line in lines
            ]
            found = runtime.matcher.match(
                queries,
                top_k=top_k,
                as_of=moment,
                languages=languages,
                publishers=publisher or None,
                group=group,
            )
            return [result.model_dump(mode="json") for result in found]

        process(source, out, QueryLine, answer, batch_size=BATCH_SIZE, label="index match", progress=progress)


def _moment(text: str | None) -> date | datetime | None:
    if text is None:
        return None
    from index.times import parse_moment

    try:
        return parse_moment(text)
    except ValueError as error:
        raise typer.BadParameter(f"--as-of {error}") from error


def _languages(tags: list[str] | None) -> list[str] | None:
    from index.records import language_code

    try:
        return [tag for tag in map(language_code, tags) if tag] if tags else None
    except ValueError as error:
        raise typer.BadParameter(f"--language {error}") from error


@app.command()
def rebuild(progress: Progress = None) -> None:
    """Build the vector indexes anew from the database."""
    with open_runtime(progress) as runtime:
        library = runtime.library
        shown = wants_progress(progress)
        library.records.rebuild(progress=shown)
        library.articles.rebuild(progress=shown)
        library.save()
        typer.echo(
            f"{len(library.records):,} passages of {library.store.records.count():,} records", err=True
        )


@app.command()
def status() -> None:
    """Print what the index holds, as JSON."""
    with open_runtime(False) as runtime:
        library = runtime.library
        state = {
            "records": library.store.records.count(),
            "passages": len(library.records),
            "generation": library.records.generation,
            "article_generation": library.articles.generation,
            "encoder": runtime.search_encoder.model_id,
            "database": "sqlite" if runtime.settings.database.startswith("sqlite") else "other",
            "vector_store": runtime.settings.vector_store,
            "notices": list(library.notices),
        }
        sys.stdout.write(json.dumps(state, ensure_ascii=False, indent=2) + "\n")
