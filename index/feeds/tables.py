"""Records as tables: JSON Lines, CSV with a heading, Parquet; columns are named like the fields of a record.

A further column `retracted` takes a record back.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from index.feeds.content import FeedError, Item, moment_text

_YES = frozenset({"1", "true", "yes"})
_MOMENTS = ("published_at", "valid_from", "valid_to")
_FIELD_CHARS = 1_000_000


def read_jsonl(content: bytes) -> Iterator[Item]:
    """One record per line. Raises FeedError where a line is no JSON object."""
    for number, line in enumerate(_text(content).splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            raise FeedError(f"line {number} is not JSON: {error}") from error
        if not isinstance(row, dict):
            raise FeedError(f"line {number} is not a JSON object")
        yield from _items([row])


def read_csv(content: bytes) -> Iterator[Item]:
    """A heading, then one record per row; comma, semicolon or tab between. Raises FeedError without a column
    `claim`.
    """
    text = _text(content)
    csv.field_size_limit(_FIELD_CHARS)
    heading = text.partition("\n")[0]
    delimiter = max(",;\t", key=heading.count)
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        if rows.fieldnames is None or "claim" not in rows.fieldnames:
            raise FeedError("the heading names no column `claim`")
        yield from _items(rows)
    except csv.Error as error:
        raise FeedError(f"line {rows.line_num}: {error}") from error


def read_parquet(content: bytes) -> Iterator[Item]:
    """One record per row. Raises FeedError for what is no Parquet or has no column `claim`."""
    import pyarrow as pa  # type: ignore[import-untyped]
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(pa.BufferReader(content))
        if "claim" not in file.schema_arrow.names:
            raise FeedError("the table has no column `claim`")
        for batch in file.iter_batches(batch_size=1_000):
            yield from _items(batch.to_pylist())
    except pa.ArrowException as error:
        raise FeedError(f"not Parquet: {error}") from error


def _items(rows: Iterable[dict[Any, Any]]) -> Iterator[Item]:
    for row in rows:
        fields = {
            name: value for name, value in row.items() if isinstance(name, str) and value not in (None, "")
        }
        for name in _MOMENTS:
            if isinstance(fields.get(name), date):
                fields[name] = moment_text(fields[name])
        identifier = fields.pop("id", None) or fields.get("url") or fields.get("claim") or ""
        taken_back = str(fields.pop("retracted", "")).strip().casefold() in _YES
        yield Item(str(identifier), fields, retracted=taken_back)


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FeedError(f"byte {error.start} is not UTF-8") from error
