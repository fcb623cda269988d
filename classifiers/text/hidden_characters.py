"""Characters that a reader cannot see: which kinds there are, and where a text holds them.

Hidden characters break up words for a model while the page looks untouched, or carry a payload. They are removed from
the canonical form and counted by kind. Uses that ordinary writing makes of them are removed and not counted: a byte order
mark at the start, the joiners and selectors inside an emoji, soft hyphens set by a typesetting system (counted apart).
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import cache

import regex

ZERO_WIDTH = "zero_width"
BIDI = "bidi"
VARIATION_SELECTORS = "variation_selectors"
TAGS = "tags"
OTHER_HIDDEN = "other_hidden"
SOFT_HYPHENS = "soft_hyphens"
NOT_COUNTED = ""

_ZERO_WIDTH = frozenset("\u200b\u200c\u200d\u2060\ufeff\u180e")
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Shown as nothing although Unicode files them under letters, marks or symbols.
_INVISIBLE_OTHERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")

# Candidates: format and control characters but for line breaks and tabs, unpaired surrogates, noncharacters, selectors.
_CANDIDATES = regex.compile(
    r"[\p{Cf}\p{Cs}\p{Variation_Selector}\p{Noncharacter_Code_Point}\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
    r"\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\U000e0000-\U000e0fff]"
)
_EMOJI_PART = regex.compile(r"[\p{Extended_Pictographic}\p{Emoji_Modifier}\p{Regional_Indicator}\u20e3#*0-9\ufe0f\U000e0020-\U000e007f]")


@cache
def hidden_kind(character: str) -> str:
    """The kind of one hidden character, by the names of this module's constants."""
    code = ord(character)
    if character in _ZERO_WIDTH:
        return ZERO_WIDTH
    if character in _BIDI:
        return BIDI
    if 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF or 0x180B <= code <= 0x180F:
        return VARIATION_SELECTORS
    if 0xE0000 <= code <= 0xE007F:
        return TAGS
    if code == 0xAD:
        return SOFT_HYPHENS
    if character in _INVISIBLE_OTHERS or unicodedata.category(character) == "Cf":
        return OTHER_HIDDEN
    # Controls, unpaired surrogates and noncharacters are damage from conversion, not writing.
    return OTHER_HIDDEN


def find_hidden(text: str) -> Iterator[tuple[int, str]]:
    """Yield ``(position, kind)`` of each hidden character in order; kind ``NOT_COUNTED`` where ordinary writing uses it."""
    for match in _CANDIDATES.finditer(text):
        position = match.start()
        kind = hidden_kind(text[position])
        if position == 0 and text[position] == "\ufeff":
            kind = NOT_COUNTED
        elif kind in (ZERO_WIDTH, VARIATION_SELECTORS, TAGS) and position and _EMOJI_PART.match(text[position - 1]):
            kind = NOT_COUNTED
        yield position, kind


def count_hidden(text: str) -> Counter[str]:
    """How many hidden characters of each kind ``text`` holds."""
    return Counter(kind for _, kind in find_hidden(text) if kind != NOT_COUNTED)
