from __future__ import annotations

import pytest

from classifiers.stance import ClaimEvidence
from classifiers.stance.antonyms import TOPICS, sides
from classifiers.stance.guards import inspect
from classifiers.stance.names import compare_names, find_names, similarity
from classifiers.stance.negation import negated
from classifiers.text import LANGUAGES


def verdicts(claim: str, evidence: str, claim_language: str, evidence_language: str | None = None):
    return inspect(ClaimEvidence(claim, evidence, claim_language, evidence_language or claim_language))


@pytest.mark.parametrize(
    ("claim", "evidence", "languages", "verdict"),
    [
        ("Көпір 1973 жылы ашылды.", "Мост открыли в 1973 году.", ("kk", "ru"), ("date", "match")),
        ("Көпір 1975 жылы ашылды.", "Мост открыли в 1973 году.", ("kk", "ru"), ("date", "mismatch")),
        ("Fabrika 4.200 traktör üretti.", "The plant built 4,200 tractors.", ("tr", "en"), ("number",
            "match")),
        ("Fabrika 4.700 traktör üretti.", "The plant built 4,200 tractors.", ("tr", "en"), ("number",
            "mismatch")),
        ("Zavod ellik yetti foiz o‘sdi.", "Завод вырос на 57 %.", ("uz", "ru"), ("number", "match")),
        ("Zavod ellik olti foiz o‘sdi.", "Завод вырос на 57 %.", ("uz", "ru"), ("number", "mismatch")),
        ("Завод жапты.", "Завод 12 цехти жапты.", ("ky", "ky"), ("number", "unknown")),
        ("A híd elkészült.", "A híd nem készült el.", ("hu", "hu"), ("negation", "mismatch")),
        ("Köpri gurulmady.", "Köpri entek gurulmady.", ("tk", "tk"), ("negation", "match")),
        ("Körpü tikildi.", "Körpü tikildi.", ("az", "az"), ("negation", "unknown")),
        ("Мэр Алматы Петров выступил.", "В Ташкенте выступил Каримов.", ("ru", "ru"), ("name", "mismatch")),
    ],
)  # fmt: skip
def test_verdicts(claim: str, evidence: str, languages: tuple[str, str], verdict: tuple[str, str]) -> None:
    guard, expected = verdict
    assert verdicts(claim, evidence, *languages).verdicts[guard] == expected


def test_the_two_values_are_shown() -> None:
    report = verdicts("Zavodda 40 işçi var.", "В цехе 45 рабочих.", "az", "ru")
    assert [(m.type, m.claim_value, m.source_value) for m in report.mismatches] == [("number", "40", "45")]


def test_opposites_are_found_only_where_the_word_itself_is_missing() -> None:
    assert verdicts("Prices rose.", "Prices fell.", "en").opposites == (("rose", "fell"),)
    assert verdicts("Prices rose, then fell.", "Prices fell.", "en").opposites == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Шымкент", "kk"), ("Shymkent", "en")), (("Тоқаев", "kk"), ("Tokayev", "en")),
        (("Мирзиёев", "ru"), ("Mirziyoyev", "uz")), (("Bişkek'te", "tr"), ("Бишкекте", "ky")),
        (("Gurbanguly", "tk"), ("Гурбангулы", "ru")), (("Budapesten", "hu"), ("Будапешт", "ru")),
        (("Naxçıvanda", "az"), ("Нахичевань", "ru")),
    ],
)  # fmt: skip
def test_names_meet_across_scripts_and_endings(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert similarity(*one, *other) >= 0.78


@pytest.mark.parametrize(
    ("one", "other"), [("Петров", "Каримов"), ("Алматы", "Ташкент"), ("Orbán", "Erdoğan")]
)
def test_different_names_stay_apart(one: str, other: str) -> None:
    assert similarity(one, "ru", other, "ru") < 0.78


def test_countries_meet_although_their_names_are_translated() -> None:
    compared = compare_names("Bu, Almaniyada baş verib.", "az", "Это случилось в Германии.", "ru")
    assert [n.text for n in compared.shared] == ["Almaniyada"]
    assert compared.only_claim == ()


def test_a_sentence_opening_word_is_no_name_by_itself() -> None:
    assert find_names("Yesterday it rained.", "en") == []
    assert [n.text for n in find_names("Yesterday Smith left. Smith was late.", "en")] == ["Smith", "Smith"]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("az", "O, gəlmədi."), ("kk", "Ол келмеді."), ("ky", "Ал келген жок."), ("tr", "O gelmedi."),
        ("uz", "U kelmadi."), ("tk", "Ol gelmedi."), ("hu", "Ő nem jött."), ("ru", "Он не пришёл."),
        ("en", "He didn't come."),
    ],
)  # fmt: skip
def test_negation_is_seen_in_every_language(language: str, text: str) -> None:
    cues = negated(text, language)
    assert cues
    assert all(text[c.start : c.end] == c.text for c in cues)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("az", "O gəldi."), ("kk", "Ол келді."), ("ky", "Ал келди."), ("tr", "O geldi."), ("uz", "U keldi."),
        ("tk", "Ol geldi."), ("hu", "Ő jött."), ("ru", "Он пришёл."), ("en", "He came."),
    ],
)  # fmt: skip
def test_affirmative_sentences_hold_no_cue(language: str, text: str) -> None:
    assert negated(text, language) == []


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("az", "İclasda nə nazir, nə də müavini iştirak edib."), ("az", "O, vəzifədən imtina edib."),
        ("kk", "Ол сайлауға бармайтынын айтты."), ("kk", "Біз оны қолдамаймыз."), ("ky", "Ал али келе элек."),
        ("ky", "Биз макул болбойбуз."), ("tr", "Toplantıya katılmayıp evde kaldı."),
        ("tr", "Ne başkan ne de yardımcısı geldi."), ("uz", "U saylovga bormasligini aytdi."),
        ("uz", "Klub taklifdan voz kechdi."), ("uz", "Бугун дарс бўлмайди."), ("tk",
        "Olar muny goldamaýandyklaryny aýtdy."),
        ("hu", "Senki sem jött el."), ("ru", "Никто не пришёл."), ("en", "The club declined to comment."),
    ],
)  # fmt: skip
def test_negation_is_seen_in_its_other_forms(language: str, text: str) -> None:
    assert negated(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("kk", "Түрме бағдарламасын Томас немесе Лопес жасады."), ("ky",
        "Программасын Термес көбөйттү, долбоорду Томас жазды."),
        ("tk", "Myhman ýokary gata çykdy."), ("uz", "Tomas kalitni yo‘qotdi."), ("tr",
        "Vladimir tamamen yeni bir komedi yazdı."),
        ("az", "Nümayəndə təmir üçün sərmayə qoydu."),
    ],
)  # fmt: skip
def test_words_that_end_like_negated_verbs_hold_no_cue(language: str, text: str) -> None:
    assert negated(text, language) == []


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "The hall seats no more than 90."), ("ru", "Зал вмещает не более 90 человек."),
        ("hu", "A teremben nem több mint 90 ember fér el."), ("tr", "Salon 90 kişiden fazla olmayan "
        "gruplar içindir."),
        ("tr", "Katılanların sayısı 90'ı aşmadı."), ("tr", "Katılım 90 kişiyi geçemedi."),
        ("tr", "Katılım 90'ın üzerine çıkmadı."), ("tr", "Katılım 90'ın üzerinde değildi."),
        ("tr", "90 kişiden fazlası katılmadı."), ("az", "İştirakçıların sayı 90-ı keçmədi."),
        ("az", "Zal 90 nəfərdən çox olmayan qrup üçündür."), ("kk", "Зал 90 адамнан аспайды."),
        ("ky", "Зал 90 кишиден ашпайт."), ("uz", "Zal 90 kishidan oshmaydi."), ("tk",
        "Zal 90 adamdan köp däl."),
    ],
)  # fmt: skip
def test_a_negated_bound_is_a_bound_and_no_negation(language: str, text: str) -> None:
    report = verdicts(text, text, language)
    assert report.claim_negations == ()
    assert report.numbers.agreeing == 1


def test_bounds_that_point_apart_are_shown_as_such() -> None:
    report = verdicts("The hall seats at least 90.", "Зал вмещает не более 90 человек.", "en", "ru")
    assert report.numbers.clashing == (("≥ 90", "≤ 90"),)


@pytest.mark.parametrize(
    ("claim", "evidence", "languages"),
    [
        ("Бағалар арзандап, төмендеді.", "Цены выросли.", ("kk", "ru")),
        ("Komanda məğlub oldu.", "The team won the match.", ("az", "en")),
        ("A boltot bezárták.", "Mağaza açıldı.", ("hu", "tr")),
        ("Sanksiýalar gowşadyldy.", "Санкции ужесточили.", ("tk", "ru")),
        ("Вулкан өчүп калган.", "The volcano is active.", ("ky", "en")),
    ],
)  # fmt: skip
def test_opposites_meet_across_languages(claim: str, evidence: str, languages: tuple[str, str]) -> None:
    assert len(verdicts(claim, evidence, *languages).opposites) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_topic_has_two_sides_that_differ(language: str) -> None:
    for topic, (one, other) in sides(language).items():
        words = TOPICS[topic][language].replace("$", "").replace("_", " ").split(" | ")
        for own, opposite, text in ((one, other, words[0]), (other, one, words[1])):
            assert own.search(text), (topic, text)
            assert not opposite.search(text), (topic, text)


def test_names_that_other_languages_translate_are_no_mismatch() -> None:
    compared = compare_names(
        "Бүгін Тынық мұхит аралдары форумы ашылды.", "kk", "Pacific Islands Forum opens today.", "en"
    )
    assert compared.only_claim == ()
    compared = compare_names(
        "Бұл туралы Қытайдың елшісі айтты.", "kk", "The Chinese ambassador said so.", "en"
    )
    assert compared.only_claim == ()
    # Another country in its place is one, and so is another person behind the same title.
    compared = compare_names(
        "Бұл туралы Қытайдың елшісі айтты.", "kk", "The ambassador of Spain said so.", "en"
    )
    assert [name.text for name in compared.only_claim] == ["Қытайдың"]
    compared = compare_names(
        "Кеше Президент Каримов сөйледі.", "kk", "Yesterday President Petrov spoke.", "en"
    )
    assert [name.text for name in compared.only_claim] == ["Каримов"]


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("Baikal is 1742 m deep", "Глубина Байкала 1642 метра"),
        ("Der Baikalsee ist 1742 Meter tief.", "Озеро Байкал глибиною 1642 метри."),
    ],
)
def test_languages_outside_the_nine_still_have_their_numbers_compared(claim: str, evidence: str) -> None:
    report = inspect(ClaimEvidence(claim, evidence, "other", "other"))
    assert [(m.type, m.claim_value, m.source_value) for m in report.mismatches][:1] == [
        ("number", "1742", "1642")
    ]
