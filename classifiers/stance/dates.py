"""Dates in text, in nine languages: written months and weekdays (CLDR names by babel), numeric dates, bare
years.

A date says only what the text says: "5 March" has no year, "2019" no day. Two dates agree when every part
that both state is equal; relative words ("yesterday") count only when the publication date is given.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from babel import Locale

from classifiers.stance.numbers import Quantity, find_quantities
from classifiers.text import fold_case

_LOCALES = {"uz": ("uz", "uz_Cyrl")}
# Common spellings CLDR lacks: Soviet-style and Kazakh/Kyrgyz variants, and the ordinary Uzbek and
# Azerbaijani ones.
_EXTRA_MONTHS: dict[str, dict[int, str]] = {
    "uz": {9: "sentyabr", 10: "oktyabr"},
    "kk": {6: "июнь", 7: "июль", 8: "август"},
}
_EXTRA_WEEKDAYS: dict[str, dict[int, str]] = {"tk": {4: "annagüni", 0: "ý. birinji güni"}}
# Names that are ordinary words too: they count only beside a day or a year (months) or only confirm
# (weekdays).
_AMBIGUOUS_MONTHS = frozenset(
    [
        "may",
        "march",
        "mart",
        "март",
        "май",
        "maý",
        "ocak",
        "ekim",
        "kasım",
        "aralık",
        "nisan",
        "қазан",
        "тамыз",
        "қараша",
        "мамыр",
        "маусым",
        "шілде",
        "august",
    ]
)
_AMBIGUOUS_WEEKDAYS = frozenset(
    ["pazar", "bazar", "anna", "жума", "жұма", "juma", "cuma", "cümə", "salı", "kedd", "среда", "жексенбі"]
)
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
_RECENT_YEAR = re.compile(r"19\d\d|20[0-4]\d")
_ENDING = r"(?:['-]?\w{0,6})"


@dataclass(frozen=True, slots=True)
class WrittenDate:
    """A date as far as it is stated; ``weekday`` counts from Monday = 0. Offsets are code points of the text
    read.
    """

    year: int | None
    month: int | None
    day: int | None
    weekday: int | None
    certain: bool
    start: int
    end: int
    text: str

    def shared_parts(self, other: WrittenDate) -> list[tuple[int, int]]:
        """Pairs of the parts that both dates state."""
        mine = (self.year, self.month, self.day, self.weekday)
        theirs = (other.year, other.month, other.day, other.weekday)
        return [(a, b) for a, b in zip(mine, theirs, strict=True) if a is not None and b is not None]

    def agrees_with(self, other: WrittenDate) -> bool:
        shared = self.shared_parts(other)
        return bool(shared) and all(a == b for a, b in shared)


@dataclass(frozen=True, slots=True)
class _Calendar:
    months: dict[str, int]
    weekdays: dict[str, int]
    month_pattern: re.Pattern[str]
    weekday_pattern: re.Pattern[str]


def _stems(forms: Sequence[str]) -> set[str]:
    """The forms of one name reduced to what all inflections share."""
    common = os.path.commonprefix(list(forms))  # noqa: RUF071 (letters are what is meant)
    stems = {common} if len(common) >= 4 else set(forms)
    return {s[:-1] if len(s) > 3 and s[-1] in "ьяаеи" else s for s in stems}


@cache
def _calendar(language: str) -> _Calendar:
    months: dict[str, int] = {}
    weekdays: dict[str, int] = {}
    for name in _LOCALES.get(language, (language,)):
        locale = Locale.parse(name)
        for number in range(1, 13):
            forms = {
                fold_case(locale.months[style]["wide"][number], language)
                for style in ("format", "stand-alone")
            }
            # CLDR's stand-alone Turkish and Hungarian lists fall back to another language: keep what starts
            # alike.
            own = fold_case(locale.months["format"]["wide"][number], language)
            months |= dict.fromkeys(_stems(sorted({own} | {f for f in forms if f[:3] == own[:3]})), number)
        for day in range(7):
            weekdays |= dict.fromkeys(_stems([fold_case(locale.days["format"]["wide"][day], language)]), day)
    months |= {v.rstrip("ь"): k for k, v in _EXTRA_MONTHS.get(language, {}).items()}
    weekdays |= {v: k for k, v in _EXTRA_WEEKDAYS.get(language, {}).items()}
    if language == "ru":
        months |= {"мая": 5, "май": 5, "мае": 5}

    def alternatives(names: dict[str, int]) -> str:
        return "|".join(re.escape(n) for n in sorted(names, key=len, reverse=True))

    month_pattern = re.compile(
        r"(?:(?<!\d)(?P<y1>(?:1[5-9]|20)\d\d)[-\w.,'\s]{0,14}?[\s.]+)?"
        rf"(?:(?<![\d.,])(?P<d1>[0-3]?\d)(?:\s*[-–]\s*[0-3]?\d)?(?:[-'.]?[^\W\d]{{0,4}})[\s-]*(?:of\s+)?)?"
        rf"(?<!\w)(?P<month>{alternatives(months)}){_ENDING}(?!\w)\.?"
        r"(?:\s+(?:a[ýy]\w*\s+|ай\w*\s+|oy\w*\s+)?(?P<d2>[0-3]?\d)(?![\d]|[.,:]\d|\s*[%‰]))?"
        r"(?(y1)|(?:(?:[-'.]?[^\W\d]{0,4})[\s,]*(?:of\s+)?(?P<y2>(?:1[5-9]|20)\d\d)(?!\d|[-./]\d))?)"
    )
    weekday_pattern = re.compile(rf"(?<!\w)(?P<weekday>{alternatives(weekdays)}){_ENDING}(?!\w)")
    return _Calendar(months, weekdays, month_pattern, weekday_pattern)


_NUMERIC = re.compile(
    r"(?<![\d.,/])(?:(?P<iso>(?:1[5-9]|20)\d\d)[-.](?P<iso_m>\d\d)[-.](?P<iso_d>\d\d)"
    r"|(?P<d>\d{1,2})(?P<mark>[./])(?P<m>\d{1,2})(?P=mark)(?P<y>(?:1[5-9]|20)\d\d))(?!\d)"
)
_RELATIVE: dict[int, frozenset[str]] = {
    0: frozenset(["today", "bugün", "бүгін", "бүгүн", "bugun", "бугун", "сегодня"]),
    -1: frozenset(["yesterday", "dün", "dünən", "кеше", "кечээ", "kecha", "кеча", "düýn", "tegnap", "вчера"]),
    1: frozenset(["tomorrow", "yarın", "ертең", "эртең", "ertaga", "эртага", "ertir", "holnap", "завтра"]),
}


def find_dates(text: str, language: str, published: date | None = None) -> list[WrittenDate]:
    """Every date in ``text`` in order. ``language``: one of the nine codes. ``published`` resolves relative
    words.
    """
    lowered = fold_case(text, language)
    taken = [False] * len(lowered)
    found: list[WrittenDate] = []
    for mention in _candidates(lowered, text, language, published):
        if not any(taken[mention.start : mention.end]):
            taken[mention.start : mention.end] = [True] * (mention.end - mention.start)
            found.append(mention)
    return sorted(found, key=lambda d: d.start)


def _candidates(lowered: str, text: str, language: str, published: date | None) -> Iterator[WrittenDate]:
    for match in _NUMERIC.finditer(lowered):
        yield from _numeric(match, text, language)
    try:
        calendar = _calendar(language)
    except ValueError as error:  # babel.UnknownLocaleError is none; an empty or malformed code is
        raise ValueError(f"unknown language code {language!r}") from error
    for match in calendar.month_pattern.finditer(lowered):
        yield from _written(match, text, calendar)
    for match in calendar.weekday_pattern.finditer(lowered):
        name = match.group("weekday")
        yield WrittenDate(
            None,
            None,
            None,
            calendar.weekdays[name],
            name not in _AMBIGUOUS_WEEKDAYS,
            *match.span(),
            match.group(),
        )
    for quantity in find_quantities(text, language):
        if is_year(quantity):
            yield WrittenDate(
                int(quantity.values[0]), None, None, None, True, quantity.start, quantity.end, quantity.text
            )
    if published:
        yield from _relative(lowered, text, published)


def is_year(quantity: Quantity) -> bool:
    """Whether a quantity reads as a calendar year: four bare digits that count nothing; older ones with a
    year word.
    """
    if quantity.kind not in ("cardinal", "ordinal"):
        return False
    pattern = _YEAR if quantity.unit == "year" else _RECENT_YEAR
    return quantity.unit in (None, "year") and bool(pattern.fullmatch(quantity.text))


def _numeric(match: re.Match[str], text: str, language: str) -> Iterator[WrittenDate]:
    span = match.span()
    if match.group("iso"):
        year, month, day = (int(match.group(g)) for g in ("iso", "iso_m", "iso_d"))
    else:
        year, month, day = (int(match.group(g)) for g in ("y", "m", "d"))
        if language == "en" and match.group("mark") == "/":
            if month > 12:
                month, day = day, month
            elif day <= 12 and day != month:  # 03/05/2019: day or month first, nobody can tell
                yield WrittenDate(year, None, None, None, True, *span, text[slice(*span)])
                return
    if 1 <= month <= 12 and 1 <= day <= 31:
        yield WrittenDate(year, month, day, None, True, *span, text[slice(*span)])


def _written(match: re.Match[str], text: str, calendar: _Calendar) -> Iterator[WrittenDate]:
    name = match.group("month")
    day_text = match.group("d1") or match.group("d2")
    year_text = match.group("y1") or match.group("y2")
    day = int(day_text) if day_text and 1 <= int(day_text) <= 31 else None
    if (
        day is None
        and year_text is None
        and name in _AMBIGUOUS_MONTHS
        and not text[match.start("month")].isupper()
    ):
        return
    certain = day is not None or year_text is not None or name not in _AMBIGUOUS_MONTHS
    start, end = match.span()
    yield WrittenDate(
        int(year_text) if year_text else None,
        calendar.months[name],
        day,
        None,
        certain,
        start,
        end,
        text[start:end],
    )


def _relative(lowered: str, text: str, published: date) -> Iterator[WrittenDate]:
    for match in re.finditer(r"\w+", lowered):
        for shift, words in _RELATIVE.items():
            if match.group() in words:
                day = published + timedelta(days=shift)
                yield WrittenDate(
                    day.year,
                    day.month,
                    day.day,
                    day.weekday(),
                    True,
                    *match.span(),
                    text[slice(*match.span())],
                )
