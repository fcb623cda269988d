"""Texts are kept for as long as the settings say; what is known about them stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from index.articles import Article, ArticleIndex
from index.passage_index import PassageIndex
from index.snapshot import SnapshotFolder
from service.retention import purge
from service.settings import Settings
from service.store import Store
from service.store.models import ArticleRow

TEXT = (
    "The old bridge was closed on Monday. Engineers found cracks in two pillars. "
    "Buses take another road until the repair is done, the town said in the evening."
)
NOW = datetime.now(UTC)


@pytest.fixture
def articles(store: Store, encoder: Any, tmp_path: Path) -> ArticleIndex:
    index = PassageIndex(store.articles, encoder, SnapshotFolder(tmp_path / "index" / "articles"))
    index.load()
    return ArticleIndex(store.articles, index, max_windows=8)


def save(store: Store, articles: ArticleIndex, article_id: str, *, days_ago: int) -> Article:
    article = Article(id=article_id, text=f"{TEXT} {article_id}", title="A bridge", language="en")
    analysis = {
        "id": article_id,
        "text": article.text,
        "origin": {"score": 0.5},
        "claims": [{"start": 0, "end": 36, "text": TEXT[:36], "matches": [{"record_id": "r1"}]}],
    }
    store.articles.save(
        article,
        articles.embed(article),
        model_id="trigrams-48",
        analysis=analysis,
        versions={},
        index_generation=1,
    )
    with store.database.writing() as connection:
        stored_at = NOW - timedelta(days=days_ago)
        connection.execute(
            sa.update(ArticleRow).where(ArticleRow.id == article_id).values(created_at=stored_at)
        )
    return article


def test_old_texts_go_and_what_is_known_stays(store: Store, articles: ArticleIndex) -> None:
    old = save(store, articles, "old", days_ago=31)
    new = save(store, articles, "new", days_ago=29)
    assert purge(store, Settings(), NOW) == 0
    settings = Settings(keep_texts_days=30)
    assert purge(store, settings, NOW) == 1
    assert purge(store, settings, NOW) == 0

    assert store.articles.get("old") is None
    assert store.articles.find_by_content(old.content_hash) == "old"
    analysis = store.articles.analysis("old")
    assert analysis is not None
    assert analysis["origin"] == {"score": 0.5}
    assert analysis["claims"] == [{"start": 0, "end": 36, "text": "", "matches": [{"record_id": "r1"}]}]
    assert datetime.fromisoformat(analysis["text_dropped_at"]) > NOW - timedelta(minutes=5)
    assert store.articles.get("new") == new
    assert [entry.detail["ids"] for entry in store.audit_log.list() if "drop" in entry.action] == [["old"]]


def test_nothing_of_a_dropped_text_is_left_in_the_database(store: Store, articles: ArticleIndex) -> None:
    save(store, articles, "old", days_ago=2)
    passages = store.articles.count_passages()
    assert passages > 0
    purge(store, Settings(keep_texts_days=1), NOW)
    assert store.articles.count_passages() == 0
    with store.database.reading() as connection:
        for table in ArticleRow.metadata.sorted_tables:
            for row in connection.execute(sa.select(table)):
                assert "cracks" not in str(row), table.name
                assert TEXT[:36] not in str(row), table.name


def test_a_dropped_article_is_no_near_duplicate_and_can_be_deleted(
    store: Store, articles: ArticleIndex
) -> None:
    save(store, articles, "old", days_ago=2)
    again = Article(id="again", text=f"{TEXT} again", language="en")

    def duplicates() -> list[str]:
        found = articles.near_duplicates(again, articles.embed(again), top_k=5, min_shared=0.3)
        return [item.article.id for item in found]

    assert duplicates() == ["old"]
    purge(store, Settings(keep_texts_days=1), NOW)
    assert duplicates() == []
    assert store.articles.delete("old")
    assert store.articles.analysis("old") is None
    assert not store.articles.delete("old")


def test_many_texts_are_dropped_in_parts(store: Store, articles: ArticleIndex) -> None:
    for number in range(5):
        save(store, articles, f"a{number}", days_ago=10 + number)
    assert store.articles.drop_texts(NOW, limit=2) == 2
    assert [store.articles.get(f"a{number}") is None for number in range(5)] == [False] * 3 + [True] * 2
    assert purge(store, Settings(keep_texts_days=1), NOW) == 3
