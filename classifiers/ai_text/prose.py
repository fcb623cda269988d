"""Is this the author's own running text? Quotes, tables and lists are somebody else's or nobody's."""

from __future__ import annotations

from typing import Final

import regex

from classifiers.text import prose_profile

_WORD: Final = regex.compile(r"[\p{L}\p{N}]+")
_NUMBER: Final = regex.compile(r"^\p{Nd}+$")
_SENTENCE_END: Final = regex.compile(r"[.!?…](?=\W|$)")

MOSTLY_QUOTED: Final = 0.6
MOSTLY_ROWS: Final = 0.5
MOSTLY_NUMBERS: Final = 0.3
#: Running text ends a sentence at least once in so many words; names, headlines and scraped menus do not.
LONGEST_SENTENCE: Final = 120


def is_prose(original: str, canonical: str) -> bool:
    """Whether a text is mostly its author's running text.

    False for texts that are mostly quotation, list items, table rows or figures, or that never end a
    sentence. Quotations are measured on the canonical text: a line break within one must not hide it.
    """
    words = _WORD.findall(canonical)
    if not words:
        return False
    numbers = sum(1 for word in words if _NUMBER.match(word))
    if numbers / len(words) > MOSTLY_NUMBERS:
        return False
    if len(words) / max(1, len(_SENTENCE_END.findall(canonical))) > LONGEST_SENTENCE:
        return False
    lines = prose_profile(original)
    if lines.list_fraction + lines.table_fraction > MOSTLY_ROWS:
        return False
    return prose_profile(canonical).quote_fraction <= MOSTLY_QUOTED
