"""Hide what a text is about, keep how it is written.

Character n-grams of plain text learn names and topics first, and with them the outlet: an outlet that
training has not met is then flagged by its subjects. Words outside a short list of common ones therefore
shrink to a mark and their ending (text distortion, Stamatatos 2017); endings carry the grammar that Turkic
languages, Hungarian and Russian hang on a word.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import regex

#: Letters of its end that a hidden word keeps.
ENDING: Final = 2
_TOKEN: Final = regex.compile(r"[\p{L}\p{M}'-]+|\p{N}+|[^\p{L}\p{N}\s]")
_CAPITAL: Final = "^"
_SMALL: Final = "*"


class TopicMask:
    """Masks texts by each language's common words.

    Args:
        common_words: lower-case words that stay whole, per language.
    """

    def __init__(self, common_words: Mapping[str, frozenset[str]]) -> None:
        self.common_words = dict(common_words)
        self._any = frozenset().union(*self.common_words.values())

    def mask(self, view: str, language: str) -> str:
        """Tokens of a detector view, blank-separated: common words whole, others as mark and ending.

        A language without a list of its own is masked by all lists together.
        """
        common = self.common_words.get(language, self._any)
        return " ".join(_masked(token, common) for token in tokens(view))


def tokens(view: str) -> list[str]:
    """Words, numbers and marks of a text, in order."""
    return [str(token) for token in _TOKEN.findall(view)]


def _masked(token: str, common: frozenset[str]) -> str:
    if token[0].isnumeric():
        return "0"
    lower = token.lower()
    if not token[0].isalpha() or lower in common:
        return lower
    return (_CAPITAL if token[0].isupper() else _SMALL) + lower[-ENDING:]
