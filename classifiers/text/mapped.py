"""A text under edit that remembers, for each of its characters, which characters of the original it stands
for."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np
import regex
from numpy.typing import NDArray

from classifiers.text.spans import Span

# A character and the marks that may merge with it under composition: combining marks, Hangul vowels and
# finals in their full and half-width forms, half-width kana sound marks.
_COMPOSABLE_RUN = regex.compile(r".[\p{M}\u1160-\u11ff\u3130-\u318f\uff9e-\uffdc]*", regex.DOTALL)
_WORD_OR_SPACE = regex.compile(r"\S+\s*|\s+")


class CharacterTable:
    """A one-to-one character table whose cost on text without its characters is one fast search."""

    def __init__(self, table: Mapping[str, str]) -> None:
        self._table = dict(table)
        self._pattern = re.compile("[" + re.escape("".join(table)) + "]")

    def apply(self, text: str) -> str:
        """``text`` with each listed character replaced."""
        return self._pattern.sub(lambda match: self._table[match.group()], text)


class MappedText:
    """``text`` with two offset arrays: character ``i`` stands for ``original[starts[i]:ends[i]]``.

    Edits are in place. ``starts`` and ``ends`` never decrease, so a span of the text maps to one span of the
    original.
    """

    __slots__ = ("ends", "original_length", "starts", "text")

    def __init__(self, original: str) -> None:
        self.text = original
        self.original_length = len(original)
        self.starts: NDArray[np.int64] = np.arange(len(original), dtype=np.int64)
        self.ends: NDArray[np.int64] = self.starts + 1

    def delete(self, ranges: Iterable[tuple[int, int]]) -> None:
        """Remove the characters of all ``ranges`` (half-open; they may overlap)."""
        keep = np.ones(len(self.text), dtype=bool)
        any_deleted = False
        for start, end in ranges:
            keep[start:end] = False
            any_deleted = any_deleted or end > start
        if not any_deleted:
            return
        edges = np.flatnonzero(np.diff(np.concatenate(([False], keep, [False])).astype(np.int8)))
        self.text = "".join(
            [self.text[a:b] for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)]
        )
        self.starts = self.starts[keep]
        self.ends = self.ends[keep]

    def substitute(self, replacements: Sequence[tuple[int, str]]) -> None:
        """Put one character in place of another at each ``(position, character)``, positions increasing."""
        if not replacements:
            return
        pieces: list[str] = []
        last = 0
        for position, character in replacements:
            pieces.append(self.text[last:position])
            pieces.append(character)
            last = position + 1
        pieces.append(self.text[last:])
        self.text = "".join(pieces)

    def insert_spaces(self, positions: Sequence[int]) -> None:
        """Insert a space before the character at each of ``positions`` (increasing); it stands for nothing
        original."""
        if not positions:
            return
        edges = [0, *positions, len(self.text)]
        self.text = " ".join([self.text[a:b] for a, b in pairwise(edges)])
        at = np.asarray(positions, dtype=np.int64)
        empty = self.starts[at]
        self.starts = np.insert(self.starts, at, empty)
        self.ends = np.insert(self.ends, at, empty)

    def translate(self, table: CharacterTable) -> None:
        """Apply a one-to-one character table."""
        self.text = table.apply(self.text)

    def compose(self) -> None:
        """Bring the text to NFKC. Characters that merge or split map to the whole run that they came from."""
        if unicodedata.is_normalized("NFKC", self.text):
            return
        target = unicodedata.normalize("NFKC", self.text)
        for runs in (self._composable_runs(), _word_runs(self.text), [(0, len(self.text))]):
            pieces = [_normalise(self.text[a:b]) for a, b in runs]
            if "".join(pieces) == target:
                self._replace_runs(runs, pieces)
                return
        raise AssertionError("NFKC of the whole text equals itself.")

    def to_original(self, start: int, end: int) -> Span:
        """The part of the original that characters ``start`` to ``end`` stand for.

        Raises ``IndexError`` when the span does not lie within the text. An empty span maps to an empty span.
        """
        if not 0 <= start <= end <= len(self.text):
            raise IndexError(
                f"Span {start}..{end} does not lie within a text of {len(self.text)} characters."
            )
        if start == end:
            at = int(self.starts[start]) if start < len(self.text) else self.original_length
            return Span(at, at)
        return Span(int(self.starts[start]), int(self.ends[end - 1]))

    def _composable_runs(self) -> list[tuple[int, int]]:
        runs: list[tuple[int, int]] = []
        for word in _word_runs(self.text):
            piece = self.text[word[0] : word[1]]
            if unicodedata.is_normalized("NFKC", piece):
                runs.append(word)
            else:
                runs.extend((word[0] + m.start(), word[0] + m.end()) for m in _COMPOSABLE_RUN.finditer(piece))
        return runs

    def _replace_runs(self, runs: Sequence[tuple[int, int]], pieces: Sequence[str]) -> None:
        starts: list[NDArray[np.int64]] = []
        ends: list[NDArray[np.int64]] = []
        for (a, b), piece in zip(runs, pieces, strict=True):
            if piece == self.text[a:b]:
                starts.append(self.starts[a:b])
                ends.append(self.ends[a:b])
            else:
                starts.append(np.full(len(piece), self.starts[a], dtype=np.int64))
                ends.append(np.full(len(piece), self.ends[b - 1], dtype=np.int64))
        self.text = "".join(pieces)
        self.starts = np.concatenate(starts)
        self.ends = np.concatenate(ends)


def _normalise(piece: str) -> str:
    return piece if unicodedata.is_normalized("NFKC", piece) else unicodedata.normalize("NFKC", piece)


def _word_runs(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in _WORD_OR_SPACE.finditer(text)]
