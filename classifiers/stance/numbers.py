"""Quantities in text, in nine languages, as values that can be compared.

``find_quantities`` reads digits (with the separators of the language), number words, scale words, percent and
currency, ordinals, ranges, case endings ("2019'da", "5-ші", "12-го") and words such as "more than" and
"about".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from classifiers.stance.number_words import (
    EN_ORDINALS,
    HU_IRREGULAR_ORDINALS,
    NOT_NUMBERS,
    NUMBER_WORDS,
    RU_ORDINAL_ENDING,
    RU_ORDINALS,
    NumberWords,
)
from classifiers.stance.relation_words import Relation, relation_around
from classifiers.stance.units import CURRENCY_SIGNS, HOURS, METRES, same_measure, unit_of
from classifiers.text import fold_case

Kind = Literal["cardinal", "ordinal", "percent", "currency", "time"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number as the text means it.

    ``values`` holds every reading: one, or two where the separators are ambiguous ("1,234"). ``certain`` is
    False for words that may mean something else (tr *yedi*, "seven" or "ate"): they can confirm a number,
    never refute one. ``start``/``end`` are code-point offsets into the text read, without the unit.
    """

    values: tuple[Decimal, ...]
    kind: Kind
    unit: str | None
    relation: Relation
    certain: bool
    start: int
    end: int
    text: str

    def agrees_with(self, other: Quantity) -> bool:
        """Whether the two can state the same amount; relations ("more than 50" and 57) are taken into
        account.
        """
        if self.kind != other.kind and {"percent", "time"} & {self.kind, other.kind}:
            return False
        if self.kind == "time":  # 7:30 in the evening and 19:30
            return any((a - b) % _HALF_DAY == 0 for a in self.values for b in other.values)
        if self.unit != other.unit and self.unit in HOURS and other.unit in HOURS:
            return any(
                a * HOURS[self.unit] == b * HOURS[other.unit] for a in self.values for b in other.values
            )
        if self.unit != other.unit and same_measure(self.unit, other.unit):
            return any(
                _near(a * METRES[self.unit], b * METRES[other.unit], _CONVERTED)
                for a in self.values
                for b in other.values
            )
        if self.unit == other.unit == "degree" and any(
            _fahrenheit(a, b) or _fahrenheit(b, a) for a in self.values for b in other.values
        ):
            return True
        if self.kind == other.kind == "currency" and self.unit != other.unit:
            return False
        return any(
            _compatible(a, self.relation, b, other.relation) for a in self.values for b in other.values
        )


_APPROXIMATION = Decimal("0.12")
# Translated measures are rounded: 2 inches are 5 cm, 80 degrees Fahrenheit 27 Celsius.
_CONVERTED = Decimal("0.05")
_DEGREES = Decimal("1.2")
_BOUND = Decimal("1.5")
_HALF_DAY = 12 * 60


def _near(a: Decimal, b: Decimal, share: Decimal) -> bool:
    return abs(a - b) <= share * max(abs(a), abs(b))


def _fahrenheit(fahrenheit: Decimal, celsius: Decimal) -> bool:
    """Whether two readings may be of one thermometer; below 50 Fahrenheit too many other numbers fit."""
    return fahrenheit >= 50 and abs((fahrenheit - 32) * 5 / 9 - celsius) <= _DEGREES


def _compatible(a: Decimal, relation_a: Relation, b: Decimal, relation_b: Relation) -> bool:
    if a == b:  # "at least 50" and "at most 50" share nothing but the number
        return {relation_a, relation_b} != {">", "<"}
    if "~" in (relation_a, relation_b) and a and b:
        return _near(a, b, _APPROXIMATION)
    # A bound agrees only with a value close beyond it: "more than 50" for 57, not for 5,000.
    if relation_a == relation_b:
        return False
    if relation_a == ">" or relation_b == "<":
        return a < b <= _BOUND * a
    if relation_a == "<" or relation_b == ">":
        return b < a <= _BOUND * b
    return False


_SPACES = " \u00a0\u2009\u202f\u2007"
_LITERAL = re.compile(
    rf"(?<![\w.,])[-−]?(?:\d{{1,3}}(?:[{_SPACES}]\d{{3}})+(?![\d])(?:[.,]\d+)?|\d+(?:[.,'’]\d+)*)"
)
_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
_TOKEN = re.compile(rf"(?P<literal>{_LITERAL.pattern})|(?P<word>{_WORD.pattern})")
_APOSTROPHES = str.maketrans(dict.fromkeys("ʻʼ’‘`´ʹ", "'"))
_LITERAL_ORDINAL = re.compile(
    r"[-'’]?(?:st|nd|rd|th|ıncı|inci|uncu|üncü|nci|ncı|ncu|ncü|cı|ci|cu|cü|ші|шы|інші|ыншы|чи|чы|чу|чү|инчи|ынчы|"
    r"nchi|inchi|нчи|nji|njy|ýy|го|й|я|е|му|м|х|ой|ый|ая|ое|dik|adik|edik|ödik)(?![^\W_]{3})"
)
_DOT_ORDINALS = frozenset({"hu", "tr"})
_DOT_ORDINAL = re.compile(r"\. +[a-zöüóőúűéáíçşğı]{4}")
_DOT_GROUPS = frozenset({"tr", "az"})


def read_literal(literal: str, language: str) -> tuple[Decimal, ...]:
    """Every sensible value of digits with separators, the language's own reading first.

    >>> read_literal("1.234,5", "tr")
    (Decimal('1234.5'),)
    """
    negative = literal[0] in "-−"
    body = re.sub(rf"[{_SPACES}'’]", "", literal.lstrip("-−"))
    dots, commas = body.count("."), body.count(",")
    readings: list[str]
    if dots and commas:
        decimal_mark = "." if body.rfind(".") > body.rfind(",") else ","
        group_mark = "," if decimal_mark == "." else "."
        readings = [body.replace(group_mark, "").replace(decimal_mark, ".")]
    elif dots + commas > 1:
        readings = [body.replace(".", "").replace(",", "")]
    elif dots + commas == 1:
        mark = "." if dots else ","
        before, after = body.split(mark)
        as_decimal, as_group = f"{before}.{after}", before + after
        if len(after) != 3 or len(before) > 3 or before == "0":
            readings = [as_decimal]
        elif (mark == ",") == (language == "en") or (mark == "." and language in _DOT_GROUPS):
            readings = [as_group, as_decimal]
        else:
            readings = [as_decimal, as_group]
    else:
        readings = [body]
    return tuple(dict.fromkeys(-Decimal(r) if negative else Decimal(r) for r in readings))


@dataclass(slots=True)
class _Piece:
    """A token read as part of a number: digits, a word below 1,000, or a scale."""

    values: tuple[Decimal, ...]
    is_scale: bool
    is_literal: bool
    ordinal: bool
    certain: bool
    start: int
    end: int


def find_quantities(text: str, language: str) -> list[Quantity]:
    """Every quantity in ``text``, in order of appearance.

    ``language`` is one of the nine codes; for another the digits alone are read. Offsets count code points
    of ``text``.
    """
    lowered = _mark_leading_percent(fold_case(text, language).translate(_APOSTROPHES))
    words = NUMBER_WORDS.get(language)
    times = [_time(match, text) for match in _CLOCK.finditer(lowered)]
    for time in times:  # digits of a clock time are no other number
        lowered = lowered[: time.start] + " " * (time.end - time.start) + lowered[time.end :]
    groups = _groups(list(_pieces(lowered, language, words)), lowered)
    quantities = _ranges([_finish(group, text, lowered, language) for group in groups], lowered)
    return sorted(quantities + times, key=lambda q: q.start)


_CLOCK = re.compile(
    r"(?<![\d.,:])(?P<hour>[01]?\d|2[0-4])(?::(?P<minute>[0-5]\d)(?::[0-5]\d)?(?![\d:])(?:\s?(?P<half>[ap])\.?m\b)?"
    r"|\.(?P<dotted>[0-5]\d)\s?(?P<dotted_half>[ap])\.?m\b|\s?(?P<bare_half>[ap])\.?m\b)"
)


def _time(match: re.Match[str], text: str) -> Quantity:
    """A clock time as minutes after midnight."""
    half = match.group("half") or match.group("dotted_half") or match.group("bare_half")
    hour = int(match.group("hour")) % 12 + (12 if half == "p" else 0) if half else int(match.group("hour"))
    minute = int(match.group("minute") or match.group("dotted") or 0)
    start, end = match.span()
    return Quantity((Decimal(hour * 60 + minute),), "time", None, "=", True, start, end, text[start:end])


# Stands for a percent sign or word written before its number, so that no number before it takes it for its
# unit.
_PERCENT_AHEAD = "\ue000"
_LEADING_PERCENT = re.compile(r"yüzde(?=\s+[\w])|%(?=\s?\d)")


def _mark_leading_percent(lowered: str) -> str:
    return _LEADING_PERCENT.sub(lambda match: _PERCENT_AHEAD.ljust(len(match.group())), lowered)


def _pieces(lowered: str, language: str, words: NumberWords | None) -> Iterator[_Piece]:
    for match in _TOKEN.finditer(lowered):
        if match.group("literal"):
            end = match.end()
            ordinal = _LITERAL_ORDINAL.match(lowered, end) or (
                language in _DOT_ORDINALS and _DOT_ORDINAL.match(lowered, end)
            )
            values = read_literal(match.group(), language)
            yield _Piece(values, False, True, bool(ordinal), True, match.start(), end)
        elif words:
            yield from _word_pieces(match.group(), match.start(), language, words)


def _word_pieces(token: str, start: int, language: str, words: NumberWords) -> Iterator[_Piece]:
    position = start
    for part in re.split(r"(-)", token) if language in ("en", "ru", "hu") else [token]:
        found = _read_word(part, language, words) if part != "-" else None
        for value, is_scale, ordinal, certain in found or ():
            yield _Piece((Decimal(value),), is_scale, False, ordinal, certain, position, position + len(part))
        position += len(part)


# Plural endings make a number indefinite: tr "binlerce", kk "мыңдаған" are no 1,000.
_INDEFINITE = re.compile(r"l[ae]r|л[аео]р|[дт][ае][гғ]|лаған|леген|лап|ларча|лаб|lab|some|ами|ах")

Reading = tuple[int, bool, bool, bool]


def _read_word(word: str, language: str, words: NumberWords) -> list[Reading] | None:
    """Values in one word: (value, is a scale, is an ordinal, is certain) each, or None for a word without
    number.
    """
    word = word.replace("ё", "е") if language == "ru" else word
    if language == "en" and word in EN_ORDINALS:
        return [(EN_ORDINALS[word], False, True, word != "second")]
    if language == "hu" and word in HU_IRREGULAR_ORDINALS:
        return [(HU_IRREGULAR_ORDINALS[word], False, True, True)]
    if word in NOT_NUMBERS:
        return None
    if language == "ru":
        for stem in sorted(RU_ORDINALS, key=len, reverse=True):
            if word.startswith(stem) and RU_ORDINAL_ENDING.fullmatch(word[len(stem) :]) and len(stem) >= 3:
                return [(RU_ORDINALS[stem], False, True, True)]
    return _segment(word, words, first=True)


def _segment(word: str, words: NumberWords, *, first: bool) -> list[Reading] | None:
    for length in range(len(word), 0, -1):
        stem = word[:length]
        is_scale = stem in words.scales
        value = words.scales.get(stem, words.cardinals.get(stem))
        if value is None:
            continue
        rest = word[length:]
        doubtful = stem in words.doubtful or value == 1
        if rest and words.glued and (tail := _segment(rest, words, first=False)):
            return [(value, is_scale, False, True), *tail]
        if words.inflection.fullmatch(rest):
            ordinal = bool(rest and words.ordinal.match(rest))
            # An inflected short stem is often another word; long stems and ordinals are safe.
            unsure = doubtful or _INDEFINITE.match(rest)
            return [(value, is_scale, ordinal, ordinal or not unsure or not first)]
    return None


def _groups(pieces: list[_Piece], lowered: str) -> Iterator[list[_Piece]]:
    """Runs of adjacent pieces that form one number: "4 bin 600", "twenty-four", "3 млн 200 мың"."""
    group: list[_Piece] = []
    for piece in pieces:
        if group and not (_adjacent(group[-1], piece, lowered) and _continues(group, piece)):
            yield group
            group = []
        if piece.is_scale and not group and not piece.certain:
            continue
        group.append(piece)
    if group:
        yield group


def _adjacent(left: _Piece, right: _Piece, lowered: str) -> bool:
    gap = lowered[left.end : right.start]
    if right.is_scale and right.end - right.start == 1:  # "$5m", but "5 m" is five metres
        return gap == "" and left.is_literal
    return gap.strip(_SPACES + "-") == "" or (left.is_literal and gap in (". ", ".")) or gap == " and "


def _continues(group: list[_Piece], piece: _Piece) -> bool:
    last = group[-1]
    if last.ordinal:
        return False
    value = piece.values[0]
    if piece.is_scale:
        return not last.is_scale or last.values[0] < value
    if last.is_scale:
        return value < last.values[0]
    if last.is_literal or piece.is_literal:
        return False
    if value == 100:
        return last.values[0] < 10
    return value < _place(last.values[0])


def _place(value: Decimal) -> int:
    """The lowest place a number word fills: 20 leaves room below 10, 100 below 100, 7 leaves none."""
    number = int(value)
    if number and number % 100 == 0:
        return 100
    return 10 if (number >= 20 and number % 10 == 0) or number == 10 else 0


def _evaluate(group: list[_Piece]) -> tuple[Decimal, ...]:
    if len(group) == 1:
        return group[0].values
    # "1,5 million": before a scale a single mark is a decimal mark or, if so read, still the first reading.
    total = current = Decimal(0)
    for piece in group:
        value = piece.values[0] if len(piece.values) == 1 else min(piece.values)
        if piece.is_scale:
            total += (current or Decimal(1)) * value
            current = Decimal(0)
        elif value == 100 and not piece.is_literal:
            current = (current or Decimal(1)) * value
        else:
            current += value
    return (total + current,)


_UNIT_GAP = re.compile(r"^[\s-]*")


def _attached_unit(after: str) -> str | None:
    """The unit in "42-летний", "42-year-old" or "20км"; a lone case ending ("20га") is none."""
    attached = re.match(r"[-']?([^\W\d_]{3,}|km|kg|км|кг|%)", after)
    return unit_of(attached.group(1)) if attached else None


def _finish(group: list[_Piece], text: str, lowered: str, language: str) -> Quantity:
    start, end = group[0].start, group[-1].end
    before, after = lowered[max(0, start - 40) : start], lowered[end : end + 60]
    tail = re.sub(r"^(?:['’-]\w+|(?!km|kg)[^\W\d_]{1,5}(?=\s))", "", after) if group[-1].is_literal else after
    if group[-1].is_scale:  # "3 млн. теңге"
        tail = tail.removeprefix(".")
    unit = (
        CURRENCY_SIGNS.get(before.rstrip()[-1:]) or unit_of(_UNIT_GAP.sub("", tail)) or _attached_unit(after)
    )
    if before.rstrip().endswith(_PERCENT_AHEAD):
        unit = "percent"
    if before.rstrip().endswith("us$"):
        unit = "USD"
    ordinal = group[-1].ordinal and unit != "percent"
    kind: Kind = "ordinal" if ordinal else "cardinal"
    if unit == "percent":
        kind = "percent"
    elif unit is not None and unit.isupper():
        kind = "currency"
    certain = len(group) > 1 or group[0].certain or kind in ("percent", "currency") or unit in HOURS
    return Quantity(
        _evaluate(group),
        kind,
        unit,
        relation_around(before, after, language),
        certain,
        start,
        end,
        text[start:end],
    )


_RANGE_GAP = re.compile(r"\s*[-–—]\s*")


def _ranges(quantities: list[Quantity], lowered: str) -> list[Quantity]:
    """Give the first number of a range ("5–7 %") the unit and kind of the second."""
    shared = list(quantities)
    for i in range(len(shared) - 1):
        left, right = shared[i], shared[i + 1]
        if left.unit is None and right.unit and _RANGE_GAP.fullmatch(lowered[left.end : right.start]):
            shared[i] = replace(left, unit=right.unit, kind=right.kind)
    return shared
