"""Characters that a reader cannot see: which kinds there are, and where a text holds them.

Hidden characters break up words for a model while the page looks untouched, or carry a payload. They are
removed from the canonical form and counted by kind. Uses that ordinary writing makes of them are removed and
not counted: a byte order mark at the start, the joiners and selectors inside an emoji, soft hyphens set by a
typesetting system (counted apart).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

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
_EMOJI_JOINERS = frozenset({ZERO_WIDTH, VARIATION_SELECTORS, TAGS})

# Format and control characters but for line breaks and tabs, selectors, unpaired surrogates, noncharacters.
# The visible format characters of Arabic and other scripts (number signs, verse ends) are not among them.
_CANDIDATES = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u070f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u2800\u3164\ud800-\udfff\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    + "".join(chr((plane << 16) + last) for plane in range(1, 17) for last in (0xFFFE, 0xFFFF))
    + "]"
)
_EMOJI_PART = regex.compile(r"[\p{Extended_Pictographic}\p{Emoji_Modifier}\p{Regional_Indicator}\u20e3]")


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
    return OTHER_HIDDEN


def find_hidden(text: str) -> Iterator[tuple[int, str]]:
    """Yield ``(position, kind)`` of each hidden character in order; kind ``NOT_COUNTED`` where ordinary
    writing uses it."""
    emoji_end = -1  # Where the last emoji sequence that holds hidden characters goes on.
    for match in _CANDIDATES.finditer(text):
        position = match.start()
        kind = hidden_kind(text[position])
        if position == 0 and text[position] == "\ufeff":
            kind = NOT_COUNTED
        elif kind in _EMOJI_JOINERS and (
            position == emoji_end or _EMOJI_PART.match(text[position - 1 : position])
        ):
            kind, emoji_end = NOT_COUNTED, position + 1
        yield position, kind


def count_hidden(text: str) -> Counter[str]:
    """How many hidden characters of each kind ``text`` holds."""
    return Counter(kind for _, kind in find_hidden(text) if kind != NOT_COUNTED)
