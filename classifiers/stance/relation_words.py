"""Words that bound or soften a number: "more than 50", "elliden fazla", "около 50"."""

from __future__ import annotations

import re
from typing import Literal

Relation = Literal["=", ">", "<", "~"]

# Cues right before a number and cues right after it (case endings have been skipped by then).
_BEFORE: dict[str, dict[Relation, str]] = {
    "en": {">": "more than|over|above|at least|upwards of|exceeding", "<": "less than|fewer than|under|"
        "below|at most|up to",
           "~": "about|around|some|nearly|almost|roughly|approximately|close to"},
    "ru": {">": "более|больше|свыше|не менее|как минимум|по меньшей мере", "<": "менее|меньше|не более|до",
           "~": "около|примерно|почти|порядка|приблизительно"},
    "hu": {">": "több mint|legalább|meghaladja a", "<": "kevesebb mint|legfeljebb|alig", "~": "mintegy|"
        "körülbelül|kb|közel|csaknem|nagyjából"},
    "tr": {">": "en az", "<": "en fazla|en çok", "~": "yaklaşık|takriben|neredeyse|aşağı yukarı"},
    "az": {">": "ən azı|azı", "<": "ən çoxu", "~": "təxminən|təqribən|az qala"},
    "kk": {">": "кемінде", "<": "ең көбі", "~": "шамамен|жуық|дерлік"},
    "ky": {">": "кеминде|эң аз дегенде", "<": "эң көп дегенде", "~": "болжол менен|болжолдуу|дээрлик"},
    "uz": {">": "kamida|камида", "<": "ko'pi bilan|кўпи билан", "~": "taxminan|qariyb|salkam|тахминан|"
        "қарийб"},
    "tk": {">": "azyndan", "<": "köp bolanda", "~": "takmynan|tas"},
}  # fmt: skip
_AFTER: dict[str, dict[Relation, str]] = {
    "tr": {
        ">": "fazla|aşkın|çok|üzerinde|üstünde",
        "<": "az|altında",
        "~": "civarında|kadar|yakın|dolayında",
    },
    "az": {">": "çox|artıq|yuxarı", "<": "az|aşağı", "~": "yaxın|qədər"},
    "kk": {">": "астам|артық|көп|жоғары|асып", "<": "аз|кем|төмен", "~": "жуық|шақты|таяу|жақын"},
    "ky": {">": "ашык|ашуун|көп|көбүрөөк|жогору", "<": "аз|кем|төмөн", "~": "жакын|чакты|чамалуу"},
    "uz": {
        ">": "ortiq|ko'p|oshiq|ko'proq|ziyod|ортиқ|кўп|зиёд",
        "<": "kam|kamroq|кам",
        "~": "yaqin|chamasi|яқин",
    },
    "tk": {">": "gowrak|köp|artyk|köpräk", "<": "az|azrak|pes", "~": "golaý|çemesi|töweregi"},
    "hu": {">": "fölött|felett|több|feletti", "<": "alatt|alatti", "~": "körül|körüli"},
    "en": {">": "or more", "<": "or less|or fewer", "~": "or so"},
    "ru": {},
}


def _compile(
    cues: dict[str, dict[Relation, str]], template: str
) -> dict[str, list[tuple[Relation, re.Pattern[str]]]]:
    return {
        language: [(relation, re.compile(template.format(words))) for relation, words in by_relation.items()]
        for language, by_relation in cues.items()
    }


_BEFORE_PATTERNS = _compile(_BEFORE, r"(?:^|[^\w])(?:{})(?:\s+(?:a|az|the))?[\s$€£₺₽]*$")
# After the number: its own ending, at most one counted word, then the cue.
_AFTER_PATTERNS = _compile(
    _AFTER, r"^\s*[%$€£₺₽₸₼]?['’-]?\w{{0,5}}\s+(?:\w+\s+)?(?:{})(?:$|[^\w]|[\wäə]{{1,3}}(?:$|\W))"
)


def relation_around(before: str, after: str, language: str) -> Relation:
    """How the number between ``before`` and ``after`` (lower case) is meant: equal, above, below or about."""
    for relation, pattern in _BEFORE_PATTERNS.get(language, []):
        if pattern.search(before):
            return relation
    for relation, pattern in _AFTER_PATTERNS.get(language, []):
        if pattern.match(after):
            return relation
    return "="
