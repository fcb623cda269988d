"""Articles: stored whole with their analyses, recognised when they come again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from index.articles import Article, ArticleIndex, EmbeddedArticle, shingles
from index.passage_index import PassageIndex
from index.snapshot import SnapshotFolder
from service.store import Store

AGENCY = (
    "The ministry of transport opened a new section of the railway on Monday. "
    "The line is 84 kilometres long. "
    "It joins two towns in the north which had no railway before. Trains will run four times a day. "
    "The minister said that the work took three years. Freight trains follow in autumn, the ministry added. "
    "Residents of the smaller town greeted the first train with music. A second section is planned."
)
EDITED = "A railway for the north. " + AGENCY.replace(
    "Residents of the smaller town greeted the first train with music. ", ""
)
SAME_EVENT = (
    "After years of waiting, people in two northern towns can at last travel by train. "
    "On Monday morning the track was handed over. It measures 84 km, and there are to be four departures "
    "daily, officials of the transport ministry say."
)
UNRELATED = (
    "The volleyball team lost its third match in a row on Sunday evening. The coach blamed the long journey."
)


@pytest.fixture
def open_articles(store: Store, encoder: Any, tmp_path: Path) -> Callable[..., ArticleIndex]:
    def opened(max_windows: int = 128) -> ArticleIndex:
        index = PassageIndex(store.articles, encoder, SnapshotFolder(tmp_path / "index" / "articles"))
        index.load()
        return ArticleIndex(store.articles, index, max_windows=max_windows)

    return opened


def article(article_id: str, text: str, **fields: Any) -> Article:
    return Article.model_validate({"id": article_id, "text": text, "language": "en", **fields})


def save(store: Store, articles: ArticleIndex, given: Article, **analysis: Any) -> EmbeddedArticle:
    embedded = articles.embed(given)
    store.articles.save(
        given,
        embedded,
        model_id="trigrams-48",
        analysis={"id": given.id, **analysis},
        versions={"detector": "1"},
        index_generation=3,
    )
    return embedded


def test_stored_and_read_back(store: Store, open_articles: Callable[..., ArticleIndex]) -> None:
    articles = open_articles()
    given = article(
        "a1", AGENCY, title="New line", outlet="Example", url="https://example.org", published_at="2024-03-12"
    )
    save(store, articles, given, language="en", claims=[{"text": "ı İ ё 😀"}])
    assert store.articles.get("a1") == given
    assert store.articles.analysis("a1") == {"id": "a1", "language": "en", "claims": [{"text": "ı İ ё 😀"}]}
    assert store.articles.find_by_content(given.content_hash) == "a1"
    assert store.articles.get("a2") is None
    assert store.articles.analysis("a2") is None
    assert store.articles.find_by_content("0" * 64) is None


def test_the_latest_analysis_counts(store: Store, open_articles: Callable[..., ArticleIndex]) -> None:
    articles = open_articles()
    save(store, articles, article("a1", AGENCY), run=1)
    save(store, articles, article("a1", UNRELATED), run=2)
    assert store.articles.analysis("a1") == {"id": "a1", "run": 2}
    assert store.articles.get("a1") == article("a1", UNRELATED)
    assert store.articles.count() == 1
    articles.refresh()
    assert len(articles) == store.articles.count_passages()


def test_listed_without_texts_newest_first(store: Store, open_articles: Callable[..., ArticleIndex]) -> None:
    articles = open_articles()
    for number in range(5):
        outlet, published = f"Outlet {number}", f"2024-03-1{number}"
        save(store, articles, article(f"a{number}", AGENCY, outlet=outlet, published_at=published))
    # One that comes again keeps its place: whoever pages through the list meets each once.
    save(store, articles, article("a1", UNRELATED, outlet="Outlet 1"))
    first = store.articles.heads(limit=2)
    assert [(head.id, head.outlet, head.published_at) for head in first] == [
        ("a4", "Outlet 4", "2024-03-14"),
        ("a3", "Outlet 3", "2024-03-13"),
    ]
    assert [head.id for head in store.articles.heads("a3", 10)] == ["a2", "a1", "a0"]
    assert store.articles.heads("a0") == []
    assert store.articles.heads("unknown") == []


def test_deleted_with_everything(store: Store, open_articles: Callable[..., ArticleIndex]) -> None:
    articles = open_articles()
    save(store, articles, article("a1", AGENCY))
    assert store.articles.delete("a1")
    assert not store.articles.delete("a1")
    assert store.articles.analysis("a1") is None
    articles.refresh()
    assert len(articles) == 0
    copy = article("a2", AGENCY)
    assert articles.near_duplicates(copy, articles.embed(copy)) == []


def test_agency_copy_is_recognised(store: Store, open_articles: Callable[..., ArticleIndex]) -> None:
    articles = open_articles()
    for article_id, text in (("agency", AGENCY), ("same-event", SAME_EVENT), ("sport", UNRELATED)):
        save(store, articles, article(article_id, text))
    exact = article("exact", AGENCY)
    (duplicate,) = articles.near_duplicates(exact, articles.embed(exact))
    assert duplicate.article.id == "agency"
    assert duplicate.shared_text == 1
    assert duplicate.similarity == pytest.approx(1, abs=5e-4)
    edited = article("edited", EDITED)
    (duplicate,) = articles.near_duplicates(edited, articles.embed(edited))
    assert duplicate.article.id == "agency"
    assert 0.7 < duplicate.shared_text < 1
    assert 0 < duplicate.similarity < 1


def test_the_same_event_in_other_words_is_no_copy(
    store: Store, open_articles: Callable[..., ArticleIndex]
) -> None:
    articles = open_articles()
    save(store, articles, article("agency", AGENCY))
    other = article("other", SAME_EVENT)
    assert articles.near_duplicates(other, articles.embed(other)) == []


def test_an_article_is_not_its_own_duplicate(
    store: Store, open_articles: Callable[..., ArticleIndex]
) -> None:
    articles = open_articles()
    embedded = save(store, articles, article("a1", AGENCY))
    assert articles.near_duplicates(article("a1", AGENCY), embedded) == []


def test_hidden_characters_do_not_hide_a_copy(
    store: Store, open_articles: Callable[..., ArticleIndex]
) -> None:
    articles = open_articles()
    save(store, articles, article("agency", AGENCY))
    masked = article("masked", AGENCY.replace("e", "e\u200b").upper())
    (duplicate,) = articles.near_duplicates(masked, articles.embed(masked))
    assert duplicate.shared_text == 1


def test_articles_of_another_process_and_after_a_restart(
    store: Store, open_articles: Callable[..., ArticleIndex]
) -> None:
    first, second = open_articles(), open_articles()
    save(store, first, article("agency", AGENCY))
    copy = article("copy", AGENCY)
    assert len(second.near_duplicates(copy, second.embed(copy))) == 1
    assert second.save()
    third = open_articles()
    assert len(third.near_duplicates(copy, third.embed(copy))) == 1


def test_long_articles_say_what_was_left_out(open_articles: Callable[..., ArticleIndex]) -> None:
    embedded = open_articles(max_windows=3).embed(article("long", AGENCY * 20, title="Title"))
    assert [passage.field for passage in embedded.passages] == ["title", "text", "text", "text"]
    assert len(embedded.vectors) == 4
    assert embedded.total_windows > 3


def test_text_without_words(store: Store, open_articles: Callable[..., ArticleIndex]) -> None:
    articles = open_articles()
    save(store, articles, article("agency", AGENCY))
    strange = article("strange", "*** … !!! ***")
    assert articles.near_duplicates(strange, articles.embed(strange)) == []


def test_shingles() -> None:
    assert len(shingles("one two three four five six")) == 2
    assert len(shingles("one two")) == 1
    assert shingles("One, TWO!") == shingles("one two")
    assert shingles("  ") == set()
