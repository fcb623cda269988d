"""The results of an audit as files: JSON Lines with everything, CSV and Parquet with a row for each item."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

from service.audits.cells import safe_cell
from service.audits.facts import agreement

_PART: Final = 500
COLUMNS: Final = (
    "id", "language", "verdict", "score", "p_value", "target_fpr", "abstain_reason", "segments_flagged",
    "claims", "claims_matched", "claims_conflicting", "conflicting_claim", "evidence", "publisher", "url",
    "error",
)  # fmt: skip


def as_jsonl(results: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """One result a line, as `tamga audit` writes it."""
    for result in results:
        line = json.dumps(result, ensure_ascii=False, separators=(",", ":"))
        # Half characters in an id that the caller sent have no bytes of their own.
        yield line.encode("utf-8", "backslashreplace") + b"\n"


def as_csv(results: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """A heading and one row for each result, in UTF-8 as spreadsheets know it. Texts that a spreadsheet would
    carry out as formulas begin with an apostrophe.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    yield b"\xef\xbb\xbf"
    for result in results:
        row = row_of(result)
        writer.writerow([safe_cell(cell) if isinstance(cell, str) else cell for cell in row.values()])
        if out.tell() > 1 << 16:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode()


def write_parquet(results: Iterable[Mapping[str, Any]], path: Path) -> None:
    """The same rows as Parquet, with the whole result as JSON in a column `result`."""
    import pyarrow as pa  # type: ignore[import-untyped]
    from pyarrow import parquet

    numbers = {"score": pa.float64(), "p_value": pa.float64(), "target_fpr": pa.float64()}
    numbers |= dict.fromkeys(
        ("segments_flagged", "claims", "claims_matched", "claims_conflicting"), pa.int64()
    )
    schema = pa.schema([(name, numbers.get(name, pa.string())) for name in (*COLUMNS, "result")])
    remaining = iter(results)
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        while part := list(islice(remaining, _PART)):
            rows = [
                {
                    **{name: _clean(cell) for name, cell in row_of(result).items()},
                    "result": json.dumps(result),
                }
                for result in part
            ]
            writer.write_table(pa.Table.from_pylist(rows, schema))


def row_of(result: Mapping[str, Any]) -> dict[str, Any]:
    """A result as a row. An id that is no text stands as JSON."""
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row["id"] = result["id"] if isinstance(result["id"], str) else json.dumps(result["id"])
    if "error" in result:
        row["error"] = result["error"].get("type")
        return row
    row["language"] = result["language"]
    origin = result.get("origin")
    if origin is not None:
        row |= {
            name: origin[name] for name in ("verdict", "score", "p_value", "target_fpr", "abstain_reason")
        }
        row["segments_flagged"] = sum(
            part["verdict"] == "likely_ai_unconfirmed" for part in origin["segments"]
        )
    if "claims" in result:
        _claims(row, result["claims"])
    return row


def _claims(row: dict[str, Any], claims: Iterable[Mapping[str, Any]]) -> None:
    row |= {"claims": 0, "claims_matched": 0, "claims_conflicting": 0}
    for claim in claims:
        row["claims"] += 1
        row["claims_matched"] += claim["status"] == "matched"
        shown = ((match, agreement(match)) for match in claim["matches"] if match["level"] != "none")
        match, said = next((pair for pair in shown if pair[1] is not None), (None, None))
        if match is not None and said == "conflicts":
            row["claims_conflicting"] += 1
            if row["conflicting_claim"] is None:
                row |= {
                    "conflicting_claim": claim["text"],
                    "evidence": match["evidence"]["text"],
                    "publisher": match["publisher"],
                    "url": match["url"],
                }


def _clean(cell: Any) -> Any:
    return cell.encode("utf-8", "replace").decode() if isinstance(cell, str) else cell
