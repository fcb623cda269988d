"""Short statements of one number, year or place, written for the project in all nine languages.

Parallel news sentences are long: a model trained on their changed copies alone overlooks that two sentences
of seven words differ in nothing but the year. ``stance_frames.jsonl`` holds for each statement two wordings
a language and, where there is one, its opposite or a weaker form; here their gaps are filled. A gap named
under ``contradicting`` can have one true filling: a bridge opens once. With another filling of any other gap
the statement is about something else: two cities may have a fire each.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from classifiers.stance.evidence import ClaimEvidence
from classifiers.text import LANGUAGES
from classifiers.training import stance_mutations as mutations

FRAMES: Final = Path(__file__).with_name("stance_frames.jsonl")
_SAME_LANGUAGE: Final = 0.5
# Kinds of pairs and how often each is drawn.
_KINDS: Final = {
    "reworded": 22,
    "spelled": 6,
    "bounded": 10,
    "weaker": 5,
    "year": 14,
    "number": 14,
    "place": 3,
    "opposite": 10,
    "longer": 5,
    "other": 8,
    "other year": 4,
    "other place": 7,
}
_GAPS: Final = {"year": "{year}", "number": "{n}", "place": "{place}"}
SUPPORTING: Final = ("reworded", "spelled", "bounded", "weaker")
UNDECIDED: Final = ("longer", "other", "other year", "other place")
# Each place in the languages of LANGUAGE_ORDER.
_LANGUAGE_ORDER: Final = ("en", "ru", "hu", "tr", "az", "kk", "ky", "uz", "tk")
_PLACES: Final = tuple(
    dict(zip(_LANGUAGE_ORDER, names.split(), strict=True))
    for names in (
        "Baku Баку Baku Bakü Bakı Баку Баку Boku Baku",
        "Astana Астана Asztana Astana Astana Астана Астана Ostona Astana",
        "Almaty Алматы Almati Almatı Almatı Алматы Алматы Olmaota Almaty",
        "Tashkent Ташкент Taskent Taşkent Daşkənd Ташкент Ташкент Toshkent Daşkent",
        "Samarkand Самарканд Szamarkand Semerkant Səmərqənd Самарқанд Самарканд Samarqand Samarkant",
        "Bishkek Бишкек Biskek Bişkek Bişkek Бішкек Бишкек Bishkek Bişkek",
        "Ankara Анкара Ankara Ankara Ankara Анкара Анкара Anqara Ankara",
        "Izmir Измир Izmir İzmir İzmir Измир Измир Izmir Izmir",
        "Ashgabat Ашхабад Asgabat Aşkabat Aşqabad Ашғабат Ашхабад Ashxobod Aşgabat",
        "Budapest Будапешт Budapest Budapeşte Budapeşt Будапешт Будапешт Budapesht Budapeşt",
        "Ganja Гянджа Gandzsa Gence Gəncə Гянджа Гянжа Ganja Gänje",
        "Osh Ош Os Oş Oş Ош Ош Oʻsh Oş",
        "London Лондон London Londra London Лондон Лондон London London",
        "Tbilisi Тбилиси Tbiliszi Tiflis Tbilisi Тбилиси Тбилиси Tbilisi Tbilisi",
    )
)
Statement = dict[str, Any]
Gaps = dict[str, Any]


class FramePairs:
    """Draws pairs of filled statements."""

    def __init__(self, seed: int = 0) -> None:
        self._statements: list[Statement] = [
            json.loads(line) for line in FRAMES.read_text("utf-8").splitlines()
        ]
        self._random = random.Random(seed)  # noqa: S311 (no secrets here)

    def draw(self, count: int) -> Iterator[tuple[ClaimEvidence, str]]:
        """``count`` pairs and their kinds, of which :data:`SUPPORTING` support, :data:`UNDECIDED` say
        nothing and the others contradict.
        """
        for kind in self._random.choices(tuple(_KINDS), tuple(_KINDS.values()), k=count):
            pair = None
            while pair is None:  # not every statement has an opposite, a year or a number
                pair = self._make(kind, self._random.choice(self._statements))
            yield pair, kind

    def _make(self, kind: str, statement: Statement) -> ClaimEvidence | None:
        claim_language = self._random.choice(LANGUAGES)
        same = self._random.random() < _SAME_LANGUAGE
        language = claim_language if same else self._random.choice(LANGUAGES)
        gaps = self._gaps()
        wordings: list[str] = statement[claim_language]
        claim_text = self._random.choice(wordings)
        evidence = filled(self._random.choice(statement[language]), language, gaps)
        claim: str | None = filled(claim_text, claim_language, gaps)
        gap = kind.removeprefix("other ")
        if gap in _GAPS:
            contradicts = gap in statement["contradicting"]
            claim = None
            if _GAPS[gap] in claim_text and contradicts == (gap == kind):
                claim = filled(claim_text, claim_language, self._changed(gaps, gap))
        elif kind == "spelled":
            claim = mutations.spell_number(claim or "", claim_language, self._random)
        elif kind == "bounded":
            bound = self._random.choice("<>")
            claim = mutations.bound_number(claim or "", claim_language, bound, self._random)
            if claim and self._random.random() < 0.5:  # both say "at most", or the claim alone does
                other = mutations.bound_number(evidence, language, bound, self._random)
                evidence = other or evidence
            if claim and self._random.random() < 0.4:
                claim = mutations.spell_number(claim, claim_language, self._random) or claim
        elif kind in ("opposite", "weaker"):
            claim = self._other_form(statement, kind, claim_language, gaps)
        elif kind == "longer":  # the claim says more than the evidence
            shorter = self._other_form(statement, "weaker", language, gaps)
            claim, evidence = (claim, shorter) if shorter else (None, evidence)
        elif kind == "other":
            another = self._random.choice(self._statements)
            claim = None if another is statement else filled(another[claim_language][0], claim_language, gaps)
        if claim is None:
            return None
        if kind == "opposite" and self._random.random() < 0.5:
            return ClaimEvidence(evidence, claim, language, claim_language)
        return ClaimEvidence(claim, evidence, claim_language, language)

    def _gaps(self) -> Gaps:
        numbers = [self._number(), self._number()]
        return {"year": self._random.randint(1921, 2026), "n": numbers[0], "m": numbers[1],
                "place": self._random.choice(_PLACES)}  # fmt: skip

    def _number(self) -> int:
        return self._random.randint(2, self._random.choice((20, 99, 99, 999, 9999)))

    def _changed(self, gaps: Gaps, gap: str) -> Gaps:
        if gap == "year":
            return gaps | {"year": gaps["year"] + self._random.choice((-10, -3, -2, -1, 1, 2, 3, 5, 10))}
        if gap == "number":
            share = self._random.choice((0.5, 0.8, 0.9, 1.1, 1.5, 2, 10))
            other = round(gaps["n"] * share)
            return gaps | {"n": other if other != gaps["n"] else gaps["n"] + 1}
        return gaps | {"place": self._random.choice([p for p in _PLACES if p is not gaps["place"]])}

    @staticmethod
    def _other_form(statement: Statement, form: str, language: str, gaps: Gaps) -> str | None:
        return filled(statement[form][language], language, gaps) if form in statement else None


def filled(wording: str, language: str, gaps: Gaps) -> str:
    """``wording`` with its gaps filled; in Hungarian the article before a gap follows what was put in."""
    text = wording.format(**gaps | {"place": gaps["place"][language]})
    return re.sub(r"([Aa])\(z\)(?= (\w+))", _article, text) if language == "hu" else text


def _article(match: re.Match[str]) -> str:
    following = match[2]
    # Numbers are said with a vowel first where they begin with one (egy, ezer) or five (öt).
    vowel = following[0].lower() in "aáeéiíoóöőuúüű5" or re.fullmatch(r"1|1\d{3}(\d{3})?", following)
    return match[1] + ("z" if vowel else "")
