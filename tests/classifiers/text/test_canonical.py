"""The canonical form: what it folds, what it leaves, and its map back to the original."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.text import LANGUAGES, canonicalise, fold_case

# Fragments that trigger rules, mixed with arbitrary characters, reach far more rule combinations than chance.
FRAGMENTS = st.sampled_from(
    [
        "**",
        "*",
        "_",
        "__",
        "`",
        "```",
        "# ",
        "- ",
        "— ",
        "> ",
        "1. ",
        "2. ",
        "[",
        "](",
        "](http://a.kz)",
        ")",
        "|",
        "&amp;",
        "&quot;",
        "\n",
        "\n\n",
        " ",
        "\u00a0",
        "\u200b",
        "\ufeff",
        "\u00ad",
        "\ufe0f",
        "\u202e",
        "e\u0301",
        "ё",
        "ﬁ",
        "…",
        "«",
        "»",
        "“",
        "”",
        "’",
        "'",
        '"',
        "``",
        "''",
        " ' ",
        ' " ',
        " , ",
        " .",
        "...",
        "Bakı",
        "BAKU",
        "(Reuters)",
        "March 3",
        ", ",
        "Name.Az",
        " xəbər verir ki, ",
        "Title: ",
        "pаypal",
        "бiр",
        "ⲅ",
        "сор",
        "a",
        "дом",
        "İ",
        "ı",
        "Ə",
        "/",
        "<b>",
        "<br>",
        "<",
        ">",
        "~~",
        "\\",
        "{",
        "}",
        "===",
        "---",
        "oldu.Sonra",
        "said,then",
        " деп хабарлайды ",
        "\u1160",
        "\u3164",
        "\ud800",
        "1",
        "2024",
        "-",
    ]
)
TEXTS = st.one_of(
    st.text(max_size=120),
    st.lists(st.one_of(FRAGMENTS, st.text(max_size=3)), max_size=24).map("".join),
)


@settings(max_examples=500, deadline=None)
@given(TEXTS)
def test_canonical_form_is_idempotent(text: str) -> None:
    once = canonicalise(text).text
    assert canonicalise(once).text == once


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_offset_map_is_monotone_and_stays_inside_the_original(text: str) -> None:
    canonical = canonicalise(text)
    previous_start = previous_end = 0
    for position in range(len(canonical.text)):
        span = canonical.to_original(position, position + 1)
        assert previous_start <= span.start <= span.end <= len(text)
        assert span.end >= previous_end
        previous_start, previous_end = span.start, span.end
    whole = canonical.to_original(0, len(canonical.text))
    assert 0 <= whole.start <= whole.end <= len(text)


@settings(max_examples=500, deadline=None)
@given(TEXTS)
def test_canonical_text_has_no_hidden_characters_line_breaks_or_double_spaces(text: str) -> None:
    canonical = canonicalise(text).text
    assert unicodedata.is_normalized("NFKC", canonical)
    assert "  " not in canonical
    assert canonical == canonical.strip(" ")
    assert not set(canonical) & set("\n\t\r\u00a0\u200b\u200c\u200d\u2060\ufeff\u00ad\u202e«»“”„‘’—–…ё`")


@given(
    st.lists(
        st.sampled_from(["алма", "kitob", "görüş", "e\u0301te\u0301", "ﬁnal", "бiр", "**və**", "“ha”"]),
        min_size=1,
        max_size=12,
    )
)
def test_each_word_maps_back_to_the_word_it_came_from(words: list[str]) -> None:
    text = "\n\n".join(words)
    canonical = canonicalise(text)
    position = 0
    for word in canonical.text.split(" "):
        original = canonical.to_original(position, position + len(word)).of(text)
        assert canonicalise(original).text == word
        position += len(word) + 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Бүгін «жаңа» күн – ең жақсы күн…", 'Бүгін "жаңа" күн - ең жақсы күн...'),
        ("Oʻzbekistonda soʼz erkinligi, gʻoya va bog‘", "O'zbekistonda so'z erkinligi, g'oya va bog'"),
        ("Всё ещё ёлка", "Все еще елка"),
        ("re\u0301sume\u0301 ﬁne ①", "résumé fine 1"),
        ("hel\u200blo wo\u00adrld", "hello world"),
        ("one\r\n\r\n\r\ntwo\u2028three\tfour", "one two three four"),
        ('She said " yes " , then left .', 'She said "yes", then left.'),
        ("Bu oldu.Sonra getdi", "Bu oldu. Sonra getdi"),
        ("``quoted''", '"quoted"'),
        ("AT&amp;amp;T &laquo;x&raquo;", 'AT&T "x"'),
    ],
)
def test_styles_fold_together(text: str, expected: str) -> None:
    assert canonicalise(text).text == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '# Head\n\nThe **bold** and *soft* `code` of [a link](https://a.kz/b "t").',
            "Head The bold and soft code of a link.",
        ),
        ("- one\n- two\n* three", "one two three"),
        ("1. one\n2. two\n3. three", "one two three"),
        ("```python\nx\n```\nafter", "x after"),
        ("> quoted\n>> twice", "quoted twice"),
        ("| a | b |\n|---|---|\n| c | d |", "a b c d"),
        ("<p>One</p><p>two &nbsp;<b>three</b></p>", "One two three"),
        ("above\n***\nbelow\n====", "above below"),
    ],
)
def test_markup_goes_and_its_words_stay(text: str, expected: str) -> None:
    assert canonicalise(text).text == expected


@pytest.mark.parametrize(
    "text",
    [
        "5. helyen végzett a csapat a versenyen.",
        "3 * 4 = 12 and 2 < 3 but 5 > 4",
        "A file named my_long_name stays.",
        "Қазақ әліпбиінде і, ә, һ, ө, ң, ғ, қ, ү, ұ бар.",
        "Azərbaycan əlifbasında ə, ı, ğ, ö, ü, ç, ş var.",
        "Кыргыз тилинде ө, ү, ң тамгалары бар.",
        "Ўзбек тилида ў, қ, ғ, ҳ ҳарфлари бор.",
        "Компания SMS-рассылок и Windows купила BMX и CO2.",
        "The price rose by 3.5% to $1,200 (from 900).",
        "Orbán Viktor (Fidesz) - mondta a szóvivő - nem ért egyet.",
        "NASA - the space agency - said so.",
        "Париж прекрасен весной, когда цветут каштаны.",
        "Москва, 1941 год. Немцы подошли к столице.",
        "Astana: şəhər haqqında söhbət.",
        "Reuters journalists won an award in March 2024.",
        "The text of instagram.com pages was copied.",
        "Title deeds are checked by the court.",
    ],
)
def test_content_is_left_as_it_is(text: str) -> None:
    assert canonicalise(text).text == text


@pytest.mark.parametrize(
    "dateline",
    [
        "BAKU, March 3 (Agency) — ",
        "Астана. 12 наурыз. АГЕНТТІК - ",
        "Bakı, 5 mart, AZƏRTAC - ",
        "ANKARA (AA) - ",
        "LONDON (Reuters) - ",
        "МОСКВА, 5 мар - РИА Новости. ",
        "Бишкек, 5-март (Кабар). ",
        "Toshkent, 12-mart /O‘zA/. ",
        "Budapest, 2024. március 3., vasárnap (MTI) – ",
        "Aşgabat, 5-nji mart (TDH). ",
        "ТАШКЕНТ, 12 мая – ",
        "(AFP) - ",
        "Milli.Az xəbər verir ki, ",
    ],
)
def test_datelines_go(dateline: str) -> None:
    assert canonicalise(dateline + "Bugün toplantı yapıldı.").text == "Bugün toplantı yapıldı."


def test_outlet_that_names_itself_goes_and_its_sentence_keeps_a_capital() -> None:
    text = "Görüş keçirilib. Misal.Az bizimxeber-ə istinadən bildirir ki, iclas uzun sürüb. Misal.Az"
    assert canonicalise(text).text == "Görüş keçirilib. İclas uzun sürüb."
    assert canonicalise("Жиын өтті, деп хабарлайды misal.kz.").text == "Жиын өтті."


def test_given_outlet_goes_wherever_it_stands_as_a_word() -> None:
    text = "Gündəm Press bildirir. Gündəm Press-ə görə, Gündəm Pressa adı qalır."
    assert canonicalise(text, outlet="Gündəm Press").text == "bildirir. görə, Gündəm Pressa adı qalır."


@pytest.mark.parametrize("join", ["\n\n", ". ", " - ", ": ", " "])
def test_repeated_title_goes(join: str) -> None:
    title = "İki ölkə saziş imzaladı"
    assert (
        canonicalise(f"{title}{join}Mərasim paytaxtda olub.", title=title).text == "Mərasim paytaxtda olub."
    )


def test_sentence_that_begins_like_the_title_stays_whole() -> None:
    text = "İki ölkə saziş imzaladı və mərasim keçirdi."
    assert canonicalise(text, title="İki ölkə saziş imzaladı").text == text


def test_mixed_script_words_fold_to_the_script_that_proves_itself() -> None:
    canonical = canonicalise("The pаymеnt was plаnned. Это oчeнь прoстo. pⲅesent")
    assert canonical.text == "The payment was planned. Это очень просто. present"
    assert canonical.tampering.homoglyphs == 5


def test_whole_words_of_look_alikes_fold_between_words_of_the_other_script() -> None:
    canonical = canonicalise("We saw а house and it was оре then")
    assert canonical.text == "We saw a house and it was ope then"
    assert canonical.tampering.homoglyphs == 2


def test_keyboard_habits_fold_without_counting_as_tampering() -> None:
    canonical = canonicalise("бiрiншi кəсiпкер")
    assert canonical.text == "бірінші кәсіпкер"
    assert canonical.tampering.total == 0


def test_hidden_characters_are_counted_by_kind() -> None:
    tampering = canonicalise(
        "a\u200bb\u2060c \u202edef\u202c x\ufe01y \U000e0041\U000e0042 g\u00adh \u2063 z"
    ).tampering
    assert (tampering.zero_width, tampering.bidi, tampering.variation_selectors) == (2, 2, 1)
    assert (tampering.tags, tampering.other_hidden, tampering.soft_hyphens) == (2, 1, 1)
    assert tampering.total == 8


def test_emoji_and_a_byte_order_mark_are_no_tampering() -> None:
    assert canonicalise("\ufeffGood ❤\ufe0f 👩\u200d👧").tampering.total == 0


def test_whitespace_and_quote_style_do_not_change_the_form() -> None:
    plain = canonicalise('Nazir dedi: "Bu gün - yaxşı gündür". Sonra getdi.').text
    styled = canonicalise("Nazir  dedi:\n«Bu\u00a0gün — yaxşı gündür».\n\nSonra\tgetdi. ").text
    assert styled == plain


def test_span_outside_the_text_is_an_error() -> None:
    with pytest.raises(IndexError, match="does not lie within"):
        canonicalise("abc").to_original(1, 9)


@pytest.mark.parametrize("text", ["", " ", "\u200b", "**", "\ud800", "\n\n\n"])
def test_text_of_nothing_gives_an_empty_form(text: str) -> None:
    assert canonicalise(text).text == ""


@pytest.mark.parametrize(
    "unit",
    [
        "[",
        "*_",
        "&amp;lt;",
        "Ad.Az ",
        "aа",
        "e\u0301",
        " ' a",
        "1. a\n",
        "BAKU, March 3 (AP) - ",
        "<a ",
        "istinadən ",
        "A-",
        "- ",
    ],
)
def test_hostile_repetition_takes_linear_time(unit: str) -> None:
    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        start = time.process_time()
        canonicalise(text)
        return time.process_time() - start

    seconds(1000)
    small, large = min(seconds(20_000) for _ in range(3)), seconds(160_000)
    assert large < 30 * small + 0.2


def test_nested_links_do_not_nest_the_work() -> None:
    start = time.process_time()
    canonicalise("[" * 20_000 + "a" + "](b)" * 20_000)
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("IŞIK İYİ", "tr", "ışık iyi"),
        ("IŞIQ İKİ", "az", "ışıq iki"),
        ("INFO İKİ", "uz", "info iki"),
        ("INFO", "en", "info"),
        ("IT саласы", "kk", "it саласы"),
        ("QAZAQ TILI", "kk", "qazaq tılı"),
        ("ÁRVÍZTŰRŐ", "hu", "árvíztűrő"),
    ],
)
def test_case_folds_as_the_language_writes(text: str, language: str, expected: str) -> None:
    assert fold_case(text, language) == expected


@given(st.text(), st.sampled_from(LANGUAGES))
def test_folding_case_keeps_offsets(text: str, language: str) -> None:
    assert len(fold_case(text, language)) == len(text)
