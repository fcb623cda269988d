"""The one canonical form of a text, used in training and in serving, with a map back to the original.

What separates texts without being their wording is folded away: composed and decomposed letters, hidden characters,
look-alike letters, markdown, blank lines, quote, dash and apostrophe styles, ё, tokenisers' spaces, datelines,
outlet names and a repeated title. ``canonicalise(canonicalise(x).text).text == canonicalise(x).text``.
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
from classifiers.text.mapped import MappedText
from classifiers.text.spans import Span

_HOMOGLYPHS = "homoglyphs"

# Passes after which a text that still changes is taken to be built to nest markup.
_USUAL_PASSES = 8

_QUOTES = dict.fromkeys(map(ord, "«»„“”‟″‶〝〞〟❝❞＂‹›《》「」『』"), '"')
_APOSTROPHES = dict.fromkeys(map(ord, "‘’‚‛′‵´ʹʻʼʽʾʿˈˊˋ՚＇❛❜ꞌ"), "'")
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−﹘﹣－⁃⸺⸻⁓"), "-")
_LETTERS = {ord("ё"): "е", ord("Ё"): "Е"}
_BEFORE_MARKUP = _QUOTES | _APOSTROPHES | _DASHES | _LETTERS | {ord("\x85"): "\n", 0x2028: "\n", 0x2029: "\n", 0x0D: "\n"}
# NFKC would make a space and a combining mark of these.
_BEFORE_NFKC = {ord("´"): "'", ord("＇"): "'", ord("\xa0"): " "}
_AFTER_MARKUP = {ord("`"): "'"} | dict.fromkeys(
    map(ord, "\t\n\v\f\r\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"),
    " ",
)

_DOUBLE_APOSTROPHE = regex.compile(r"''+")
_LONG_ELLIPSIS = regex.compile(r"(?<=\.\.\.)\.+|(?<=\.) (?=\.)")
_SPACES = regex.compile(r"(?<= ) +|^ +| +$")
_SPACE_BEFORE_POINT = regex.compile(r" (?=[,.;:!?%)\]}]{1,4}(?:[ \"']|$))|(?<=[(\[{]) ")
_SPACED_APOSTROPHE = regex.compile(r"(?<=\p{L}) '(?= \p{Ll})( )")
_QUOTE = regex.compile(r'"')
_GLUED = regex.compile(r"(?<=\p{Ll}{2}[.!?\")]{1,2})(?<=[.!?][\")]?)(?=\p{Lu}\p{Ll}{2})|(?<=\p{L}{2}[,;])(?=\p{L}{2})")
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

    ``title`` is stripped where the text opens with it, ``outlet`` wherever it stands as a word. Letter case stays
    (see ``fold_case``). Never raises on any string; the result may be empty.
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
        if mapped.text == before:
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
    glued = [match.start() for match in _GLUED.finditer(mapped.text) if not _SITE_ENDING.match(mapped.text, match.start())]
    mapped.insert_spaces(glued)


def _spaces_around_quotes(text: str) -> list[tuple[int, int]]:
    """Spaces that a tokeniser put inside quotation marks and around apostrophes."""
    ranges: list[tuple[int, int]] = []
    for number, match in enumerate(_QUOTE.finditer(text)):
        at = match.start()
        if (at == 0 or text[at - 1] == " ") and (at + 1 == len(text) or text[at + 1] == " "):
            inside = at + 1 if number % 2 == 0 else at - 1
            if 0 <= inside < len(text):
                ranges.append((inside, inside + 1))
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
