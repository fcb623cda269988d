"""Ratings in the publishers' words -> one scale."""

from __future__ import annotations

import pytest

from index.ratings import _PHRASES, _TABLE, _fold, normalise_rating


@pytest.mark.parametrize(
    ("verbatim", "normalised"),
    [
        ("False", "false"),
        ("  MOSTLY FALSE. ", "mostly_false"),
        ("Half-True", "mixed"),
        ("Pants on Fire!", "false"),
        ("False: the photo was taken in 2015", "false"),
        ("Fake — the ministry never said so", "false"),
        ("YANLIŞ", "false"),
        ("Yanlış", "false"),
        ("Doğru", "true"),
        ("DOĞRUDUR", "true"),
        ("Yalan", "false"),
        ("Çaşdırıcı", "mostly_false"),
        ("Жалған", "false"),
        ("ШЫНДЫҚ", "true"),
        ("Жартылай рас", "mixed"),
        ("Калп", "false"),
        ("Негизинен чын", "mostly_true"),
        ("Yolgʻon", "false"),
        ("yolg’on", "false"),
        ("Toʻgʻri", "true"),
        ("Nädogry", "false"),
        ("Dogry", "true"),
        ("Hamis", "false"),
        ("Féligaz", "mixed"),
        ("Félrevezető", "mostly_false"),
        ("Недоказуемо", "unverifiable"),
        ("Полуправда", "mixed"),
        ("Вводит в заблуждение", "mostly_false"),
    ],
)
def test_known_ratings(verbatim: str, normalised: str) -> None:
    assert normalise_rating(verbatim) == normalised


@pytest.mark.parametrize(
    "verbatim", [None, "", "…", "Satire", "It is not the case that this is true", "3/5", "trueish"]
)
def test_unknown_ratings_stay_unknown(verbatim: str | None) -> None:
    assert normalise_rating(verbatim) is None


def test_negated_truth_is_false() -> None:
    for verbatim in (
        "Not true",
        "не правда",
        "doğru değil",
        "doğru deyil",
        "рас емес",
        "чын эмес",
        "nem igaz",
    ):
        assert normalise_rating(verbatim) == "false"


def test_no_phrase_has_two_meanings() -> None:
    phrases = [
        phrase for text in _PHRASES.values() for phrase in {_fold(part) for part in text.split(";")} - {""}
    ]
    assert len(phrases) == len(set(phrases)) == len(_TABLE)
