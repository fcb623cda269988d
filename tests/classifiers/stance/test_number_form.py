"""Numbers in words meet the digits of the other text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.stance.number_form import digits_as_in
from classifiers.text import LANGUAGES


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("az", "iyirmi beş nəfər gəldi", "25 nəfər gəldi"),
        ("en", "twenty-five people came", "25 people came"),
        ("hu", "huszonöt ember jött", "25 ember jött"),
        ("kk", "жиырма бес адам келді", "25 адам келді"),
        ("ky", "жыйырма беш адам келди", "25 адам келди"),
        ("ru", "двадцать пять человек пришли", "25 человек пришли"),
        ("tk", "ýigrimi bäş adam geldi", "25 adam geldi"),
        ("tr", "yirmi beş kişi geldi", "25 kişi geldi"),
        ("uz", "yigirma besh kishi keldi", "25 kishi keldi"),
    ],
)
def test_words_become_the_digits_that_the_other_text_has(language: str, text: str, expected: str) -> None:
    assert digits_as_in("25", text, language) == expected
    assert digits_as_in("24", text, language) == text


def test_an_article_is_no_number() -> None:
    assert digits_as_in("1 cup", "one of them drank a cup", "en") == "one of them drank a cup"


@given(st.text(max_size=80), st.text(max_size=80), st.sampled_from(LANGUAGES))
def test_a_second_time_changes_nothing(other: str, text: str, language: str) -> None:
    once = digits_as_in(other, text, language)
    assert digits_as_in(other, once, language) == once
    if not any(character.isdigit() for character in other):
        assert once == text
