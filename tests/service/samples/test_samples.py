"""The sample records and articles are complete, sourced, and honest about deliberate errors."""

from __future__ import annotations

import re
from collections import Counter
from urllib.parse import urlsplit

import pytest

from index.records import VerifiedRecord
from service.samples import SampleArticle, SamplePair, sample_articles, sample_records

LANGUAGES = {"az", "kk", "ky", "tr", "uz", "tk", "hu", "ru", "en"}
RECORDS = {record.id: record for record in sample_records()}
ARTICLES = sample_articles()
PAIRS = [
    pytest.param(article, pair, id=f"{article.id}-{pair.record_id}")
    for article in ARTICLES
    for pair in article.pairs
]


def numbers(text: str) -> Counter[str]:
    return Counter(re.findall(r"\d+", text))


def is_cyrillic(text: str) -> bool:
    return len(re.findall(r"[А-яЁёЎўҚқҒғҲҳ]", text)) > len(re.findall(r"[A-Za-z]", text))


def test_every_language_has_at_least_twelve_records() -> None:
    counts = Counter(record.language for record in RECORDS.values())
    assert set(counts) == LANGUAGES
    assert min(counts.values()) >= 12
    assert sum(counts.values()) >= 108


def test_record_ids_are_unique() -> None:
    assert len(RECORDS) == len(sample_records())


def test_no_claim_is_stated_twice() -> None:
    assert len({record.claim for record in RECORDS.values()}) == len(RECORDS)


def test_uzbek_records_come_in_both_scripts() -> None:
    cyrillic = [
        record for record in RECORDS.values() if record.language == "uz" and is_cyrillic(record.claim)
    ]
    latin = [
        record for record in RECORDS.values() if record.language == "uz" and not is_cyrillic(record.claim)
    ]
    assert len(cyrillic) >= 2
    assert len(latin) > len(cyrillic)


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS.keys())
def test_record_names_its_source_and_its_rating(record: VerifiedRecord) -> None:
    assert record.sample
    assert record.id.startswith(f"sample-{record.language}-")
    assert record.title
    assert record.text
    assert record.publisher
    assert record.rating
    assert record.rating_normalised in ("true", "false")
    address = urlsplit(record.url or "")
    assert address.scheme == "https"
    assert "." in address.netloc


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS.keys())
def test_record_text_repeats_the_numbers_of_a_true_claim(record: VerifiedRecord) -> None:
    # The text is the evidence a reader is shown: a number only in the claim would stand there unsupported.
    if record.rating_normalised == "true":
        missing = set(numbers(record.claim)) - set(numbers(f"{record.title} {record.text}"))
        assert not missing


def test_every_language_has_a_record_rated_false() -> None:
    assert {
        record.language for record in RECORDS.values() if record.rating_normalised == "false"
    } == LANGUAGES


def test_superseded_records_name_a_record_that_starts_when_they_end() -> None:
    superseded = [record for record in RECORDS.values() if record.superseded_by]
    assert superseded
    for record in superseded:
        successor = RECORDS[record.superseded_by or ""]
        assert record.valid_to is not None
        assert successor.valid_from is not None
        assert not record.valid_at(successor.valid_from)
        assert not successor.valid_at(record.valid_to)


def test_ten_articles_cover_all_languages_and_both_uzbek_scripts() -> None:
    assert len(ARTICLES) == 10
    assert len({article.id for article in ARTICLES}) == 10
    assert {article.language for article in ARTICLES} == LANGUAGES
    assert {is_cyrillic(article.text) for article in ARTICLES if article.language == "uz"} == {True, False}


@pytest.mark.parametrize("article", ARTICLES, ids=lambda article: article.id)
def test_article_is_marked_as_a_sample_and_has_the_length_of_a_news_item(article: SampleArticle) -> None:
    assert article.outlet == "Tamga samples"
    assert article.id.startswith("sample-article-")
    assert article.title
    assert 150 <= len(article.text.split()) <= 300
    assert "?" in article.text, "an article also holds sentences that are no claims"


@pytest.mark.parametrize(("article", "pair"), PAIRS)
def test_paired_sentence_stands_once_in_the_text_and_its_record_exists(
    article: SampleArticle, pair: SamplePair
) -> None:
    assert article.text.count(pair.sentence) == 1
    assert pair.record_id in RECORDS


@pytest.mark.parametrize(("article", "pair"), PAIRS)
def test_repeated_numbers_are_the_records_and_changed_numbers_are_not(
    article: SampleArticle, pair: SamplePair
) -> None:
    claimed, known = numbers(pair.sentence), numbers(RECORDS[pair.record_id].claim)
    if pair.relation == "repeats":
        assert not known - claimed
        assert pair.article_value is None
        assert pair.record_value is None
        return
    assert pair.article_value
    assert pair.record_value
    assert pair.article_value != pair.record_value
    assert pair.article_value in pair.sentence
    assert pair.record_value in RECORDS[pair.record_id].claim
    # The changed value is the only number in which the two sentences differ.
    assert claimed - known == numbers(pair.article_value) - numbers(pair.record_value)
    assert known - claimed == numbers(pair.record_value) - numbers(pair.article_value)
    assert article.note
    assert pair.record_id in article.note


def test_a_note_stands_only_where_an_error_is_deliberate() -> None:
    assert all((article.note is not None) == bool(article.contradicts) for article in ARTICLES)
    assert sum(bool(article.contradicts) for article in ARTICLES) >= 3


def test_the_kazakh_article_on_marking_ai_content_matches_russian_records() -> None:
    article = next(article for article in ARTICLES if article.id == "sample-article-kk-ai-marking")
    assert sum(RECORDS[record_id].language == "ru" for record_id in article.repeats) >= 3


def test_at_least_thirty_matches_cross_a_language_border() -> None:
    crossing = {
        (pair.record_id, article.language)
        for article in ARTICLES
        for pair in article.pairs
        if RECORDS[pair.record_id].language != article.language
    }
    assert len(crossing) >= 30
