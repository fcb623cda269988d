"""JSON Lines in and out: one output line per input line, in order; a bad line becomes an error line and the
run goes on.

Blank lines carry nothing and are skipped. Output is flushed batch by batch, so an interrupted run leaves
whole lines.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Final, TextIO, TypeVar

import typer

from service.commands.progress import progress_bar
from service.lines import Line, as_tamga_error, error_line, read_lines

if TYPE_CHECKING:
    from pydantic import BaseModel

STANDARD_STREAM: Final = "-"
M = TypeVar("M", bound="BaseModel")

InputFile = Annotated[str, typer.Argument(metavar="IN.jsonl", help="Input file, - for standard input.")]
OutputFile = Annotated[
    str, typer.Option("--out", metavar="OUT.jsonl", help="Output file, - for standard output.")
]
Progress = Annotated[
    bool | None,
    typer.Option("--progress/--no-progress", help="Progress bar on standard error (default: on a terminal)."),
]


def open_input(stack: ExitStack, source: str) -> BinaryIO:
    """The named file or standard input; a usage error if it cannot be read."""
    if source == STANDARD_STREAM:
        return sys.stdin.buffer
    try:
        return stack.enter_context(Path(source).open("rb"))
    except OSError as error:
        raise typer.BadParameter(f"cannot read {source}: {error.strerror}") from error


def open_output(stack: ExitStack, target: str, *, append: bool = False) -> TextIO:
    """The named file or standard output; a usage error if it cannot be written."""
    if target == STANDARD_STREAM:
        return sys.stdout
    try:
        return stack.enter_context(Path(target).open("a" if append else "w", encoding="utf-8", newline="\n"))
    except OSError as error:
        raise typer.BadParameter(f"cannot write {target}: {error.strerror}") from error


def count_lines(source: BinaryIO) -> int | None:
    """Lines of a seekable file, for the progress bar; None where they cannot be known beforehand."""
    if not source.seekable():
        return None
    total = sum(1 for line in source if line.strip())
    source.seek(0)
    return total


def write_line(out: TextIO, value: dict[str, Any]) -> None:
    out.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


def answer_lines(
    lines: Iterable[Line[M]], answer: Callable[[Sequence[M]], Sequence[dict[str, Any]]], *, batch_size: int
) -> Iterator[list[dict[str, Any]]]:
    """Output objects batch by batch: `answer` gets the valid values of a batch and returns one object for
    each.

    Where a batch fails, its items are tried one by one, so that one bad item costs only its own answer.
    """
    batch: list[Line[M]] = []
    for line in lines:
        batch.append(line)
        if len(batch) == batch_size:
            yield _answer_batch(batch, answer)
            batch = []
    if batch:
        yield _answer_batch(batch, answer)


def _answer_batch(
    batch: Sequence[Line[M]], answer: Callable[[Sequence[M]], Sequence[dict[str, Any]]]
) -> list[dict[str, Any]]:
    valid = [line for line in batch if line.value is not None]
    answers: list[dict[str, Any]]
    try:
        answers = [
            {"id": line.id, **found}
            for line, found in zip(
                valid, answer([line.value for line in valid if line.value is not None]), strict=True
            )
        ]
    except Exception as error:
        answers = (
            [answered for line in valid for answered in _answer_batch([line], answer)]
            if len(valid) > 1
            else [error_line(line.id, as_tamga_error(error)) for line in valid]
        )
    remaining = iter(answers)
    return [next(remaining) if line.error is None else error_line(line.id, line.error) for line in batch]


def process(
    source: str,
    target: str,
    model: type[M],
    answer: Callable[[Sequence[M]], Sequence[dict[str, Any]]],
    *,
    batch_size: int,
    label: str,
    progress: bool | None,
    unique_ids: bool = False,
) -> None:
    """Read `source`, answer its lines, write `target`, with a progress bar."""
    with ExitStack() as stack:
        incoming = open_input(stack, source)
        out = open_output(stack, target)
        bar = stack.enter_context(progress_bar(label, total=count_lines(incoming), shown=progress))
        lines = read_lines(incoming, model, unique_ids=unique_ids)
        for answers in answer_lines(lines, answer, batch_size=batch_size):
            for answered in answers:
                write_line(out, answered)
            out.flush()
            bar.update(len(answers))
