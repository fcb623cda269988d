"""Label-preserving damage, done to human and machine texts alike.

Each operation imitates something a text goes through between its author and us: hurried typing, scanned or
pasted spacing, a lost keyboard layout, an editor's cuts, an evader's look-alike letters. Since both classes
get the same operations at the same rates, none of them can become a sign of either.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

import regex

from classifiers.text import split_sentences
from classifiers.training.transliteration import (
    KAZAKH_TO_LATIN,
    TO_CYRILLIC,
    to_cyrillic,
    transliterate,
    without_diacritics,
)

_WORD: Final = regex.compile(r"\p{L}+")
_PUNCTUATION: Final = regex.compile(r"[,;:\"()\-]")
_LOOKALIKE: Final = str.maketrans("aeopcxyAEOPCTXHKMB", "аеорсхуАЕОРСТХНКМВ")
_LOOKALIKE_BACK: Final = str.maketrans("аеорсхуАЕОРСТХНКМВ", "aeopcxyAEOPCTXHKMB")


def typos(text: str, generator: random.Random) -> str:
    """Swap, drop or double letters in one to four of a hundred words."""
    rate = generator.uniform(0.01, 0.04)

    def damage(match: regex.Match[str]) -> str:
        word = match.group()
        if len(word) < 4 or generator.random() > rate:
            return str(word)
        at = generator.randrange(1, len(word) - 1)
        kind = generator.randrange(3)
        if kind == 0:
            return str(word[:at] + word[at + 1] + word[at] + word[at + 2 :])
        return str(word[:at] + word[at + 1 :] if kind == 1 else word[:at] + word[at] + word[at:])

    return str(_WORD.sub(damage, text))


def spacing(text: str, generator: random.Random) -> str:
    """Lose or add a blank between words here and there."""
    rate = generator.uniform(0.005, 0.03)
    parts: list[str] = []
    for word in text.split(" "):
        if len(word) > 6 and generator.random() < rate / 2:
            at = generator.randrange(2, len(word) - 2)
            word = f"{word[:at]} {word[at:]}"
        parts.append(word if generator.random() < rate else word + " ")
    return "".join(parts).strip()


def look_alikes(text: str, generator: random.Random) -> str:
    """Replace a small share of letters by look-alikes of the other script."""
    rate = generator.uniform(0.005, 0.03)
    table = _LOOKALIKE_BACK if regex.search(r"\p{Cyrillic}{3}", text) else _LOOKALIKE
    return "".join(letter.translate(table) if generator.random() < rate else letter for letter in text)


def lose_punctuation(text: str, generator: random.Random) -> str:
    """Drop part of the marks inside sentences."""
    rate = generator.uniform(0.1, 0.5)
    return str(_PUNCTUATION.sub(lambda match: "" if generator.random() < rate else match.group(), text))


def plain_letters(text: str, generator: random.Random) -> str:
    """Write Latin letters without their marks, as on a foreign keyboard."""
    return without_diacritics(text) if generator.random() < 0.5 else text


def lower_case(text: str, generator: random.Random) -> str:
    """Lose the capitals, as in chats."""
    return text.lower() if generator.random() < 0.5 else text


def other_script(text: str, generator: random.Random, language: str) -> str:
    """Write a text in its language's other alphabet, in lower case; other languages unchanged."""
    if language == "kk":
        return transliterate(text.lower(), generator.choice(KAZAKH_TO_LATIN))
    return to_cyrillic(text, language) if language in TO_CYRILLIC else text


def edit_sentences(text: str, generator: random.Random, language: str) -> str:
    """Drop one sentence in six, sometimes move another."""
    sentences = [text[span.start : span.end] for span in split_sentences(text, language)]
    if len(sentences) < 3:
        return text
    kept = [sentence for sentence in sentences if generator.random() > 1 / 6] or sentences
    if len(kept) > 2 and generator.random() < 0.3:
        kept.insert(generator.randrange(len(kept)), kept.pop(generator.randrange(len(kept))))
    return " ".join(kept)


_OPERATIONS: Final[tuple[tuple[Callable[[str, random.Random], str], float], ...]] = (
    (typos, 0.25),
    (spacing, 0.1),
    (look_alikes, 0.08),
    (lose_punctuation, 0.2),
    (plain_letters, 0.08),
    (lower_case, 0.12),
)


def augment(text: str, language: str, generator: random.Random) -> str:
    """Damage a detector view: half of the texts stay as they are, the others get operations by rate."""
    if generator.random() < 0.5:
        return text
    if generator.random() < 0.3:
        text = edit_sentences(text, generator, language)
    for operation, rate in _OPERATIONS:
        if generator.random() < rate:
            text = operation(text, generator)
    if generator.random() < 0.05:
        text = other_script(text, generator, language)
    return text
