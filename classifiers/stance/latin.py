"""One Latin spelling for the scripts of nine languages, so that names and words meet across them.

Loose on purpose: it answers "may these two spell the same word?", it is no reversible transliteration.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from classifiers.text import fold_case

_CYRILLIC = {
    "а": "a", "б": "b", "в": "v", "г": "g", "ғ": "g", "д": "d", "е": "e", "ё": "yo", "ж": "j", "з": "z",
        "и": "i",
    "й": "y", "і": "i", "ї": "i", "к": "k", "қ": "k", "л": "l", "м": "m", "н": "n", "ң": "n", "о": "o",
        "ө": "o",
    "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ү": "u", "ұ": "u", "ў": "o", "ф": "f", "х": "h",
        "һ": "h",
    "ҳ": "h", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "sh", "ъ": "", "ы": "i", "ь": "", "э": "e", "ю": "yu",
        "я": "ya",
    "ә": "a", "є": "e", "ѓ": "g", "ј": "y", "љ": "l", "њ": "n", "ћ": "ch", "џ": "j", "ђ": "j", "ҷ": "j",
        "ҝ": "g",
}  # fmt: skip
_LATIN = {
    "ı": "i", "ə": "a", "ğ": "g", "ş": "sh", "ç": "ch", "ý": "y", "ž": "j", "ň": "n", "ß": "ss", "ø": "o",
        "æ": "e",
    "ł": "l", "đ": "d", "ä": "a", "ö": "o", "ü": "u", "ő": "o", "ű": "u",
}  # fmt: skip
_TABLE = str.maketrans(_CYRILLIC | _LATIN)
# Sounds each alphabet spells in its own way, brought to one letter each.
_SOUNDS = [
    ("sch", "S"), ("tch", "C"), ("sh", "S"), ("ch", "C"), ("zh", "j"), ("dj", "j"), ("dzh", "j"), ("kh", "h"),
    ("gh", "g"), ("ph", "f"), ("th", "t"), ("ck", "k"), ("ks", "x"), ("qu", "kv"), ("q", "k"), ("cz", "C"),
    ("ts", "c"), ("tz", "c"), ("ya", "a"), ("yo", "o"), ("yu", "u"), ("ye", "e"), ("ia", "a"), ("ie", "e"),
        ("w", "v"),
]  # fmt: skip


@lru_cache(maxsize=65_536)
def to_latin(word: str, language: str) -> str:
    """``word`` in lower-case unaccented Latin letters."""
    word = fold_case(word, language)
    mapped = word.translate(_TABLE)
    bare = unicodedata.normalize("NFD", mapped)
    return re.sub(r"[^a-z0-9]+", "", bare)


@lru_cache(maxsize=65_536)
def sound_key(word: str, language: str) -> str:
    """``word`` by its sounds, roughly, whatever alphabet spells it: ``Шымкент`` and ``Shymkent`` share a
    key.
    """
    latin = to_latin(word, language)
    if language in ("az", "uz"):  # x is the h of "Bach" there
        latin = latin.replace("x", "h")
    for old, new in _SOUNDS:
        latin = latin.replace(old, new)
    if language in ("tr", "az"):  # c is the j of "jam" there
        latin = latin.replace("c", "j")
    else:
        latin = re.sub(r"c(?=[eiy])", "s", latin).replace("c", "k")
    return re.sub(r"(.)\1+", r"\1", latin.replace("y", "i"))


def consonants(key: str) -> str:
    """The consonants of a sound key without the glides, which alphabets write least alike."""
    return re.sub(r"[aeiouyv]", "", key[:1].replace("v", "") + key[1:])
