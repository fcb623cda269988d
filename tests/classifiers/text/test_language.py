"""Language identification: nine languages, their other scripts, their neighbours."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.text import LANGUAGES, identify_language

# Sentences of the project's own wording.
SENTENCES = [
    ("az", "Latn", "Bu gün şəhərdə yeni kitabxana açıldı, orada uşaqlar üçün çoxlu kitab var."),
    ("kk", "Cyrl", "Бүгін қалада жаңа кітапхана ашылды, онда балаларға арналған кітаптар көп."),
    ("ky", "Cyrl", "Бүгүн шаарда жаңы китепкана ачылды, анда балдар үчүн көп китеп бар."),
    ("tr", "Latn", "Bugün şehirde yeni bir kütüphane açıldı, orada çocuklar için birçok kitap var."),
    ("uz", "Latn", "Bugun shaharda yangi kutubxona ochildi, u yerda bolalar uchun ko‘p kitoblar bor."),
    ("tk", "Latn", "Şu gün şäherde täze kitaphana açyldy, ol ýerde çagalar üçin köp kitap bar."),
    ("hu", "Latn", "Ma új könyvtár nyílt a városban, ahol sok könyv várja a gyerekeket."),
    ("ru", "Cyrl", "Сегодня в городе открылась новая библиотека, где много книг для детей."),
    ("en", "Latn", "A new library opened in the city today, and it has many books for children."),
    ("az", "Cyrl", "Бу ҝүн шәһәрдә јени китабхана ачылды, орада ушаглар үчүн чохлу китаб вар."),
    ("uz", "Cyrl", "Бугун шаҳарда янги кутубхона очилди, у ерда болалар учун кўп китоблар бор."),
    ("kk", "Latn", "Bügın qalada jaña kıtaphana aşyldy, onda balalarğa arnalğan kıtaptar köp."),
    ("tr", "Latn", "Bugun sehirde yeni bir kutuphane acildi, orada cocuklar icin bircok kitap var."),
    ("uz", "Latn", "Bugun shaharda yangi kutubxona ochildi, o'qituvchilar bolalarga to'g'ri yo'l ko'rsatdi."),
]

OTHERS = [
    ("Cyrl", "Сьогодні у місті відкрили нову бібліотеку, де є багато книжок для дітей."),
    ("Cyrl", "Өнөөдөр хотод шинэ номын сан нээгдлээ, тэнд хүүхдэд зориулсан олон ном бий."),
    ("Cyrl", "Имрӯз дар шаҳр китобхонаи нав кушода шуд, ки дар он китобҳои зиёд мавҷуданд."),
    ("Cyrl", "Бөгөн ҡалала яңы китапхана асылды, унда балалар өсөн күп китаптар бар."),
    ("Latn", "Heute wurde in der Stadt eine neue Bibliothek eröffnet, die viele Kinderbücher hat."),
    ("Latn", "Aujourd'hui, une nouvelle bibliothèque a ouvert ses portes dans la ville."),
    ("Latn", "Tänään kaupungissa avattiin uusi kirjasto, jossa on paljon kirjoja lapsille."),
    ("Arab", "افتتحت اليوم في المدينة مكتبة جديدة فيها كتب كثيرة للأطفال."),
    ("Zyyy", "今天城里新开了一家图书馆。"),
]


@pytest.mark.parametrize(("code", "script", "text"), SENTENCES)
def test_the_nine_languages_are_told_apart(code: str, script: str, text: str) -> None:
    found = identify_language(text)
    assert (found.code, found.script) == (code, script)
    assert found.confidence > 0.5


@pytest.mark.parametrize(("script", "text"), OTHERS)
def test_further_languages_are_others(script: str, text: str) -> None:
    found = identify_language(text)
    assert (found.code, found.script) == ("other", script)


@pytest.mark.parametrize("text", ["", " ", "12.03.2024 — 5%", "!?…", "\u200b"])
def test_text_without_letters_is_no_language(text: str) -> None:
    found = identify_language(text)
    assert (found.code, found.script, found.confidence) == ("other", "Zyyy", 0.0)


def test_two_words_are_answered_with_less_confidence_than_sentences() -> None:
    whole = [identify_language(text).confidence for _, _, text in SENTENCES]
    short = [identify_language(" ".join(text.split()[-2:])).confidence for _, _, text in SENTENCES]
    assert sum(short) < sum(whole) - 0.3


def test_hidden_characters_and_look_alikes_do_not_change_the_language() -> None:
    hidden = SENTENCES[3][2].replace("k", "k\u200b")
    look_alikes = SENTENCES[8][2].replace("a", "а").replace("o", "о")  # Cyrillic letters
    assert identify_language(hidden).code == "tr"
    assert identify_language(look_alikes).code == "en"


def test_capitals_do_not_change_the_language() -> None:
    assert identify_language(SENTENCES[1][2].upper()).code == "kk"
    assert identify_language("BUGÜN ŞEHİRDE YENİ BİR KÜTÜPHANE AÇILDI VE ÇOCUKLAR GELDİ").code == "tr"


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_any_text_gets_an_answer(text: str) -> None:
    found = identify_language(text)
    assert found.code in (*LANGUAGES, "other")
    assert found.script in ("Latn", "Cyrl", "Arab", "Zyyy")
    assert 0.0 <= found.confidence <= 1.0
