"""Going on with an audit whose results are partly written: those that are there stay, whole and checked."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from service.audits.items import AuditOptions, Item
from service.errors import Conflict


def kept_results(
    file: BinaryIO, items: Iterator[Item], options: AuditOptions
) -> Iterator[tuple[Item, dict[str, Any]]]:
    """The items that have a result in `file`, with it; `items` goes on behind the last of them, and so does
    `file`: what follows the last whole line, which a killed process may have left half, is cut off.

    `options` name their rate. Raises Conflict, with the file as it was, where the results are those of other
    items, checks or rates.
    """
    for number, line in enumerate(iter(file.readline, b""), start=1):
        result = _parsed(line)
        if result is None:
            file.seek(-len(line), os.SEEK_CUR)
            file.truncate()
            return
        item = next(items, None)
        wrong = (
            f"there are no more than {number - 1} items."
            if item is None
            else _mismatch(item, result, options)
        )
        if item is None or wrong:
            raise Conflict(f"line {number} of the results: {wrong}")
        yield item, result


def _parsed(line: bytes) -> dict[str, Any] | None:
    if not line.endswith(b"\n"):
        return None
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) and "id" in value else None


def _mismatch(item: Item, result: Mapping[str, Any], options: AuditOptions) -> str:
    if result["id"] != item.id:
        return f"it is of the item {result['id']!r}, and the source has {item.id!r} there."
    if "error" in result:
        return ""
    if {check for check in ("origin", "claims") if check in result} != set(options.checks):
        return "it was made with other --checks."
    if "origin" in result and result["origin"]["target_fpr"] != options.target_fpr:
        return f"it was made with --fpr {result['origin']['target_fpr']}."
    return ""
