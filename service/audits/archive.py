"""An archive on disk, as the command line reads it: one file, or a folder of them as if they were one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from service.audits.items import Item
from service.audits.sources import SourceFormat, SourceLimits, format_of, read_items
from service.errors import DuplicateId, InvalidInput, TamgaError, UnsupportedMediaType

# Whoever runs the command has the machine; what one line may hold `read_article` says.
_UNLIMITED: Final = SourceLimits(items=1 << 60, total_bytes=1 << 60, line_bytes=1 << 40)


class Archive:
    """The items of a file or folder, in the order of the paths; hidden files and those that begin with an
    underscore, which engines leave beside their parts, are none of it.

    A single file whose name tells no format is read as JSON Lines. Iterate once.

    Raises InvalidInput where a folder holds no file of a known format.
    """

    def __init__(self, path: Path) -> None:
        self._folder = path if path.is_dir() else None
        self.files: tuple[tuple[Path, SourceFormat], ...]
        if self._folder is None:
            self.files = ((path, _format(path) or "jsonl"),)
            return
        found = ((part, _format(part)) for part in sorted(path.rglob("*")) if self._belongs(part))
        self.files = tuple((part, known) for part, known in found if known is not None)
        if not self.files:
            raise InvalidInput(f"{path} holds no file that ends in .jsonl, .csv or .parquet.")

    def __iter__(self) -> Iterator[Item]:
        """The items, numbered through. Raises what `read_items` raises, with the file's name."""
        single = self._folder is None
        seen: set[str] = set()
        number = 0
        for path, source_format in self.files:
            try:
                with path.open("rb") as file:
                    for item in read_items(file, source_format, "archive", _UNLIMITED, unique_ids=single):
                        yield item if single else self._placed(replace(item, number=number), path, seen)
                        number += 1
            except TamgaError as error:
                raise type(error)(f"{path}: {error.detail}") from error
            except OSError as error:
                raise InvalidInput(f"{path} cannot be read: {error.strerror}") from error

    def count(self) -> int | None:
        """How many items there are, where that can be told without reading them; for a progress bar."""
        total = 0
        for path, source_format in self.files:
            if source_format == "parquet":
                total += _parquet_rows(path)
            elif source_format == "jsonl" and path.suffix != ".gz":
                with path.open("rb") as file:
                    total += sum(1 for line in file if line.strip())
            else:
                return None
        return total

    def _belongs(self, path: Path) -> bool:
        assert self._folder is not None
        return path.is_file() and not any(
            part.startswith((".", "_")) for part in path.relative_to(self._folder).parts
        )

    def _placed(self, item: Item, path: Path, seen: set[str]) -> Item:
        """An item of a folder: errors name its file, and one whose id came before, in any file, is one."""
        error = item.error
        if error is None and item.id is not None:
            key = json.dumps(item.id, sort_keys=True)
            if key in seen:
                error = DuplicateId(f"an earlier item has the id {key}").as_error()
            seen.add(key)
        if error is None:
            return item
        assert self._folder is not None
        place = path.relative_to(self._folder).as_posix()
        return replace(item, source=None, error={**error, "detail": f"{place}: {error['detail']}"})


def _format(path: Path) -> SourceFormat | None:
    try:
        return format_of(path.name)
    except UnsupportedMediaType:
        return None


def _parquet_rows(path: Path) -> int:
    import pyarrow as pa  # type: ignore[import-untyped]
    from pyarrow import parquet

    try:
        rows: int = parquet.read_metadata(path).num_rows
    except pa.ArrowException as error:
        raise InvalidInput(f"{path}: the file cannot be read as Parquet: {error}") from error
    return rows
