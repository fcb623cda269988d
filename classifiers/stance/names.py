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
from functools import cache, lru_cache

from babel import Locale

from classifiers.stance.latin import consonants, sound_key, to_latin
from classifiers.stance.translated_names import is_translated, names_an_institution
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


# CLDR gives Britain two words; a part of it is a country of its own here.
_MORE_TERRITORIES: dict[str, dict[str, str]] = {
    "GB": {
        "en": "britain england", "ru": "британия великобритания англия",
        "hu": "nagy-britannia britannia anglia", "tr": "britanya ingiltere", "az": "britaniya ingiltərə",
        "kk": "британия ұлыбритания англия", "ky": "британия улуубритания англия", "uz": "britaniya angliya",
        "tk": "britaniýa angliýa",
    },
    "Wales": {
        "en": "wales", "ru": "уэльс", "hu": "wales", "tr": "galler", "az": "uels", "kk": "уэльс",
        "ky": "уэльс", "uz": "uels", "tk": "uels",
    },
    "Scotland": {
        "en": "scotland", "ru": "шотландия", "hu": "skócia", "tr": "iskoçya", "az": "şotlandiya",
        "kk": "шотландия", "ky": "шотландия", "uz": "shotlandiya", "tk": "şotlandiýa",
    },
}  # fmt: skip


@cache
def _territories(language: str) -> dict[str, str]:
    """Lower-case country names of a language -> region code (two letters: countries, not continents)."""
    names: dict[str, str] = {}
    for locale_name in ("uz", "uz_Cyrl") if language == "uz" else (language,):
        for code, name in Locale.parse(locale_name).territories.items():
            if len(code) == 2 and code.isalpha() and " " not in name and len(name) >= 4:
                names[fold_case(name, language)] = code
    for code, by_language in _MORE_TERRITORIES.items():
        names |= dict.fromkeys(by_language.get(language, "").split(), code)
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
    return list(_names(text, language))


@lru_cache(maxsize=4096)
def _names(text: str, language: str) -> tuple[Name, ...]:
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
    return tuple(sorted(found, key=lambda n: n.start))


def similarity(a: str, a_language: str, b: str, b_language: str) -> float:
    """How alike two words sound, 0 to 1; case endings at the end of the longer one cost little. Words that
    are plainly unalike have 0.
    """
    return _alike(*sorted((sound_key(a, a_language), sound_key(b, b_language)), key=len))


@lru_cache(maxsize=262_144)
def _alike(short: str, long: str) -> float:
    """`similarity` of two sound keys, the shorter one first."""
    if not short:
        return 0.0
    if len(short) >= 3 and long.startswith(short) and len(long) - len(short) <= 6:
        return 1.0
    bones, long_bones = consonants(short), consonants(long)
    least = min(len(bones), len(long_bones))
    if least >= 3 and bones[:least] == long_bones[:least] and abs(len(bones) - len(long_bones)) <= 3:
        floor = 0.9
    elif least == 2 and bones == long_bones:
        floor = 0.8
    else:
        floor = 0.0
    cuts = (long[: len(short) + 1], long[: len(short)]) if len(short) >= 4 else (long,)
    return max(floor, *(_ratio(short, cut) for cut in cuts))


def _ratio(one: str, other: str) -> float:
    """Share of letters in matching runs; 0 where the letters alone forbid a likeness worth knowing."""
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    if min(matcher.real_quick_ratio(), matcher.quick_ratio()) < _UNALIKE:
        return 0.0
    return matcher.ratio()


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
    in_titles = _beside_institutions(names) if across else frozenset()
    for name in names:
        if name.territory and name.territory in opposite_codes:
            shared.append(name)
            continue
        score = _best(name, opposite_words)
        if score >= _ALIKE:
            shared.append(name)
        elif across and _not_comparable(name, in_titles, opposite_codes):
            continue
        elif score < _UNALIKE or name.territory:
            missing.append(name)
    return shared, missing


def _not_comparable(name: Name, in_titles: frozenset[int], opposite_codes: set[str | None]) -> bool:
    """Whether another language may write the name in a way that sound cannot find: a country where no other
    one stands opposite ("Chinese" for "of China"), an institution, a title.
    """
    if name.territory:
        return not opposite_codes
    return name.start in in_titles or is_translated(name.text, name.stem, name.language)


def _beside_institutions(names: list[Name]) -> frozenset[int]:
    """Where the names begin that stand in one run of capitals with a word for an institution."""
    runs: list[list[Name]] = []
    for name in names:
        if runs and name.start - runs[-1][-1].end == 1:
            runs[-1].append(name)
        else:
            runs.append([name])
    return frozenset(
        name.start
        for run in runs
        if any(names_an_institution(name.text, name.language) for name in run)
        for name in run
    )


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
