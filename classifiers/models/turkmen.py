"""Turkmen in the letters of Turkish: what the packaged vocabulary, which hardly saw Turkmen, can read.

The Turkmen alphabet of 1999 writes sounds that it shares with Turkish in letters of its own: ``ýyl`` is
Turkish ``yıl``, ``wezir`` is ``vezir``. Respelt, words fall into tokens whose meaning the model knows.
"""

from __future__ import annotations

import regex

_LETTERS = str.maketrans(
    {
        "y": "ı", "Y": "I", "ý": "y", "Ý": "Y", "w": "v", "W": "V", "ň": "n", "Ň": "N",
        "ž": "j", "Ž": "J", "j": "c", "J": "C", "ä": "e", "Ä": "E",
    }
)  # fmt: skip
_WORD = regex.compile(r"\p{L}+")
# Letters and pairs that its neighbours' spelling lacks: y is a consonant there, no vowel.
_OWN = regex.compile(r"[ýňÝŇ]|[bdfghjklmnprstzşçž]y(?:[bdfghjklmnprstzşçž]|$)")
_HINT = regex.compile(r"[ýňşçžÝŇŞÇŽ]")
# Letters that Turkmen lacks; foreign names bring them in, other languages hold many.
_FOREIGN = regex.compile(r"[cqvxğıəñáàâéèêëíïóőôúûűřšůěťďßæøåąęłńśźżćčđCQVXĞİƏÑÁÉÍÓŐÔÚŰŘŠŮŤČĐ]|\p{Cyrillic}")


def is_turkmen(text: str) -> bool:
    """Whether more words of ``text`` are spelt as in Turkmen alone than with letters that it lacks."""
    if not _HINT.search(text):
        return False
    own = foreign = 0
    for word in _WORD.findall(text):
        if _FOREIGN.search(word):
            foreign += 1
        elif _OWN.search(word):
            own += 1
    return own > foreign


def respelt(text: str) -> str:
    """``text`` with Turkmen letters replaced by Turkish ones of the same sound; any other text unchanged."""
    return text.translate(_LETTERS) if is_turkmen(text) else text
