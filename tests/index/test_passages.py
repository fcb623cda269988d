"""Cutting texts into passages."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.passages import article_passages, record_passages, windows
from index.records import VerifiedRecord

SENTENCE = "Мост через реку открыли весной после долгого ремонта. "


@given(
    st.text(alphabet="аб вг.!?\n ", max_size=400),
    st.integers(min_value=5, max_value=60),
    st.integers(min_value=0, max_value=2),
)
def test_windows_are_in_order_short_and_lose_no_word(text: str, max_chars: int, overlap: int) -> None:
    found = list(windows("text", text, "ru", max_chars=max_chars, overlap=overlap))
    covered: set[int] = set()
    for window in found:
        assert 0 <= window.start < window.end <= len(text)
        assert window.end - window.start <= max_chars
        covered.update(range(window.start, window.end))
    starts = [window.start for window in found]
    assert starts == sorted(set(starts))
    assert all(text[place].isspace() for place in range(len(text)) if place not in covered)


def test_overlap_repeats_the_last_sentence() -> None:
    text = SENTENCE * 6
    found = list(windows("text", text, "ru", max_chars=3 * len(SENTENCE), overlap=1))
    assert len(found) > 1
    for first, second in pairwise(found):
        assert second.start < first.end
        assert text[second.start : first.end].strip() == SENTENCE.strip()


def test_without_overlap_every_character_is_encoded_once() -> None:
    text = SENTENCE * 40
    found = [passage for passage in article_passages(None, text, "ru") if passage.field == "text"]
    assert len(found) > 1
    for first, second in pairwise(found):
        assert first.end <= second.start


def test_record_passages() -> None:
    record = VerifiedRecord(id="r", claim="Мост открыли.", title="Открытие моста", text=SENTENCE * 20)
    passages = list(record_passages(record, "ru"))
    assert [passage.field for passage in passages[:3]] == ["claim", "title", "text"]
    assert record.claim[passages[0].start : passages[0].end] == record.claim


def test_a_title_that_repeats_the_claim_is_not_embedded_twice() -> None:
    record = VerifiedRecord(id="r", claim="Мост открыли.", title="Мост открыли.")
    assert [passage.field for passage in record_passages(record, "ru")] == ["claim"]


def test_a_long_claim_is_not_cut_off() -> None:
    record = VerifiedRecord(id="r", claim=(SENTENCE * 60).strip())
    passages = list(record_passages(record, "ru"))
    assert len(passages) > 1
    assert passages[-1].end == len(record.claim)


@pytest.mark.parametrize("language", ["az", "kk", "ky", "tr", "uz", "tk", "hu", "ru", "en", "other"])
def test_every_language_is_cut(language: str) -> None:
    assert list(windows("text", "Birinji sözlem. Ikinji sözlem.", language, max_chars=400, overlap=1))
