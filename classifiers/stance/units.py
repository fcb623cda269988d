"""Units of quantities in nine languages: percent, currencies, lengths, masses, times.

A unit makes two numbers comparable: 57 % and 57 people are no match, and a changed number is paired with the
number that counts the same thing.
"""

from __future__ import annotations

import re
from decimal import Decimal

CURRENCY_SIGNS = {
    "$": "USD",
    "€": "EUR",
    "£": "GBP",
    "₺": "TRY",
    "₽": "RUB",
    "₸": "KZT",
    "₼": "AZN",
    "₴": "UAH",
}

# Stems at the start of the word that follows (or, for signs, precedes) a number. Long stems may be
# inflected; the exact ones may not, because a longer word with the same start means something else.
_STEMS: dict[str, str] = {
    "percent": "% percent per|cent pct faiz пайыз процент проценттік yüzde yuzde foiz фоиз göterim goterim "
    "százalék "
    "szazalek проц",
    "USD": "dollar доллар dolar dollár usd",
    "EUR": "euro евро еуро avro euró yevro ýewro eur",
    "GBP": "pound фунт funt font sterlin стерлинг gbp",
    "TRY": "lira лира líra ₺",
    "RUB": "rubl рубл рубль ruble rouble rubel",
    "KZT": "tenge теңге тенге kzt",
    "KGS": "сом kgs",
    "UZS": "so'm сўм сум uzs",
    "AZN": "manat манат azn",
    "HUF": "forint форинт huf",
    "kilometre": "kilomet kilomét километр шақырым чакырым",
    "mile": "mile миль миля мил mil mérföld",
    "metre": "metr meter méter метр",
    "centimetre": "centimet centimét сантиметр santimet",
    "millimetre": "millimet milimét миллиметр milimet",
    "foot": "foot feet фут fut ayak láb",
    "yard": "yard ярд ýard",
    "inch": "inch дюйм dyum düým dýuým düym inç hüvelyk",
    "kilogram": "kilogram килограм kiloq",
    "tonne": "tonne tonna тонн ton",
    "hectare": "hectare hektar гектар hektár",
    "degree": "degree derece градус gradus daraja dereje dərəcə даража fok °",
    "year": "year yıl il жыл год года годы лет yil йил ýyl év éves жылы",
    "age": "aged years-old yaş yaşında жас жаш yosh ёш ýaş éves летн",
    "month": "month ay ай месяц oy ой aý hónap айлык",
    "week": "week hafta həftə апта жума недел hét hepde ҳафта",
    "day": "day gün günlü күн дн день дней kun кун nap sutka сутк суток тәулік gije-gündiz",
    "hour": "hour saat сағат саат час soat соат sagat óra",
    "minute": "minute dakika dəqiqə минут daqiqa дақиқа minut perc мүнөт",
    "barrel": "barrel varil баррель barel баррел hordó",
}
_EXACT: dict[str, str] = {
    "kilometre": "km км", "metre": "m м", "centimetre": "cm см sm", "millimetre": "mm мм",
    "kilogram": "kg кг", "hectare": "ha га",
    "HUF": "ft", "TRY": "tl", "age": "лет", "KZT": "тг", "UZS": "sum", "RUB": "руб", "KGS": "som",
    "year": "il yıl yil жыл йил ýyl év год лет", "month": "ay ай oy ой aý", "day": "kun күн gün nap кун",
    "mile": "mi mil мил mile miles", "tonne": "t т ton",
}  # fmt: skip
_SHORT = 3
_BY_EXACT = {word: unit for unit, words in _EXACT.items() for word in words.split()}
_BY_STEM = sorted(
    (
        (stem.replace("|", " "), unit)
        for unit, stems in _STEMS.items()
        for stem in stems.split()
        if len(stem) > _SHORT or not stem.isalpha()
    ),
    key=lambda item: -len(item[0]),
)
_SHORT_STEMS = [
    (stem, unit) for unit, stems in _STEMS.items() for stem in stems.split() if len(stem) <= _SHORT
]
_SHORT_ENDING = re.compile(r"[a-zа-яёәіңғүұқөһıəöüşçğýáéőűŋ'ў]{0,4}")
# Lengths in metres.
METRES: dict[str | None, Decimal] = {
    "millimetre": Decimal("0.001"),
    "centimetre": Decimal("0.01"),
    "inch": Decimal("0.0254"),
    "foot": Decimal("0.3048"),
    "yard": Decimal("0.9144"),
    "metre": Decimal(1),
    "kilometre": Decimal(1000),
    "mile": Decimal(1609),
}
# Spans of time as hours (months and years as their shortest even share), so that two days agree with 48
# hours.
HOURS: dict[str | None, int] = {"hour": 1, "day": 24, "week": 168, "month": 730, "year": 8760}


def same_measure(one: str | None, other: str | None) -> bool:
    """Whether two units can be converted into each other, both being lengths."""
    return one in METRES and other in METRES


def unit_of(words: str) -> str | None:
    """The unit that lower-case ``words`` begin with (``"dollarlıq sövdələşmə"`` -> ``"USD"``), or None."""
    words = words.lstrip()
    if words.startswith("per cent"):
        return "percent"
    if words.startswith("us$"):
        return "USD"
    first = re.split(r"[\s,.;:!?()«»\"“”]", words, maxsplit=1)[0]
    if not first:
        return None
    if first in _BY_EXACT:
        return _BY_EXACT[first]
    for stem, unit in _BY_STEM:
        if first.startswith(stem):
            return unit
    for stem, unit in _SHORT_STEMS:
        if first.startswith(stem) and _SHORT_ENDING.fullmatch(first[len(stem) :]):
            return unit
    return None
