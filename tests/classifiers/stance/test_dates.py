from __future__ import annotations

from datetime import date

import pytest
from babel.dates import format_date
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.stance.dates import find_dates
from classifiers.text import LANGUAGES


@settings(deadline=None)  # machines differ
@given(st.sampled_from(LANGUAGES), st.dates(date(1900, 1, 1), date(2049, 12, 31)))
def test_long_dates_of_cldr_are_read_back(language: str, day: date) -> None:
    written = format_date(day, format="long", locale=language)
    found = find_dates(f"({written})", language)
    assert (found[0].year, found[0].month, found[0].day) == (day.year, day.month, day.day), written


@settings(deadline=None)  # machines differ
@given(st.sampled_from(LANGUAGES), st.text(max_size=60))
def test_any_text_gives_spans_inside_it(language: str, text: str) -> None:
    for found in find_dates(text, language):
        assert 0 <= found.start < found.end <= len(text)


@pytest.mark.parametrize(
    ("language", "text", "parts"),
    [
        ("az", "2019-cu il martın 5-də", (2019, 3, 5)), ("kk", "2019 жылғы 5 наурызда", (2019, 3, 5)),
        ("ky", "2019-жылдын 5-мартында", (2019, 3, 5)), ("uz", "2019-yil 5-mart kuni", (2019, 3, 5)),
        ("tk", "2019-njy ýylyň 5-nji martynda", (2019, 3, 5)), ("hu", "2019. március 5-én", (2019, 3, 5)),
        ("tr", "5 Mart 2019'da", (2019, 3, 5)), ("ru", "5 марта 2019 года", (2019, 3, 5)),
        ("en", "March 5, 2019", (2019, 3, 5)), ("tr", "05.03.2019 tarihinde", (2019, 3, 5)),
        ("ru", "в 1991 году", (1991, None, None)), ("uz", "1 сентябрь куни", (None, 9, 1)),
        ("en", "2019-03-05", (2019, 3, 5)), ("en", "03/05/2019", (2019, None, None)),
    ],
)  # fmt: skip
def test_written_dates(language: str, text: str, parts: tuple[int | None, ...]) -> None:
    found = find_dates(text, language)
    assert [(d.year, d.month, d.day) for d in found] == [parts]


def test_ambiguous_months_need_a_day_or_a_year() -> None:
    assert find_dates("They may march on.", "en") == []
    assert find_dates("in May 1991", "en")[0].month == 5


def test_dates_agree_on_what_both_state() -> None:
    full, partial = find_dates("5 March 2019", "en")[0], find_dates("5 марта", "ru")[0]
    assert full.agrees_with(partial)
    assert not full.agrees_with(find_dates("6 марта", "ru")[0])
    assert not find_dates("2019", "en")[0].agrees_with(partial)


def test_relative_words_need_the_publication_date() -> None:
    assert find_dates("It happened yesterday.", "en") == []
    found = find_dates("Бұл кеше болды.", "kk", published=date(2024, 5, 10))
    assert (found[0].year, found[0].month, found[0].day) == (2024, 5, 9)


def test_numbers_that_count_are_no_years() -> None:
    assert find_dates("2,018 people came", "en") == []
    assert find_dates("1991 tonnes", "en") == []
