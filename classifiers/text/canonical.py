"""The one canonical form of a text, used in training and in serving, with a map back to the original.

What separates texts without being their wording is folded away: composed and decomposed letters, hidden
characters, look-alike letters, markdown, blank lines, quote, dash and apostrophe styles, ё, tokenisers'
spaces, datelines, outlet names and a repeated title. ``canonicalise(canonicalise(x).text).text ==
canonicalise(x).text``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import regex

from classifiers.text import datelines, homoglyphs, markup
from classifiers.text.hidden_characters import (
    BIDI,
    NOT_COUNTED,
    OTHER_HIDDEN,
    SOFT_HYPHENS,
    TAGS,
    VARIATION_SELECTORS,
    ZERO_WIDTH,
    find_hidden,
)
from classifiers.text.mapped import CharacterTable, MappedText
from classifiers.text.spans import Span

_HOMOGLYPHS = "homoglyphs"

# Real texts settle in two or three passes. One that still changes after the usual ones is built to nest
# markup and loses every markup character; the limit bounds the time that a hostile text can take.
_USUAL_PASSES = 8
_MAX_PASSES = 24

_QUOTES = dict.fromkeys("«»„“”‟″‶〝〞〟❝❞＂‹›《》「」『』", '"')
_APOSTROPHES = dict.fromkeys("‘’‚‛′‵´ʹʻʼʽʾʿˈˊˋ՚＇❛❜ꞌ", "'")
_DASHES = dict.fromkeys("‐‑‒–—―−﹘﹣－⁃⸺⸻⁓", "-")
_LINE_BREAKS = dict.fromkeys("\r\x85\u2028\u2029", "\n")
_SPACE_LIKE = (
    "\t\n\v\f\r\x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
)
# NFKC would make a space and a combining mark of the acute.
_BEFORE_NFKC = CharacterTable({"´": "'", "\xa0": " "})
_BEFORE_MARKUP = CharacterTable(_QUOTES | _APOSTROPHES | _DASHES | _LINE_BREAKS | {"ё": "е", "Ё": "Е"})
_AFTER_MARKUP = CharacterTable({"`": "'"} | dict.fromkeys(_SPACE_LIKE, " "))

_DOUBLE_APOSTROPHE = regex.compile(r"''+")
_LONG_ELLIPSIS = regex.compile(r"(?<=\.\.\.)\.+|(?<=\.) (?=\.)")
_SPACES = regex.compile(r"(?<= ) +|^ +| +$")
_SPACE_BEFORE_POINT = regex.compile(r" (?=[,.;:!?%)\]}]{1,4}(?:[ \"']|$))|(?<=[(\[{]) ")
_SPACED_APOSTROPHE = regex.compile(r"(?<=\p{L}) '(?= \p{Ll})( )")
_POINTS = frozenset(".,;:!?)")
_QUOTE = regex.compile(r'"')
# Sentences or clauses without a space between: "...oldu.Sonra", "said,then".
_GLUED_SENTENCE = regex.compile(r"[.!?][\")]?(?=\p{Lu}\p{Ll}{2})")
_GLUED_CLAUSE = regex.compile(r"[,;](?=\p{L}{2})")
_SITE_ENDING = regex.compile(r"(?i)(?:com|org|net|info|gov|edu|biz|news|online|media|press|today|agency)\b")


@dataclass(frozen=True, slots=True)
class Tampering:
    """How many hidden characters of each kind, and how many words with look-alike letters, a text holds."""

    zero_width: int = 0
    bidi: int = 0
    variation_selectors: int = 0
    tags: int = 0
    other_hidden: int = 0
    homoglyphs: int = 0
    soft_hyphens: int = 0

    @property
    def total(self) -> int:
        """All signs of tampering. Soft hyphens are typesetting and not among them."""
        hidden = self.zero_width + self.bidi + self.variation_selectors + self.tags + self.other_hidden
        return hidden + self.homoglyphs


@dataclass(frozen=True, slots=True)
class CanonicalText:
    """A text in canonical form.

    ``text`` has no line breaks and single spaces only; ``tampering`` counts what was hidden in the original.
    """

    text: str
    tampering: Tampering
    _mapped: MappedText

    def to_original(self, start: int, end: int) -> Span:
        """The span of the original that canonical characters ``start`` to ``end`` stand for.

        Monotone in both ends. Raises ``IndexError`` when the span does not lie within ``text``.
        """
        return self._mapped.to_original(start, end)


def canonicalise(text: str, *, title: str | None = None, outlet: str | None = None) -> CanonicalText:
    """Bring ``text`` to the one canonical form.

    ``title`` is stripped where the text opens with it, ``outlet`` wherever it stands as a word. Letter case
    stays (see ``fold_case``). Never raises on any string; the result may be empty.
    """
    canonical_title = canonicalise(title).text if title else ""
    canonical_outlet = canonicalise(outlet).text if outlet else ""
    mapped = MappedText(text)
    counts: Counter[str] = Counter()
    passes = 0
    while True:
        before = mapped.text
        _fold_characters(mapped, counts)
        _strip_markup(mapped, nested=passes >= _USUAL_PASSES)
        _fold_spacing(mapped)
        _strip_surroundings(mapped, canonical_title, canonical_outlet)
        passes += 1
        if mapped.text == before or passes == _MAX_PASSES:
            break
    tampering = Tampering(
        zero_width=counts[ZERO_WIDTH],
        bidi=counts[BIDI],
        variation_selectors=counts[VARIATION_SELECTORS],
        tags=counts[TAGS],
        other_hidden=counts[OTHER_HIDDEN],
        homoglyphs=counts[_HOMOGLYPHS],
        soft_hyphens=counts[SOFT_HYPHENS],
    )
    return CanonicalText(mapped.text, tampering, mapped)


def _fold_characters(mapped: MappedText, counts: Counter[str]) -> None:
    hidden = list(find_hidden(mapped.text))
    counts.update(kind for _, kind in hidden if kind != NOT_COUNTED)
    mapped.delete((position, position + 1) for position, _ in hidden)
    mapped.translate(_BEFORE_NFKC)
    mapped.compose()
    mapped.translate(_BEFORE_MARKUP)
    replacements, suspicious = homoglyphs.find_homoglyphs(mapped.text)
    mapped.substitute(replacements)
    counts[_HOMOGLYPHS] += suspicious


def _strip_markup(mapped: MappedText, *, nested: bool) -> None:
    entities = markup.find_entities(mapped.text)
    mapped.substitute([(start, character) for start, _, character in entities])
    mapped.delete((start + 1, end) for start, end, _ in entities)
    if nested:
        mapped.delete(markup.find_markup_characters(mapped.text))
    mapped.delete(markup.find_line_markup(mapped.text))
    spaced = markup.find_spaced_markup(mapped.text)
    mapped.substitute([(start, " ") for start, _ in spaced])
    mapped.delete((start + 1, end) for start, end in spaced)
    mapped.delete(markup.find_inline_markup(mapped.text))


def _fold_spacing(mapped: MappedText) -> None:
    mapped.translate(_AFTER_MARKUP)
    doubled = [match.span() for match in _DOUBLE_APOSTROPHE.finditer(mapped.text)]
    mapped.substitute([(start, '"') for start, _ in doubled])
    mapped.delete((start + 1, end) for start, end in doubled)
    for pattern in (_SPACES, _SPACE_BEFORE_POINT, _LONG_ELLIPSIS):
        mapped.delete(match.span() for match in pattern.finditer(mapped.text))
    mapped.delete(_spaces_around_quotes(mapped.text))
    mapped.insert_spaces(_glued_positions(mapped.text))


def _glued_positions(text: str) -> list[int]:
    """Where a space is missing after the end of a sentence or clause."""
    positions: list[int] = []
    for match in _GLUED_SENTENCE.finditer(text):
        word = text[max(0, match.start() - 2) : match.start()]
        if len(word) == 2 and word.islower() and word.isalpha() and not _SITE_ENDING.match(text, match.end()):
            positions.append(match.end())
    for match in _GLUED_CLAUSE.finditer(text):
        word = text[max(0, match.start() - 2) : match.start()]
        if len(word) == 2 and word.isalpha():
            positions.append(match.end())
    return sorted(positions)


def _spaces_around_quotes(text: str) -> list[tuple[int, int]]:
    """Spaces that a tokeniser put inside quotation marks and around apostrophes."""
    ranges: list[tuple[int, int]] = []
    for number, match in enumerate(_QUOTE.finditer(text)):
        before, at, after = (
            text[match.start() - 1 : match.start()],
            match.start(),
            text[match.end() : match.end() + 1],
        )
        if number % 2 == 0 and before in ("", " ", "(") and after == " ":
            ranges.append((at + 1, at + 2))
        elif number % 2 == 1 and before == " " and (after in ("", " ") or after in _POINTS):
            ranges.append((at - 1, at))
    for match in _SPACED_APOSTROPHE.finditer(text):
        ranges += [(match.start(), match.start() + 1), match.span(1)]
    return ranges


def _strip_surroundings(mapped: MappedText, title: str, outlet: str) -> None:
    start = 0
    while True:
        end = datelines.dateline_end(mapped.text, start)
        if title:
            end = datelines.title_end(mapped.text, end, title)
        if end == start:
            break
        start = end
    mapped.delete([(0, start)])
    ranges, capitals = datelines.find_attributions(mapped.text)
    mapped.substitute(capitals)
    mapped.delete(ranges)
    if outlet:
        mapped.delete(datelines.find_outlet(mapped.text, outlet))
