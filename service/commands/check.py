"""`tamga check`: one article, a report for people or the Analysis as JSON."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from service.commands.jsonl import STANDARD_STREAM, open_input
from service.commands.session import open_runtime
from service.errors import InvalidEncoding

HTML_SUFFIXES = (".html", ".htm", ".xhtml")


def check(
    file: Annotated[
        str, typer.Argument(metavar="FILE.txt|.html|-", help="The article; - for standard input.")
    ],
    json_output: Annotated[bool, typer.Option("--json", help="Print the Analysis as JSON.")] = False,
    html: Annotated[
        bool | None,
        typer.Option("--html/--text", help="What the input is (default: by file name or first tag)."),
    ] = None,
    title: Annotated[str | None, typer.Option(help="Headline of the article.")] = None,
    outlet: Annotated[str | None, typer.Option(help="Name of the outlet.")] = None,
    language: Annotated[str | None, typer.Option(help="Language code, if known.")] = None,
    fpr: Annotated[float | None, typer.Option(min=0.0001, max=0.5, help="Accepted false-alarm rate.")] = None,
    store: Annotated[bool, typer.Option("--store", help="Keep the article and its Analysis.")] = False,
    progress: Annotated[bool | None, typer.Option("--progress/--no-progress", help="Progress bars.")] = None,
) -> None:
    """Analyse one article and print what was found."""
    with ExitStack() as stack:
        raw = open_input(stack, file).read()
    try:
        content = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidEncoding(f"{file}: byte {error.start} cannot be decoded as UTF-8") from error
    is_html = _looks_like_html(file, content) if html is None else html

    from pydantic import ValidationError

    from service.analysis import AnalysisOptions
    from service.articles import ArticleInput
    from service.commands.report import report

    try:
        source = ArticleInput(
            text=None if is_html else content,
            html=content if is_html else None,
            title=title,
            outlet=outlet,
            language=language,
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise typer.BadParameter(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    with open_runtime(progress) as runtime:
        analysis = runtime.analyser.analyse(source, AnalysisOptions(target_fpr=fpr, store=store))
    if json_output:
        sys.stdout.write(analysis.model_dump_json(indent=2) + "\n")
    else:
        sys.stdout.write(report(analysis))


def _looks_like_html(name: str, content: str) -> bool:
    if name != STANDARD_STREAM and Path(name).suffix:
        return Path(name).suffix.lower() in HTML_SUFFIXES
    return content.lstrip()[:15].lower().startswith(("<!doctype html", "<html"))
