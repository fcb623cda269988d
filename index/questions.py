"""Questions as they are searched for: a claim pasted from a social network carries links and mentions."""

from __future__ import annotations

import re

_LINK = re.compile(r"https?://\S+|pic\.twitter\.com/\S+|\bt\.co/\S+", re.IGNORECASE)
_MENTIONS_AHEAD = re.compile(r"^(?:\s*@\w+)+\s*")


def question_text(text: str) -> str:
    """The words of a question without links and leading mentions, hashtags as words; the text itself where
    nothing would be left.
    """
    plain = _MENTIONS_AHEAD.sub("", _LINK.sub(" ", text)).replace("#", " ").replace("_", " ")
    plain = " ".join(plain.split())
    return plain if any(character.isalnum() for character in plain) else text
