"""Numbers in words written in digits, where the text they are compared with has digits."""

from __future__ import annotations

import re
from functools import lru_cache

from classifiers.stance.numbers import find_quantities

_DIGITS = re.compile(r"\d+")


def digits_as_in(other: str, text: str, language: str) -> str:
    """``text`` with each number that stands in words in digits, if ``other`` has these digits.

    A model that reads pieces of words takes "60" and "sixty" for two numbers. Words that may mean something
    else stay, and so does one: it is an article more often than a number.

    >>> digits_as_in("417 passengers, 60 cars", "sixty cars", "en")
    '60 cars'
    """
    digits = frozenset(_DIGITS.findall(other))
    if not digits:
        return text
    for start, end, number in reversed(_in_words(text, language)):
        if number in digits:
            text = text[:start] + number + text[end:]
    return text


@lru_cache(maxsize=4096)
def _in_words(text: str, language: str) -> tuple[tuple[int, int, str], ...]:
    """Start, end and digits of the whole numbers that ``text`` has in words."""
    return tuple(
        (quantity.start, quantity.end, str(int(quantity.values[0])))
        for quantity in find_quantities(text, language)
        if quantity.certain
        and quantity.kind not in ("ordinal", "time")
        and not _DIGITS.search(quantity.text)
        and len(quantity.values) == 1
        and quantity.values[0] > 1
        and quantity.values[0] == int(quantity.values[0])
    )
