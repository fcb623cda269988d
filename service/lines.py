"""Lines of JSON: each is a value of a model, or the error that kept it from being read."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from service.errors import DuplicateId, InvalidEncoding, InvalidInput, MalformedJSON, TamgaError

if TYPE_CHECKING:
    from pydantic import BaseModel

log = logging.getLogger(__name__)

M = TypeVar("M", bound="BaseModel")


@dataclass(frozen=True, slots=True)
class Line(Generic[M]):
    """One input line: its `value`, or the `error` that kept it from being read. `id` is the caller's, or
    None.
    """

    id: Any
    value: M | None
    error: TamgaError | None


def read_lines(source: Iterable[bytes], model: type[M], *, unique_ids: bool = False) -> Iterator[Line[M]]:
    """Parse and validate each line. With `unique_ids` the second line with the same id is an error."""
    parsed = (
        (f"line {number}", _parse(number, raw)) for number, raw in enumerate(source, start=1) if raw.strip()
    )
    return read_values(parsed, model, unique_ids=unique_ids)


def read_values(
    values: Iterable[tuple[str, dict[str, Any] | TamgaError]], model: type[M], *, unique_ids: bool = False
) -> Iterator[Line[M]]:
    """Validate objects, each with the place where it stands, such as "line 3"; errors are handed on."""
    seen: set[str] = set()
    for place, value in values:
        if isinstance(value, TamgaError):
            yield Line(None, None, value)
            continue
        line = _validated(place, value, model)
        if unique_ids and line.id is not None:
            key = json.dumps(line.id, sort_keys=True)
            if key in seen:
                yield Line(line.id, None, DuplicateId(f"{place}: an earlier line has the id {key}"))
                continue
            seen.add(key)
        yield line


def _parse(number: int, raw: bytes) -> dict[str, Any] | TamgaError:
    try:
        value = json.loads(raw.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError as error:
        return InvalidEncoding(f"line {number}: byte {error.start} cannot be decoded as UTF-8")
    except json.JSONDecodeError as error:
        return MalformedJSON(f"line {number}: {error.msg} at column {error.colno}")
    except (RecursionError, ValueError):
        return MalformedJSON(f"line {number}: nested too deeply, or a number with too many digits")
    if not isinstance(value, dict):
        return InvalidInput(f"line {number}: expected an object, not {type(value).__name__}")
    return value


def _validated(place: str, value: dict[str, Any], model: type[M]) -> Line[M]:
    from pydantic import ValidationError

    try:
        return Line(value.get("id"), model.model_validate(value), None)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the line"
        return Line(value.get("id"), None, InvalidInput(f"{place}: {field}: {first['msg']}"))


def error_line(line_id: Any, error: TamgaError) -> dict[str, Any]:
    return {"id": line_id, "error": error.as_error()}


def as_tamga_error(error: Exception) -> TamgaError:
    """An error for the caller, whatever was raised; what nobody expected goes to the log."""
    if isinstance(error, TamgaError):
        return error
    log.error("a line failed unexpectedly", exc_info=error)
    return TamgaError(f"{type(error).__name__}: {error}")
