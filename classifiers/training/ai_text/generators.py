"""Which model stands behind a generator's name in the corpora."""

from __future__ import annotations

from typing import Final

import regex

#: One model under several names: to leave out or to weigh one name alone would miss the model.
_FAMILIES: Final = ("o1-mini", "4o-mini", "frontier-llm-2026")
_BLANKS: Final = regex.compile(r"\s+")


def family(generator: str) -> str:
    """The model behind ``generator``; the name itself where no other name is known for it."""
    name = _BLANKS.sub(" ", generator.casefold())
    return next((known for known in _FAMILIES if known in name), generator)
