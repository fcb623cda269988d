"""The detector's view forgets figures, addresses and dash spacing, and nothing that an author chose."""

from hypothesis import given
from hypothesis import strategies as st

from classifiers.ai_text.view import detector_view
from classifiers.text import canonicalise


@given(st.text(max_size=200))
def test_the_view_of_a_view_is_itself(text: str) -> None:
    once = detector_view(canonicalise(text).text)
    assert detector_view(once) == once


def test_years_addresses_and_dashes_lose_their_particulars() -> None:
    view = detector_view("In 2018 the  office -- see https://example.org/a?b=1 - told Daily.Az again")
    assert view == detector_view("In 2026 the office - see www.example.com -- told other-site.com again")
    assert view == "In 0000 the office - see - told again"


def test_case_and_words_stay() -> None:
    assert detector_view("İndi Bakıda yağış yağır.") == "İndi Bakıda yağış yağır."
