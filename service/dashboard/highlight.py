"""Text with highlighted stretches: spans by code-point offsets in, runs of plain text out.

A template writes each run with its marks and lets autoescaping do the rest; nothing here makes HTML. Hidden
characters (zero width, bidi controls) become runs of their own, so that a page can show them instead of
obeying them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

# Cf characters that belong to the writing of some language or to emoji; within a word they are shown as text.
_JOINERS: Final = "\u200c\u200d"
_LAYOUT: Final = "\n\r\t"


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch to highlight. `start` and `end` count code points, half-open; what lies outside the text is
    cut off. `kind` is a class of the style sheet; `target` is the id of the element that explains it.
    """

    start: int
    end: int
    kind: str
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of text with one set of marks. `target` is of the shortest mark that has one; `opens` are the
    targets whose mark begins here. `hidden` names a character that is not to be written as it is.
    """

    text: str
    kinds: tuple[str, ...] = ()
    target: str | None = None
    opens: tuple[str, ...] = ()
    hidden: str | None = field(default=None)


def highlighted(text: str, marks: Iterable[Mark]) -> list[Run]:
    """The text as runs, in order: joined, their `text` is the text again.

    Marks may overlap, nest, touch or be empty (an empty one marks nothing).
    """
    kept = _within(text, marks)
    hidden = [place for place, character in enumerate(text) if _is_hidden(character)]
    edges = {0, len(text)}
    for mark in kept:
        edges.update((mark.start, mark.end))
    for place in hidden:
        edges.update((place, place + 1))
    starting: dict[int, list[Mark]] = {}
    for mark in kept:
        starting.setdefault(mark.start, []).append(mark)
    runs: list[Run] = []
    open_marks: list[Mark] = []
    cuts = sorted(edges)
    hidden_places = frozenset(hidden)
    for start, end in pairwise(cuts):
        open_marks = [mark for mark in open_marks if mark.end > start] + starting.get(start, [])
        runs.append(_run(text[start:end], start, open_marks, start in hidden_places))
    return runs


def occurrences(text: str, words: Sequence[str], kind: str) -> list[Mark]:
    """Marks on every place where one of the words stands in the text, however it is cased."""
    marks = []
    folded = "".join(_folded(character) for character in text)
    for word in words:
        wanted = "".join(_folded(character) for character in word.strip())
        place = folded.find(wanted) if wanted else -1
        while place >= 0:
            if not _inside_word(folded, place, place + len(wanted)):
                marks.append(Mark(place, place + len(wanted), kind))
            place = folded.find(wanted, place + len(wanted))
    return marks


def _within(text: str, marks: Iterable[Mark]) -> list[Mark]:
    cut = (Mark(max(0, mark.start), min(len(text), mark.end), mark.kind, mark.target) for mark in marks)
    return sorted((mark for mark in cut if mark.start < mark.end), key=lambda mark: (mark.start, mark.end))


def _run(text: str, start: int, marks: list[Mark], hidden: bool) -> Run:
    targets = sorted((mark for mark in marks if mark.target), key=lambda mark: mark.end - mark.start)
    return Run(
        text,
        # In order of first appearance, each once: the same marks always give the same classes.
        tuple(dict.fromkeys(mark.kind for mark in marks)),
        targets[0].target if targets else None,
        tuple(mark.target for mark in marks if mark.target and mark.start == start),
        f"U+{ord(text):04X}" if hidden else None,
    )


def _is_hidden(character: str) -> bool:
    if character in _LAYOUT or character in _JOINERS:
        return False
    return unicodedata.category(character) in ("Cf", "Cc", "Co", "Cs")


def _folded(character: str) -> str:
    # One character stays one, so that places in the folded text are places in the text.
    lower = character.lower()
    return lower if len(lower) == 1 else character


def _inside_word(text: str, start: int, end: int) -> bool:
    # "5" is not to be found in "15"; endings may follow a word, so only numbers are held to their end.
    before = start > 0 and text[start - 1].isalnum() and text[start].isalnum()
    after = end < len(text) and text[end].isdecimal() and text[end - 1].isdecimal()
    return before or after
