"""Measuring prose and counting words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.text import count_words, prose_profile

PROSE = "The council met on Monday and talked about the new bridge for two hours. It will decide in May.\n"


def test_running_text_is_prose() -> None:
    profile = prose_profile(PROSE * 4)
    assert profile.prose_fraction == 1.0
    assert profile.quote_fraction == 0.0


def test_lists_tables_and_headings_are_told_apart() -> None:
    profile = prose_profile("Shopping\n- apples\n- pears\n1. bread\n| a | b |\n|---|---|\n" + PROSE)
    assert 0.1 < profile.list_fraction < 0.3
    assert 0.05 < profile.table_fraction < 0.2
    assert profile.heading_fraction > 0.04
    assert profile.prose_fraction > 0.5


@pytest.mark.parametrize("quoted", ["«{}»", "“{}”", "„{}”", '"{}"', "> {}"])
def test_quotations_are_counted(quoted: str) -> None:
    inner = "We shall build it this year, the mayor promised to everyone present"
    assert prose_profile(quoted.format(inner)).quote_fraction > 0.9


def test_dialogue_lines_are_no_list() -> None:
    line = "— " + "He went on about the harvest and the weather of that long year " * 3 + ".\n"
    assert prose_profile(line * 3).list_fraction == 0.0


@given(st.text())
def test_fractions_stay_between_zero_and_one(text: str) -> None:
    profile = prose_profile(text)
    for value in (
        profile.list_fraction,
        profile.table_fraction,
        profile.heading_fraction,
        profile.quote_fraction,
        profile.prose_fraction,
    ):
        assert 0.0 <= value <= 1.0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("— … !", 0),
        ("Oʻzbekiston va o'zbek tili", 4),
        ("ҚР-ның 3.5 пайызы, 12:30-да", 4),
        ("e\u0301te\u0301 one,two  three", 3),
        ("Görüş keçirildi.", 2),
    ],
)
def test_words_are_counted_as_editors_do(text: str, words: int) -> None:
    assert count_words(text) == words
