"""Lower case with the Turkic dotted and dotless i, keeping one character per character."""

from __future__ import annotations

_DOTLESS = frozenset({"tr", "az"})


def lower(text: str, language: str) -> str:
    """``text`` in lower case, the same length as given, so that offsets hold.

    In Turkish and Azerbaijani I becomes ı and İ becomes i; elsewhere İ becomes i without a combining dot.
    """
    if language in _DOTLESS:
        text = text.replace("I", "ı")
    text = text.replace("İ", "i")
    return "".join(c if len(low := c.lower()) != 1 else low for c in text)
