"""Reading items: any bytes give items or one of the errors that callers are told of."""

from __future__ import annotations

import csv
import io
import json

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from service.articles import ArticleInput
from service.audits.cache import ResultCache, content_key
from service.audits.items import AuditArticle, AuditOptions, Item, pack_item, unpack_item
from service.audits.sources import FORMATS, SourceFormat, SourceLimits, format_of, read_items
from service.errors import TamgaError, TooLarge, UnsupportedMediaType

LIMITS = SourceLimits(items=1_000, total_bytes=1_000_000, line_bytes=100_000)


def read(content: bytes, source_format: SourceFormat) -> list[Item]:
    return list(read_items(io.BytesIO(content), source_format, "archive", LIMITS))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(FORMATS))
def test_any_bytes_are_read_or_refused(content: bytes, source_format: SourceFormat) -> None:
    heads = {"jsonl": b"", "csv": b"text,id\n", "parquet": b"PAR1"}
    try:
        items = read(heads[source_format] + content, source_format)
    except TamgaError:
        return
    assert [item.number for item in items] == list(range(len(items)))
    assert all((item.source is None) != (item.error is None) for item in items)


CELLS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=50).filter(str.strip)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=20, unique_by=lambda row: row[0]))
def test_a_table_gives_the_same_items_in_every_format(rows: list[tuple[str, str]]) -> None:
    lines = "".join(json.dumps({"id": name, "text": text}) + "\n" for name, text in rows)
    sheet = io.StringIO(newline="")
    csv.writer(sheet).writerows([("id", "text"), *rows])
    table = io.BytesIO()
    parquet.write_table(pa.table({"id": [row[0] for row in rows], "text": [row[1] for row in rows]}), table)
    expected = read(lines.encode(), "jsonl")
    assert [item.id for item in expected] == [name for name, _ in rows]
    assert read(sheet.getvalue().encode(), "csv") == expected
    assert read(table.getvalue(), "parquet") == expected


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["html", "prompt", "text"]), st.text()), st.text() | st.integers())
def test_an_item_is_the_same_after_the_database(fields: dict[str, str], item_id: str | int) -> None:
    item = Item(3, item_id, AuditArticle.model_validate(fields), None)
    assert unpack_item(3, pack_item(item)) == item


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.JSONL", "jsonl"), ("a.csv.gz", "csv"), ("b.tar.parquet", "parquet"), ("a.ndjson", "jsonl")],
)
def test_names_tell_the_format(name: str, expected: str) -> None:
    assert format_of(name) == expected
    with pytest.raises(UnsupportedMediaType):
        format_of(name + ".exe")


def test_a_line_without_end_is_refused_before_it_is_read() -> None:
    with pytest.raises(TooLarge, match="line"):
        read(b'{"text": "' + b"x" * 500_000, "jsonl")


ORIGIN = AuditOptions(("origin",))


def key(options: AuditOptions = ORIGIN, **fields: object) -> bytes:
    values = {"text": "One text about a town and its library.", **fields}
    return content_key(ArticleInput.model_validate(values), options)


def test_copies_are_the_same_wherever_they_appear_and_only_then() -> None:
    assert key(outlet="Alpha") == key(outlet="Beta") == key()
    assert key(title="A title") != key()
    assert key(declared=True) != key(declared="assisted") != key()
    assert key(language="kk") != key()
    named = "Alpha: one text about a town and its library."
    assert key(text=named) != key()
    # The day matters to claims alone ("yesterday").
    assert key(published_at="2026-01-01") == key()
    both = AuditOptions()
    assert key(both, published_at="2026-01-01") != key(both)


def test_the_cache_takes_no_more_room_than_it_may() -> None:
    cache = ResultCache(max_bytes=2_000)
    for number in range(500):
        cache.put(number.to_bytes(4), {"number": number, "filling": f"{number}" * 20})
        assert cache.get(number.to_bytes(4)) == {"number": number, "filling": f"{number}" * 20}
    kept = [number for number in range(500) if cache.get(number.to_bytes(4)) is not None]
    assert kept == list(range(kept[0], 500))
    assert 10 < len(kept) < 60
    cache.put(b"big", {"x": [hash((n, "x")) for n in range(2_000)]})
    assert cache.get(b"big") is None
