"""Sentence splitting: boundaries in nine languages and exact offsets."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.text import LANGUAGES
from classifiers.text.sentences import split_sentences


def split(text: str, language: str) -> list[str]:
    return [span.of(text) for span in split_sentences(text, language)]


# "|" marks the boundaries; sentences of the project's own wording.
MARKED = [
    ("en", "Dr. Smith met Mr. J. R. Brown at 5.30 p.m. in St. Louis.| They talked."),
    ("en", "The U.S. Senate voted.| He lives in the U.S.| The vote was close."),
    ("en", "\"Is it true?\" she asked.| \"Yes!\"| He nodded…| Then silence."),
    ("en", "Prices rose 3.5% on 12.03.2024.| See www.example.com/a.b for more.| Good!"),
    ("en", "It works (mostly).| Apples, pears, etc. were sold.| Really?!| Yes."),
    ("ru", "В 2020 г. население выросло до 3 млн. человек.| Это много."),
    ("ru", "Встреча прошла на ул. Ленина в г. Москве.| А.С. Пушкин там не был.| И т.д. и т.п."),
    ("ru", "«Мы готовы!» — заявил министр.| «Начнём завтра», — добавил он."),
    ("ru", "— Ты идёшь?| — Иду.| Они вышли."),
    ("kk", "Жиынға Қ. Тоқтаров, Б. Әлиев т.б. келді.| Олар 2024 ж. қаңтарда кездескен."),
    ("kk", "«Жұмыс басталды!» – деді әкім.| Ертең жалғасады.| Баға 3,5 млрд. теңге."),
    ("ky", "Жыйынга министр А. Асанов ж.б. катышты.| Чечим 12.03.2024 күнү кабыл алынды."),
    ("tr", "Prof. Dr. Ayşe Kaya geldi.| 2. Dünya Savaşı anlatıldı.| Elma, armut vb. satıldı."),
    ("tr", "15. Uluslararası Film Festivali başladı.| \"Çok güzel!\" dedi.| Herkes alkışladı."),
    ("az", "Görüşdə prof. R. Məmmədov və s. iştirak edib.| XX. əsr belə bitib.| Sabah davam edəcək."),
    ("uz", "Yig'ilishga o'qituvchi A. Karimov va h.k. keldi.| Narx 3,5 mln. so'm bo'ldi.| Keyin tugadi."),
    ("tk", "Duşuşyga B. Amanow we ş.m. geldi.| 5. orun bize galdy.| Soň gutardy."),
    ("hu", "A csapat az 5. helyen végzett.| Dr. Kovács Béla 2024. március 3. napján jött.| Almát stb. vett."),
    ("hu", "„Jövünk!” – mondta a miniszter.| A II. Rákóczi Ferenc utcában laknak.| Vége."),
    ("en", "A heading without a stop\n\n|The text begins here.| It goes on\nin the next line."),
    ("az", "İclas bitdi.|Sonra hamı getdi.| Milli.az saytı yazdı."),
]  # fmt: skip


@pytest.mark.parametrize(("language", "marked"), MARKED)
def test_sentences_are_found(language: str, marked: str) -> None:
    expected = [part.strip() for part in marked.split("|")]
    assert split(marked.replace("|", ""), language) == expected


def test_list_items_are_sentences_of_their_own() -> None:
    assert split("1. First item\n2. Second item\n- third", "en") == [
        "1. First item",
        "2. Second item",
        "- third",
    ]


def test_unknown_language_falls_back_to_general_rules() -> None:
    assert split("Dr. Muster kam. Er ging.", "other") == ["Dr. Muster kam.", "Er ging."]


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(
        st.text(max_size=150),
        st.lists(
            st.sampled_from(
                [
                    "Ab",
                    "ə.",
                    " ",
                    "\n",
                    ". ",
                    "! ",
                    "…",
                    "«",
                    "»",
                    '"',
                    "5. ",
                    "т.б. ",
                    "A.",
                    "— ",
                    "\u2028",
                    "\x1c",
                    "а",
                    "3.5",
                ]
            )
        ).map("".join),
    ),
    st.sampled_from([*LANGUAGES, "other"]),
)
def test_spans_are_ordered_and_cover_everything_visible(text: str, language: str) -> None:
    spans = split_sentences(text, language)
    position = 0
    for span in spans:
        assert position <= span.start < span.end <= len(text)
        assert not text[position : span.start].strip()
        assert span.of(text) == span.of(text).strip()
        position = span.end
    assert not text[position:].strip()


@pytest.mark.parametrize("unit", [". ", "A. ", "a.b", "«", "! ", "\n", "Ab cd ef. ", "...", "“" * 3])
def test_long_text_takes_linear_time(unit: str) -> None:
    text = unit * (150_000 // len(unit))
    start = time.process_time()
    split_sentences(text, "en")
    assert time.process_time() - start < 10
