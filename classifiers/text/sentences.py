"""Sentences with exact offsets, for nine languages.

Rules of our own: the kept libraries cover few of the languages (pysbd has en, ru and kk, without az ky tr uz
tk hu; NLTK's Punkt models have en, ru and tr), and pysbd rewrites the text, so that its offsets have to be
searched for again. A candidate is a run of final punctuation with its closing quotes; the word before and the
character after it decide.
"""

from __future__ import annotations

from collections.abc import Iterator

import regex

from classifiers.text.abbreviations import BEFORE_A_NAME, ENGLISH_OPENERS, MAY_END, ORDINAL_LANGUAGES
from classifiers.text.spans import Span

_BREAK = regex.compile(r"[ \t\xa0]*(?:\r\n|[\n\r\x0b\x0c\x85\u2028\u2029])\s*")
_END = regex.compile(r"(?P<points>[.!?…؟。]+)(?P<closers>(?:[\"'»”’“)\]*_]|\s(?=»))*+)(?P<space>\s*)")
_WORD_BEFORE = regex.compile(r"(?r)(?<![\p{L}\p{N}.'’ʻʼ‘-])[\p{L}\p{N}.'’ʻʼ‘-]{1,24}")
_INITIAL = regex.compile(r"\p{Lu}|(?:\p{Lu}\.)+\p{Lu}|(?:Ya|Yu|Yo|Ye|Sh|Ch|Дж|Ju|Gy|Sz|Cs|Zs|Ny|Th)")
_ROMAN = regex.compile(r"[IVXLC]{1,6}")
_OPENING = regex.compile(r"[\"'«„“‘(\[*_¿¡]*+")
_DASH = regex.compile(r"[-–—―]+\s*")
_GLUED_NEXT = regex.compile(r"[\"“«„]?\p{Lu}[\p{Ll}']{2}")
_SITE_ENDING = regex.compile(r"(?i)(?:com|org|net|info|gov|edu|biz|news|online|media|press|today|agency)\b")
_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʻʼ", "'"))


def split_sentences(text: str, language: str) -> list[Span]:
    """Split ``text`` into sentences.

    The spans are in order, do not overlap, begin and end with a visible character, and cover every character
    that is no white space. A blank line or a line break is a boundary unless it cuts a sentence in the
    middle. ``language`` is one of
    ``LANGUAGES``; for any other code the rules of English and Russian abbreviations hold.
    """
    spans: list[Span] = []
    for block_start, block_end in _blocks(text):
        start = block_start
        for boundary in _boundaries(text, block_start, block_end, language):
            _append(spans, text, start, boundary)
            start = boundary
        _append(spans, text, start, block_end)
    return spans


def _append(spans: list[Span], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        spans.append(Span(start, end))


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for match in _BREAK.finditer(text):
        if _continues(text, match.start(), match.end(), match.group()):
            continue
        yield start, match.start()
        start = match.end()
    yield start, len(text)


def _continues(text: str, before: int, after: int, space: str) -> bool:
    """Whether one line break stands within a sentence: no final punctuation before it, a small letter after
    it."""
    if after >= len(text) or before == 0 or space.count("\n") + space.count("\u2029") != 1:
        return False
    return text[after].islower() and (text[before - 1].isalnum() or text[before - 1] in ",-–—")


def _boundaries(text: str, start: int, end: int, language: str) -> Iterator[int]:
    """Positions within a block at which a new sentence begins."""
    for match in _END.finditer(text, start, end):
        following = match.end()
        if following >= end:
            return
        points = match.group("points")
        if not match.group("space"):
            if not match.group("closers") and _is_glued(text, match.start(), following, points):
                yield following
            continue
        if not _opens_sentence(text, following, end, closed_quote=_closes_quote(match.group("closers"))):
            continue
        if (
            points == "."
            and not match.group("closers")
            and not _full_stop_ends(text, start, match.start(), following, language)
        ):
            continue
        yield following


def _closes_quote(closers: str) -> bool:
    return any(mark in closers for mark in "\"'»”’“")


def _is_glued(text: str, point: int, following: int, points: str) -> bool:
    """Whether two sentences meet without a space: "...bitdi.Sonra"."""
    before = text[max(0, point - 2) : point]
    if len(points) > 1 or len(before) < 2 or not (before.isalpha() and before.islower()):
        return False
    return bool(_GLUED_NEXT.match(text, following)) and not _SITE_ENDING.match(text, following)


def _opens_sentence(text: str, position: int, end: int, *, closed_quote: bool) -> bool:
    """Whether what stands at ``position`` can open a sentence."""
    dash = _DASH.match(text, position, end)
    if dash:
        # «...!» — said X: the attribution belongs to the quotation before it.
        if closed_quote:
            return False
        position = dash.end()
    opening = _OPENING.match(text, position, end)
    if opening:
        position = opening.end()
    return position < end and not text[position].islower() and text[position] not in ",;:.!?…)»”%"


def _full_stop_ends(text: str, block_start: int, point: int, following: int, language: str) -> bool:
    """Whether a single full stop before white space and a possible opening ends the sentence."""
    match = _WORD_BEFORE.match(text, max(block_start, point - 26), point)
    if not match:
        return True
    word = match.group().translate(_APOSTROPHES)
    if word.isdigit() or _ROMAN.fullmatch(word):
        return _number_ends(text, block_start, match.start(), word, language)
    if _INITIAL.fullmatch(word):
        return language == "en" and _next_word(text, following) in ENGLISH_OPENERS and len(word) > 1
    lowered = word.replace("İ", "i").lower()
    # "г." after a number is a year and may end; before a name it is a city.
    after_number = text[max(block_start, match.start() - 2) : match.start()].strip()[-1:].isdigit()
    if _listed(MAY_END, lowered, language) and (
        after_number or not _listed(BEFORE_A_NAME, lowered, language)
    ):
        return language != "en" or "." not in lowered or _next_word(text, following) in ENGLISH_OPENERS
    return not _listed(BEFORE_A_NAME, lowered, language)


def _number_ends(text: str, block_start: int, number_start: int, number: str, language: str) -> bool:
    """Whether a number and a full stop end a sentence, or are an ordinal or the marker of a list item."""
    if not text[block_start:number_start].strip(" \t\"'«“„([*_"):
        return False
    if not number.isdigit():
        return language not in ORDINAL_LANGUAGES and len(number) > 1
    return not (language in ORDINAL_LANGUAGES and len(number) <= 3)


def _next_word(text: str, position: int) -> str:
    match = regex.compile(r"[\"'«„“‘(\[]*+(\p{L}+)").match(text, position)
    return match.group(1).lower() if match else ""


def _listed(table: dict[str, frozenset[str]], word: str, language: str) -> bool:
    if language in table:
        return word in table[language]
    return word in table["en"] or word in table["ru"]
