"""JSON Lines in and out: one output line per input line, in order; a bad line becomes an error line and the
run goes on.

Blank lines carry nothing and are skipped. Output is flushed batch by batch, so an interrupted run leaves
whole lines.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Final, Generic, TextIO, TypeVar

import typer

from service.commands.progress import progress_bar
from service.errors import DuplicateId, InvalidEncoding, InvalidInput, MalformedJSON, TamgaError

if TYPE_CHECKING:
    from pydantic import BaseModel

log = logging.getLogger(__name__)

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


@dataclass(frozen=True, slots=True)
class Line(Generic[M]):
    """One input line: its `value`, or the `error` that kept it from being read. `id` is the caller's, or
    None.
    """

    id: Any
    value: M | None
    error: TamgaError | None


def open_input(stack: ExitStack, source: str) -> BinaryIO:
    """The named file or standard input; a usage error if it cannot be read."""
    if source == STANDARD_STREAM:
        return sys.stdin.buffer
    try:
        return stack.enter_context(Path(source).open("rb"))
    except OSError as error:
        raise typer.BadParameter(f"cannot read {source}: {error.strerror}") from error


def open_output(stack: ExitStack, target: str) -> TextIO:
    """The named file or standard output; a usage error if it cannot be written."""
    if target == STANDARD_STREAM:
        return sys.stdout
    try:
        return stack.enter_context(Path(target).open("w", encoding="utf-8", newline="\n"))
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


def read_lines(source: Iterable[bytes], model: type[M], *, unique_ids: bool = False) -> Iterator[Line[M]]:
    """Parse and validate each line. With `unique_ids` the second line with the same id is an error."""
    seen: set[str] = set()
    for number, raw in enumerate(source, start=1):
        if not raw.strip():
            continue
        line = _read_line(number, raw, model)
        if unique_ids and line.id is not None:
            key = json.dumps(line.id, sort_keys=True)
            if key in seen:
                yield Line(line.id, None, DuplicateId(f"line {number}: an earlier line has the id {key}"))
                continue
            seen.add(key)
        yield line


def _read_line(number: int, raw: bytes, model: type[M]) -> Line[M]:
    try:
        value = json.loads(raw.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError as error:
        return Line(
            None, None, InvalidEncoding(f"line {number}: byte {error.start} cannot be decoded as UTF-8")
        )
    except json.JSONDecodeError as error:
        return Line(None, None, MalformedJSON(f"line {number}: {error.msg} at column {error.colno}"))
    except (RecursionError, ValueError):
        return Line(
            None, None, MalformedJSON(f"line {number}: nested too deeply, or a number with too many digits")
        )
    if not isinstance(value, dict):
        return Line(
            None, None, InvalidInput(f"line {number}: expected an object, not {type(value).__name__}")
        )
    from pydantic import ValidationError

    try:
        return Line(value.get("id"), model.model_validate(value), None)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the line"
        return Line(value.get("id"), None, InvalidInput(f"line {number}: {field}: {first['msg']}"))


def error_line(line_id: Any, error: TamgaError) -> dict[str, Any]:
    return {"id": line_id, "error": error.as_error()}


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
            else [error_line(line.id, _as_tamga_error(error)) for line in valid]
        )
    remaining = iter(answers)
    return [next(remaining) if line.error is None else error_line(line.id, line.error) for line in batch]


def _as_tamga_error(error: Exception) -> TamgaError:
    if isinstance(error, TamgaError):
        return error
    log.error("a line failed unexpectedly", exc_info=error)
    return TamgaError(f"{type(error).__name__}: {error}")


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
