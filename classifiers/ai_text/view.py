"""The detector's view of a canonical text: what remains once figures, dates and addresses can no longer vote.

The canonical form already removed markdown, hidden characters, outlet names and typographic habits. Corpora
still differ in the years they report on and in the addresses they quote. None of that says who wrote a
text, and all of it separates public corpora, so training and serving both look at texts through
:func:`detector_view`.
"""

from __future__ import annotations

from typing import Final

import regex

_ADDRESS: Final = regex.compile(
    r"(?:https?://|www\.)\S+|\S+@\S+\.\p{L}+"
    r"|\b[\p{L}\p{N}][\p{L}\p{N}-]+\.(?i:az|kz|kg|uz|tm|tr|hu|ru|com|org|net|info)\b(?:-\p{Ll}{1,4}\b)?"
)
_DIGIT: Final = regex.compile(r"\p{Nd}")
_DASH: Final = regex.compile(r" *(?<=\s)-+(?=\s) *|--+")
_WHITESPACE: Final = regex.compile(r"\s+")


def detector_view(text: str) -> str:
    """Return the view of ``text`` (canonical form) that every model of the detector reads.

    Addresses and site names go, digits become ``0``, dashes between words " - ", whitespace single.
    Letters keep their case. The view of a view is itself.
    """
    text = _ADDRESS.sub("", text)
    text = _DIGIT.sub("0", text)
    text = _DASH.sub(" - ", text)
    return _WHITESPACE.sub(" ", text).strip()
