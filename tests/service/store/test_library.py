"""Everything opened together: a first start, a next start, a start after damage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from index.articles import Article
from index.records import VerifiedRecord
from service.library import Library, open_library
from service.settings import Settings
from service.store import StoreError

CLAIM = "The observatory on the hill was opened in 1932."


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


def fill(library: Library, encoder: Any) -> None:
    list(library.ingest.add([VerifiedRecord(id="r", claim=CLAIM, language="en")]))
    article = Article(id="a", text=CLAIM * 3, language="en")
    library.store.articles.save(
        article,
        library.articles.embed(article),
        model_id=encoder.model_id,
        analysis={},
        versions={},
        index_generation=library.records.generation,
    )


def found(library: Library) -> tuple[list[str], list[str]]:
    copy = Article(id="b", text=CLAIM * 3, language="en")
    duplicates = library.articles.near_duplicates(copy, library.articles.embed(copy))
    return [hit.record.id for hit in library.records.search([CLAIM], 1)[0]], [
        d.article.id for d in duplicates
    ]


def test_first_and_next_start(settings: Settings, encoder: Any) -> None:
    library = open_library(settings, encoder)
    assert found(library) == ([], [])
    fill(library, encoder)
    assert found(library) == (["r"], ["a"])
    library.close()
    assert (settings.index_folder / "records" / "CURRENT").exists()
    assert (settings.index_folder / "articles" / "CURRENT").exists()
    library = open_library(settings, encoder)
    assert (found(library), library.notices) == ((["r"], ["a"]), ())
    library.close()


def test_unchanged_indexes_are_not_written_again(settings: Settings, encoder: Any) -> None:
    library = open_library(settings, encoder)
    fill(library, encoder)
    found(library)
    library.close()
    for _ in range(3):
        library = open_library(settings, encoder)
        found(library)
        library.close()
    assert [path.name for path in (settings.index_folder / "records").glob("gen-*")] == ["gen-1"]


def test_a_damaged_snapshot_costs_a_notice(settings: Settings, encoder: Any) -> None:
    library = open_library(settings, encoder)
    fill(library, encoder)
    found(library)
    library.close()
    for manifest in settings.index_folder.glob("*/gen-1/manifest.json"):
        manifest.write_bytes(manifest.read_bytes().replace(b'"revision": 1', b'"revision": 2'))
    library = open_library(settings, encoder)
    assert [notice.split(":")[0] for notice in library.notices] == ["records", "articles"]
    assert all("manifest.json is damaged" in notice for notice in library.notices)
    assert found(library) == (["r"], ["a"])
    library.close()


def test_a_lost_index_folder_costs_nothing(settings: Settings, encoder: Any) -> None:
    import shutil

    library = open_library(settings, encoder)
    fill(library, encoder)
    library.close()
    shutil.rmtree(settings.index_folder)
    library = open_library(settings, encoder)
    assert (found(library), library.notices) == ((["r"], ["a"]), ())
    library.close()


def test_a_database_that_cannot_be_opened(tmp_path: Path, encoder: Any) -> None:
    (tmp_path / "tamga.db").write_bytes(b"not a database at all, but long enough" * 100)
    with pytest.raises(StoreError, match="not a database"):
        open_library(Settings(home=tmp_path), encoder)
