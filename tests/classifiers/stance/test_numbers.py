from __future__ import annotations

from decimal import Decimal

import pytest
from babel.numbers import format_decimal
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.stance.numbers import find_quantities, read_literal
from classifiers.text import LANGUAGES


def only(text: str, language: str):
    found = [q for q in find_quantities(text, language) if q.certain]
    assert len(found) == 1, found
    return found[0]


@settings(deadline=None)  # machines differ
@given(st.sampled_from(LANGUAGES), st.integers(0, 10**12))
def test_whole_numbers_survive_the_separators_of_their_language(language: str, value: int) -> None:
    written = format_decimal(value, locale=language)
    assert Decimal(value) in only(f"— {written} —", language).values


@settings(deadline=None)  # machines differ
@given(st.sampled_from(LANGUAGES), st.decimals(0, 10**6, places=2, allow_nan=False))
def test_decimals_survive_the_separators_of_their_language(language: str, value: Decimal) -> None:
    written = format_decimal(value, locale=language, format="#,##0.00")
    assert read_literal(written, language)[0] == value


@settings(deadline=None)  # machines differ
@given(st.sampled_from(LANGUAGES), st.text(max_size=60))
def test_any_text_gives_spans_that_quote_it(language: str, text: str) -> None:
    for quantity in find_quantities(text, language):
        assert text[quantity.start : quantity.end] == quantity.text


@pytest.mark.parametrize(
    ("language", "text", "value"),
    [
        ("az", "əlli yeddi", 57), ("az", "üç min iki yüz", 3200), ("az", "iyirmi beş milyon", 25_000_000),
        ("kk", "елу жеті", 57), ("kk", "үш мың екі жүз", 3200), ("kk", "жиырма бес миллион", 25_000_000),
        ("ky", "элүү жети", 57), ("ky", "үч миң эки жүз", 3200), ("ky", "жыйырма беш миллион", 25_000_000),
        ("tr", "elli yedi", 57), ("tr", "üç bin iki yüz", 3200), ("tr", "yirmi beş milyon", 25_000_000),
        ("uz", "ellik yetti", 57), ("uz", "uch ming ikki yuz", 3200), ("uz", "йигирма беш миллион",
            25_000_000),
        ("tk", "elli ýedi", 57), ("tk", "üç müň iki ýüz", 3200), ("tk", "ýigrimi bäş million", 25_000_000),
        ("hu", "ötvenhét", 57), ("hu", "háromezer-kétszáz", 3200), ("hu", "huszonöt millió", 25_000_000),
        ("ru", "пятьдесят семь", 57), ("ru", "три тысячи двести", 3200), ("ru", "двадцать пять миллионов",
            25_000_000),
        ("en", "fifty-seven", 57), ("en", "three thousand two hundred", 3200), ("en", "twenty-five "
            "million", 25_000_000),
    ],
)  # fmt: skip
def test_number_words(language: str, text: str, value: int) -> None:
    assert only(text, language).values == (Decimal(value),)


@pytest.mark.parametrize(
    ("language", "text", "value", "kind"),
    [
        ("tr", "2019'da", 2019, "cardinal"), ("kk", "5-ші орын", 5, "ordinal"), ("ru", "12-го этажа", 12,
            "ordinal"),
        ("uz", "yigirmanchi", 20, "ordinal"), ("tk", "bäşinji", 5, "ordinal"), ("az", "on ikinci", 12,
            "ordinal"),
        ("hu", "harmadik", 3, "ordinal"), ("en", "the 21st floor", 21, "ordinal"), ("ky", "он биринчи", 11,
            "ordinal"),
        ("tr", "yüzde elli yedi", 57, "percent"), ("tr", "%57'si", 57, "percent"), ("kk", "57 пайыз", 57,
            "percent"),
        ("uz", "57 foiz", 57, "percent"), ("tk", "57 göterim", 57, "percent"), ("hu", "57 százalék", 57,
            "percent"),
        ("ru", "57 процентов", 57, "percent"), ("en", "57 per cent", 57, "percent"), ("az", "57 faizi", 57,
            "percent"),
        ("en", "$5.5m", 5_500_000, "currency"), ("kk", "3 млн теңге", 3_000_000, "currency"),
        ("uz", "15 ming so‘m", 15_000, "currency"), ("ru", "2 млрд. рублей", 2_000_000_000, "currency"),
        ("hu", "12 500 forint", 12_500, "currency"), ("tk", "40 manat", 40, "currency"),
        ("en", "at 7:30 pm", 19 * 60 + 30, "time"),
    ],
)  # fmt: skip
def test_endings_scales_and_units(language: str, text: str, value: int, kind: str) -> None:
    quantity = only(text, language)
    assert (quantity.values[0], quantity.kind) == (Decimal(value), kind)


@pytest.mark.parametrize(
    ("language", "text", "relation"),
    [
        ("en", "more than 50 people", ">"), ("ru", "около 50 человек", "~"), ("tr", "50'den fazla kişi", ">"),
        ("kk", "50-ден астам адам", ">"), ("uz", "50 dan ortiq odam", ">"), ("az", "təxminən 50 nəfər", "~"),
        ("hu", "legfeljebb 50 ember", "<"), ("tk", "50-den gowrak adam", ">"), ("ky", "50дөн ашык адам", ">"),
        ("en", "50 people", "="), ("en", "no more than 50 people", "<"),
        ("en", "no fewer than 50 people", ">"),
        ("en", "the hall does not exceed 50 people", "<"), ("ru", "не более 50 человек", "<"),
        ("ru", "не менее чем 50 человек", ">"), ("hu", "nem több, mint 50 ember", "<"),
        ("tr", "50 kişiden fazla olmayan", "<"), ("tr", "en fazla 50 kişi", "<"),
        ("tr", "50'den fazla kişi gelmedi", "<"), ("tr", "sayı 50'yi aşmadı", "<"),
        ("tr", "50 kişiyi geçememiştir", "<"),
        ("tr", "50'nin üzerine çıkmadı", "<"), ("tr", "50'nin üzerinde değildi", "<"),
        ("tr", "50'nin üzerine çıktı", "="), ("tr", "50'ye kadar kişi", "<"), ("tr", "50 kişiye dek", "<"),
        ("tr", "50 kişi kadar", "~"), ("az", "50 nəfərə yaxın", "~"), ("az", "50-yə qədər", "<"),
        ("az", "sayı 50-ni aşmadı", "<"),
        ("az", "50 nəfərdən çox olmayan", "<"), ("az", "ən azı 50 nəfər", ">"),
        ("kk", "50 адамнан аспайды", "<"), ("kk", "50-ден кем емес адам", ">"),
        ("ky", "50дөн ашпаган киши", "<"),
        ("ky", "кеминде 50 киши", ">"), ("uz", "50 kishidan ortiq emas", "<"),
        ("uz", "ko‘pi bilan 50 kishi", "<"),
        ("tk", "50-den köp däl adam", "<"), ("tk", "köp bolanda 50 adam", "<"),
    ],
)  # fmt: skip
def test_bounds(language: str, text: str, relation: str) -> None:
    assert only(text, language).relation == relation


def test_a_number_in_words_agrees_with_digits_across_languages() -> None:
    turkish = only("elli yedi", "tr")
    assert turkish.agrees_with(only("57", "en"))
    assert not turkish.agrees_with(only("75", "en"))


def test_percent_is_not_a_count() -> None:
    assert not only("57%", "en").agrees_with(only("57 people", "en"))


def test_bounds_agree_with_values_beyond_them_only() -> None:
    bound = only("more than 50 people", "en")
    assert bound.agrees_with(only("57 people", "en"))
    assert not bound.agrees_with(only("43 people", "en"))
    assert not bound.agrees_with(only("5,000 people", "en"))


def test_bounds_that_point_apart_disagree_about_one_number() -> None:
    assert not only("at least 50 people", "en").agrees_with(only("не более 50 человек", "ru"))
    assert only("at most 50 people", "en").agrees_with(only("не более 50 человек", "ru"))
    assert only("at most 50 people", "en").agrees_with(only("50 человек", "ru"))


def test_measures_meet_after_conversion() -> None:
    assert only("6 inches", "en").agrees_with(only("15 см", "ru"))
    assert only("30 yard", "tr").agrees_with(only("27 метров", "ru"))
    assert only("385 mil", "uz").agrees_with(only("620 км", "ru"))
    assert not only("6 inches", "en").agrees_with(only("25 см", "ru"))
    assert only("80 degrees", "en").agrees_with(only("27 градусов", "ru"))
    assert not only("80 degrees", "en").agrees_with(only("37 градусов", "ru"))


def test_two_days_are_48_hours_and_evening_times_meet() -> None:
    assert only("iki gün", "tr").agrees_with(only("48 hours", "en"))
    assert only("7:30 pm", "en").agrees_with(only("19:30", "ru"))
    assert not only("7:30 pm", "en").agrees_with(only("21:30", "ru"))


@pytest.mark.parametrize(
    ("language", "text"), [("tr", "masada yemek yedi"), ("kk", "ол үшін"), ("tr", "binlerce kişi")]
)
def test_words_that_only_look_like_numbers_are_never_certain(language: str, text: str) -> None:
    assert not [q for q in find_quantities(text, language) if q.certain]
