"""Short statements for training: gaps filled in every language, and each kind says what its name says."""

import json
import re
import string

import pytest

from classifiers.text import LANGUAGES
from classifiers.training.stance_frames import FRAMES, SUPPORTING, UNDECIDED, FramePairs, filled
from classifiers.training.stance_pairs import CONTRADICTS, NOT_ENOUGH, SUPPORTS, short_statements

STATEMENTS = [json.loads(line) for line in FRAMES.read_text("utf-8").splitlines()]
PLACE = dict.fromkeys(LANGUAGES, "Osh")


def digits(text: str) -> list[str]:
    return sorted(re.findall(r"\d+", text))


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda statement: statement["id"])
def test_a_statement_has_two_wordings_with_the_same_gaps_in_every_language(statement: dict) -> None:
    def gaps(wording: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(wording) if name}

    for language in LANGUAGES:
        first, second = statement[language]
        assert first != second
        assert gaps(first) == gaps(second) == gaps(statement["en"][0])
        for form in ("opposite", "weaker"):
            assert form not in statement or gaps(statement[form][language]) <= gaps(first)


def test_kinds_say_what_their_names_say() -> None:
    drawn = list(FramePairs(seed=1).draw(1500))
    for pair, kind in drawn:
        assert "{" not in pair.claim + pair.evidence
        assert "(z)" not in pair.claim + pair.evidence
        if kind == "reworded":
            assert digits(pair.claim) == digits(pair.evidence)
        if kind in ("year", "number", "other year"):
            assert digits(pair.claim) != digits(pair.evidence)
        if kind in ("place", "other place"):
            assert digits(pair.claim) == digits(pair.evidence)
            assert pair.claim != pair.evidence
    assert {pair.claim_language for pair, _ in drawn} == set(LANGUAGES)


def test_kinds_have_their_stances() -> None:
    for pair in short_statements(300, seed=2):
        kind = pair.kind.removeprefix("short ")
        expected = SUPPORTS if kind in SUPPORTING else NOT_ENOUGH if kind in UNDECIDED else CONTRADICTS
        assert pair.stance == expected


def test_the_same_seed_draws_the_same_pairs() -> None:
    assert list(FramePairs(seed=3).draw(50)) == list(FramePairs(seed=3).draw(50))


@pytest.mark.parametrize(("year", "article"), [(1999, "Az 1999"), (2004, "A 2004")])
def test_the_hungarian_article_follows_the_number(year: int, article: str) -> None:
    text = filled("A(z) {year}. évben nyílt.", "hu", {"year": year, "n": 2, "m": 3, "place": PLACE})
    assert text.startswith(article)
