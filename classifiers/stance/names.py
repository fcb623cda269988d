"""Named things in a pair of texts: which names of the claim the evidence holds, across scripts and case
endings.

Names are capitalised words (not merely first in a sentence). Countries are compared by CLDR territory, since
their names are translated rather than transliterated ("Almaniya", "Germany"). Everything else is compared by
sound.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache

from babel import Locale

from classifiers.stance.latin import consonants, sound_key, to_latin
from classifiers.stance.translated_names import is_translated
from classifiers.text import fold_case

_WORD = re.compile(r"[^\W\d_]+(?:['’ʻʼ‘`-][^\W\d_]+)*")
_SENTENCE_START = re.compile(r"(?:^|[.!?…]['\"”»]?\s+|[\n:]\s*)[\"'«“„‘(–—-]*\s*$")
_ENDING_AFTER_MARK = re.compile(r"^(.{2,}?)['’ʼ-]([a-zа-яёәіңғүұқөһıəöüşçğýáéőű]{1,8})$")
_ALIKE = 0.78
_UNALIKE = 0.6


@dataclass(frozen=True, slots=True)
class Name:
    """A name as written. ``territory`` is a CLDR region code when the word names a country, else None."""

    text: str
    stem: str
    language: str
    territory: str | None
    start: int
    end: int


@cache
def _territories(language: str) -> dict[str, str]:
    """Lower-case country names of a language -> region code (two letters: countries, not continents)."""
    names: dict[str, str] = {}
    for locale_name in ("uz", "uz_Cyrl") if language == "uz" else (language,):
        for code, name in Locale.parse(locale_name).territories.items():
            if len(code) == 2 and code.isalpha() and " " not in name and len(name) >= 4:
                names[fold_case(name, language)] = code
    return names


def _territory(word: str, language: str) -> str | None:
    table = _territories(language)
    lowered = fold_case(word, language)
    for length in range(len(lowered), max(3, len(lowered) - 7), -1):
        if code := table.get(lowered[:length]):
            return code
        if language == "ru" and length >= 5:
            for vowel in "аяй":
                if code := table.get(lowered[: length - 1] + vowel):
                    return code
    return None


def find_names(text: str, language: str) -> list[Name]:
    """Capitalised names in ``text``. A sentence's first word counts only where it is written so again or is
    a country.

    Offsets are code points of ``text``; ``stem`` drops a case ending set off by an apostrophe or hyphen.
    """
    found: list[Name] = []
    first_words: list[Name] = []
    for match in _WORD.finditer(text):
        word = match.group()
        if not word[0].isupper() or len(word) < 2:
            continue
        split = _ENDING_AFTER_MARK.match(word)
        stem = split.group(1) if split else word
        territory = _territory(stem, language)
        name = Name(word, stem, language, territory, match.start(), match.end())
        opens = bool(_SENTENCE_START.search(text[: match.start()]))
        if opens and territory is None and not (stem.isupper() and len(stem) >= 2):
            first_words.append(name)
        elif word not in ("I", "I'm", "I’m"):
            found.append(name)
    known = {fold_case(n.stem, language)[:5] for n in found}
    found += [n for n in first_words if fold_case(n.stem, language)[:5] in known]
    return sorted(found, key=lambda n: n.start)


def similarity(a: str, a_language: str, b: str, b_language: str) -> float:
    """How alike two words sound, 0 to 1; case endings at the end of the longer one cost little."""
    key_a, key_b = sound_key(a, a_language), sound_key(b, b_language)
    if not key_a or not key_b:
        return 0.0
    short, long = sorted((key_a, key_b), key=len)
    if len(short) >= 3 and long.startswith(short) and len(long) - len(short) <= 6:
        return 1.0
    cut = long[: len(short) + 1] if len(short) >= 4 else long
    ratio = max(
        SequenceMatcher(None, short, cut, autojunk=False).ratio(),
        SequenceMatcher(None, short, long[: len(short)], autojunk=False).ratio() if len(short) >= 4 else 0.0,
    )
    bones_a, bones_b = consonants(key_a), consonants(key_b)
    least = min(len(bones_a), len(bones_b))
    if least >= 3 and bones_a[:least] == bones_b[:least] and abs(len(bones_a) - len(bones_b)) <= 3:
        ratio = max(ratio, 0.9)
    elif least == 2 and bones_a == bones_b:
        ratio = max(ratio, 0.8)
    return ratio


def _best(name: Name, words: Iterable[tuple[str, str]]) -> float:
    return max(
        (similarity(name.stem, name.language, word, language) for word, language in words), default=0.0
    )


@dataclass(frozen=True, slots=True)
class NameComparison:
    """``shared``: claim names the evidence holds; ``only_claim`` and ``only_evidence``: names clearly absent
    opposite.

    ``order_kept`` is None with fewer than two shared names, else whether they come in the same order.
    """

    shared: tuple[Name, ...]
    only_claim: tuple[Name, ...]
    only_evidence: tuple[Name, ...]
    order_kept: bool | None


def compare_names(claim: str, claim_language: str, evidence: str, evidence_language: str) -> NameComparison:
    """Which names stand in both texts and which in one alone."""
    claim_names, evidence_names = find_names(claim, claim_language), find_names(evidence, evidence_language)
    claim_words = [(m.group(), claim_language) for m in _WORD.finditer(claim)]
    evidence_words = [(m.group(), evidence_language) for m in _WORD.finditer(evidence)]
    claim_codes = {n.territory for n in claim_names} - {None}
    evidence_codes = {n.territory for n in evidence_names} - {None}
    across = claim_language != evidence_language
    shared, only_claim = _divide(claim_names, evidence_words, evidence_codes, across=across)
    _, only_evidence = _divide(evidence_names, claim_words, claim_codes, across=across)
    return NameComparison(
        tuple(shared), tuple(only_claim), tuple(only_evidence), _order_kept(shared, evidence_words)
    )


def _divide(
    names: list[Name],
    opposite_words: list[tuple[str, str]],
    opposite_codes: set[str | None],
    *,
    across: bool,
) -> tuple[list[Name], list[Name]]:
    shared, missing = [], []
    for name in names:
        if name.territory and name.territory in opposite_codes:
            shared.append(name)
            continue
        score = _best(name, opposite_words)
        if score >= _ALIKE:
            shared.append(name)
        elif across and not name.territory and is_translated(name.text, name.stem, name.language):
            continue
        elif score < _UNALIKE or name.territory:
            missing.append(name)
    return shared, missing


def _order_kept(shared: list[Name], evidence_words: list[tuple[str, str]]) -> bool | None:
    if len(shared) < 2:
        return None
    positions: list[int] = []
    for name in shared:
        scores = [similarity(name.stem, name.language, word, language) for word, language in evidence_words]
        positions.append(scores.index(max(scores)))
    distinct = [p for i, p in enumerate(positions) if i == 0 or p != positions[i - 1]]
    return None if len(set(distinct)) < 2 else distinct == sorted(distinct)


def word_overlap(claim: str, claim_language: str, evidence: str, evidence_language: str) -> float:
    """Share of the claim's words (four letters and up, by Latin stem of five letters) that the evidence
    holds.
    """

    def stems(text: str, language: str) -> set[str]:
        return {to_latin(m.group(), language)[:5] for m in _WORD.finditer(text) if len(m.group()) >= 4}

    mine = stems(claim, claim_language)
    return len(mine & stems(evidence, evidence_language)) / len(mine) if mine else 0.0
