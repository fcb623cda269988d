"""Negation and opposite words in nine languages: cues, not a parse.

``negated`` counts cues in a text. ``opposites`` finds a word in one text whose opposite stands in the other
("rose" and "fell"). Both are evidence for the stance head and are shown beside its answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from classifiers.stance import negation_cues as cues
from classifiers.stance.antonyms import sides
from classifiers.text import fold_case

_APOSTROPHES = str.maketrans(dict.fromkeys("ʻʼ’‘`", "'"))
_WORDS = {language: re.compile(rf"\b(?:{words})\b") for language, words in cues.WORDS.items()}
_VERBS = {language: re.compile(rf"\b\w{{2,}}?(?:{ends})\b") for language, ends in cues.ENDINGS.items()}
_BOUNDS = {language: re.compile(bounds) for language, bounds in cues.BOUNDS.items()}


@dataclass(frozen=True, slots=True)
class Cue:
    """A negation cue as written, with code-point offsets into the text read."""

    text: str
    start: int
    end: int


def negated(text: str, language: str) -> list[Cue]:
    """Negation cues in ``text``; none for a language without a table.

    A negated bound ("no more than 50") is none, nor is a name that ends like a negated verb.
    """
    words = _WORDS.get(language)
    if words is None:
        return []
    lowered = fold_case(text, language).translate(_APOSTROPHES)
    lowered = _BOUNDS[language].sub(lambda bound: " " * len(bound.group()), lowered)
    spans = {match.span() for match in words.finditer(lowered)}
    if verbs := _VERBS.get(language):
        spans |= {
            match.span()
            for match in verbs.finditer(lowered)
            if not _spared(match.group(), text[match.start()], language)
        }
    found: list[Cue] = []
    for start, end in sorted(spans):
        if not found or start >= found[-1].end:
            found.append(Cue(text[start:end], start, end))
    return found


def _spared(word: str, first_letter: str, language: str) -> bool:
    """Whether a word with a negating ending is a name or a listed word of another kind."""
    return (
        first_letter.isupper()
        or word in cues.SPARED_WORDS.get(language, ())
        or word.startswith(cues.SPARED_BEGINNINGS.get(language, ()))
    )


def opposites(
    claim: str, claim_language: str, evidence: str, evidence_language: str
) -> list[tuple[str, str]]:
    """Words of the claim whose opposite, and not themselves, stand in the evidence, in whatever language."""
    claim_text = fold_case(claim, claim_language).translate(_APOSTROPHES)
    evidence_text = fold_case(evidence, evidence_language).translate(_APOSTROPHES)
    claim_sides, evidence_sides = sides(claim_language), sides(evidence_language)
    found: dict[tuple[int, int], tuple[str, str]] = {}
    for topic in claim_sides.keys() & evidence_sides.keys():
        said = [pattern.search(claim_text) for pattern in claim_sides[topic]]
        stated = [pattern.search(evidence_text) for pattern in evidence_sides[topic]]
        for here, there in ((0, 1), (1, 0)):
            mine, theirs = said[here], stated[there]
            if mine and theirs and not said[there] and not stated[here]:
                found[mine.start(), theirs.start()] = (mine.group(), theirs.group())
    return [found[place] for place in sorted(found)]
