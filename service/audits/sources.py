"""Reading the items of an audit: JSON Lines, CSV with a heading, or Parquet; any of them packed with gzip.

All three give the same items for the same content: columns are named like the fields of a line. Nothing is
read further than its limits: a small file that unfolds to a large one is refused, not unpacked.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, BinaryIO, Final, Literal, get_args

from service.audits.items import MODELS, AuditKind, Item, items_of
from service.errors import (
    InvalidCompression,
    InvalidEncoding,
    InvalidInput,
    TamgaError,
    TooLarge,
    UnsupportedMediaType,
)
from service.lines import read_lines, read_values

SourceFormat = Literal["jsonl", "csv", "parquet"]
FORMATS: Final[tuple[SourceFormat, ...]] = get_args(SourceFormat)

_ENDINGS: Final[dict[str, SourceFormat]] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".parquet": "parquet",
}
_COLUMNS: Final = (
    "id", "text", "html", "title", "outlet", "url", "published_at", "language", "declared",
    "prompt", "model", "country",
)  # fmt: skip
# Rows of Parquet that are decoded at once, and lines of text that are read at once.
_BATCH_ROWS: Final = 64
_CHUNK: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class SourceLimits:
    """At most `items`, `total_bytes` unpacked, and `line_bytes` in one line or row."""

    items: int
    total_bytes: int
    line_bytes: int


def format_of(name: str) -> SourceFormat:
    """The format that the name of a file tells. Raises UnsupportedMediaType."""
    plain = name.lower().removesuffix(".gz")
    for ending, found in _ENDINGS.items():
        if plain.endswith(ending):
            return found
    raise UnsupportedMediaType(
        "The name of the file does not tell its format; send `format`, or a name that ends in "
        ".jsonl, .csv or .parquet (or these with .gz)."
    )


def read_items(
    file: BinaryIO,
    source_format: SourceFormat,
    kind: AuditKind,
    limits: SourceLimits,
    *,
    unique_ids: bool = True,
) -> Iterator[Item]:
    """The items of a file in order; `file` can be read from its beginning and sought in.

    A bad line or row is an item with an error; with `unique_ids` also one whose `id` came before.

    Raises (also while reading):
        TooLarge: more items or bytes than the limits.
        InvalidInput: it is no file of this format, or lacks the column of the texts.
        InvalidCompression: it says gzip and is none.
    """
    packed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    if source_format == "parquet":
        if packed:
            raise InvalidInput("Parquet packs its columns itself; send the file without gzip.")
        rows = _parquet_rows(file, kind, limits)
    else:
        plain = _Counted(gzip.GzipFile(fileobj=file, mode="rb") if packed else file, limits.total_bytes)
        if source_format == "jsonl":
            lines = read_lines(_lines(plain, limits.line_bytes), MODELS[kind], unique_ids=unique_ids)
            return _at_most(items_of(lines), limits.items)
        rows = _csv_rows(plain, kind, limits)
    return _at_most(items_of(read_values(rows, MODELS[kind], unique_ids=unique_ids)), limits.items)


def _at_most(items: Iterator[Item], limit: int) -> Iterator[Item]:
    for item in items:
        if item.number >= limit:
            raise TooLarge(f"There are more than {limit:,} items; send them as several audits.")
        yield item


class _Counted(io.RawIOBase):
    """Reads from a file, and no more than a number of bytes."""

    def __init__(self, file: Any, limit: int) -> None:
        self._file = file
        self._left = limit
        self._limit = limit

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer. Raises TooLarge past the limit, InvalidCompression for bad gzip."""
        try:
            part = self._file.read(min(len(buffer), _CHUNK))
        except (OSError, EOFError, zlib.error) as error:
            raise InvalidCompression("The file is not one complete gzip stream.") from error
        self._left -= len(part)
        if self._left < 0:
            raise TooLarge(f"The file may have at most {self._limit:,} bytes, unpacked.")
        buffer[: len(part)] = part
        return len(part)


def _lines(raw: io.RawIOBase, limit: int) -> Iterator[bytes]:
    buffered = io.BufferedReader(raw, _CHUNK)
    while line := buffered.readline(limit + 1):
        if len(line) > limit:
            raise TooLarge(f"A line may have at most {limit:,} bytes.")
        yield line


def _csv_rows(
    raw: io.RawIOBase, kind: AuditKind, limits: SourceLimits
) -> Iterator[tuple[str, dict[str, Any] | TamgaError]]:
    # Bytes that are no UTF-8 become half characters, so that they cost their row and not the file.
    text = io.TextIOWrapper(
        io.BufferedReader(raw, _CHUNK), encoding="utf-8-sig", errors="surrogateescape", newline=""
    )
    csv.field_size_limit(max(csv.field_size_limit(), limits.line_bytes))
    heading = text.readline(_CHUNK)
    delimiter = max(",;\t", key=heading.count)
    names = next(csv.reader([heading], delimiter=delimiter), [])
    _require_columns(names, kind)
    rows = csv.DictReader(text, names, delimiter=delimiter, strict=True)
    number = 0
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            raise InvalidInput(f"row {number + 1}: {error}") from error
        if row is None:
            return
        number += 1
        place = f"row {number}"
        if None in row:
            yield place, InvalidInput(f"{place}: it has more cells than the heading")
            continue
        if any(isinstance(cell, str) and _bad_bytes(cell) for cell in row.values()):
            yield place, InvalidEncoding(f"{place}: a byte cannot be decoded as UTF-8")
            continue
        yield place, {name: cell for name, cell in row.items() if cell not in (None, "")}


def _bad_bytes(cell: str) -> bool:
    return any("\udc80" <= character <= "\udcff" for character in cell) if not cell.isascii() else False


def _parquet_rows(
    file: BinaryIO, kind: AuditKind, limits: SourceLimits
) -> Iterator[tuple[str, dict[str, Any] | TamgaError]]:
    # Loaded when it is needed: it takes longer to load than most files to read.
    import pyarrow as pa  # type: ignore[import-untyped]
    from pyarrow import parquet

    too_large = TooLarge(f"The file may have at most {limits.total_bytes:,} bytes, unpacked.")
    try:
        metadata = parquet.read_metadata(file)
        names = metadata.schema.to_arrow_schema().names
        _require_columns(names, kind)
        if metadata.num_rows > limits.items:
            raise TooLarge(f"There are more than {limits.items:,} items; send them as several audits.")
        if _unpacked_size(metadata) > limits.total_bytes:
            raise too_large
        file.seek(0)
        # Words of a dictionary stay in it: written out, one of them may stand for gigabytes of cells.
        table = parquet.ParquetFile(file, read_dictionary=_words(metadata.schema))
        left = limits.total_bytes
        number = 0
        columns = [name for name in _COLUMNS if name in names]
        for batch in table.iter_batches(_BATCH_ROWS, columns=columns):
            for place in range(batch.num_rows):
                number += 1
                cells = {name: batch.column(name)[place].as_py() for name in columns}
                left -= sum(len(cell) for cell in cells.values() if isinstance(cell, str | bytes))
                if left < 0:
                    raise too_large
                yield (
                    f"row {number}",
                    {name: _plain(cell) for name, cell in cells.items() if cell is not None},
                )
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"The file cannot be read as Parquet: {error}") from error


def _words(schema: Any) -> list[str]:
    columns = [schema.column(number) for number in range(len(schema))]
    return [
        column.path for column in columns if column.path in _COLUMNS and column.physical_type == "BYTE_ARRAY"
    ]


def _unpacked_size(metadata: Any) -> int:
    return sum(metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups))


def _plain(cell: Any) -> Any:
    return cell.isoformat() if isinstance(cell, date) else cell


def _require_columns(names: list[str], kind: AuditKind) -> None:
    wanted = ("prompt", "text", "model") if kind == "chat_answers" else ("text",)
    if kind == "archive" and "html" in names:
        return
    missing = [name for name in wanted if name not in names]
    if missing:
        raise InvalidInput(f"There is no column {', '.join(f'`{name}`' for name in missing)}.")
