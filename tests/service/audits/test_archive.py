"""Archives on disk: folders read as one file, and results of an interrupted audit gone on with."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from service.audits.archive import Archive
from service.audits.items import AuditArticle, AuditOptions, Item
from service.audits.resume import kept_results
from service.errors import Conflict, InvalidInput


def lines(*values: object) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def test_a_folder_is_read_like_one_file_in_the_order_of_its_paths(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    (folder / "2025").mkdir(parents=True)
    (folder / "2025" / "b.jsonl").write_bytes(lines({"id": 3, "text": "three"}, {"id": 1, "text": "again"}))
    parquet.write_table(pa.table({"id": ["p"], "text": ["parquet"]}), folder / "2025" / "a.parquet")
    (folder / "2024.jsonl").write_bytes(lines({"id": 1, "text": "one"}) + b"\n{broken\n")
    (folder / "z.csv").write_bytes(b"id,text\nc,csv\n")
    (folder / "_SUCCESS").write_bytes(b"")
    (folder / "_temporary").mkdir()
    (folder / "_temporary" / "part.jsonl").write_bytes(lines({"id": 9, "text": "left behind"}))
    (folder / "notes.md").write_bytes(b"no articles")
    archive = Archive(folder)
    items = list(archive)
    assert [item.number for item in items] == list(range(6))
    told = [item.source.text if item.source else (item.error or {})["detail"] for item in items]
    assert told == [
        "one",
        "2024.jsonl: line 3: Expecting property name enclosed in double quotes at column 2",
        "parquet",
        "three",
        "2025/b.jsonl: an earlier item has the id 1",
        "csv",
    ]
    assert archive.count() is None
    (folder / "z.csv").unlink()
    assert Archive(folder).count() == 5


def test_files_are_read_by_their_names_and_broken_ones_are_named(tmp_path: Path) -> None:
    plain = tmp_path / "articles.txt"
    plain.write_bytes(lines({"id": 1, "text": "a"}, {"id": 1, "text": "b"}))
    assert [item.error is None for item in Archive(plain)] == [True, False]
    packed = tmp_path / "articles.jsonl.gz"
    packed.write_bytes(gzip.compress(lines({"id": 1, "text": "a"})))
    assert [item.id for item in Archive(packed)] == [1]
    assert Archive(packed).count() is None
    broken = tmp_path / "articles.parquet"
    broken.write_bytes(b"PAR1 no")
    for read in (list, Archive.count):
        with pytest.raises(InvalidInput, match=r"articles\.parquet"):
            read(Archive(broken))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInput, match="holds no file"):
        Archive(tmp_path / "empty")


ORIGIN = AuditOptions(("origin",), 0.01)


def result_of(item: Item) -> dict[str, object]:
    if item.error is not None:
        return {"id": item.id, "error": dict(item.error)}
    return {"id": item.id, "origin": {"target_fpr": 0.01}}


def items_of(count: int) -> list[Item]:
    return [
        Item(n, None, None, {"type": "bad"})
        if n % 5 == 2
        else Item(n, f"i{n}", AuditArticle(text="text"), None)
        for n in range(count)
    ]


@settings(deadline=None)
@given(count=st.integers(0, 12), cut=st.integers(0, 2_000))
def test_wherever_a_process_was_killed_whole_lines_stay_and_no_half_one(count: int, cut: int) -> None:
    items = items_of(count)
    whole = lines(*map(result_of, items))
    file = io.BytesIO(whole[: min(cut, len(whole))])
    rest = iter(items)
    kept = list(kept_results(file, rest, ORIGIN))
    assert [item.number for item, _ in kept] == list(range(len(kept)))
    file.seek(0, io.SEEK_END)
    file.write(lines(*map(result_of, rest)))
    assert file.getvalue() == whole


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ({"id": "other", "origin": {"target_fpr": 0.01}}, "'i0'"),
        ({"id": "i0", "origin": {"target_fpr": 0.05}}, "--fpr 0.05"),
        ({"id": "i0", "origin": {"target_fpr": 0.01}, "claims": []}, "--checks"),
    ],
)
def test_results_of_something_else_are_not_gone_on_with(tmp_path: Path, result: object, reason: str) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(lines(result))
    with path.open("r+b") as file, pytest.raises(Conflict, match=reason):
        list(kept_results(file, iter(items_of(3)), ORIGIN))
    assert path.read_bytes() == lines(result)
    path.write_bytes(lines(*map(result_of, items_of(3))))
    with path.open("r+b") as file, pytest.raises(Conflict, match="no more than 2"):
        list(kept_results(file, iter(items_of(2)), ORIGIN))
