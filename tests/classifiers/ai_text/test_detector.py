"""The packaged detector: one scale, honest abstentions, offsets into the original, calm under edits."""

import pytest

from classifiers.ai_text import Detector, OriginAssessment
from classifiers.ai_text.detector import PART_WORDS, read_text
from classifiers.text import canonicalise

# Written for these tests: everyday prose with uneven sentences.
EVERYDAY = (
    "Вчера снова отключили воду. Соседка с третьего этажа, та самая, что держит двух попугаев, "
    "спустилась с ведром и ругалась на чём свет стоит. Я ей одолжил чайник. «Верну завтра», - "
    "пообещала она и, конечно, не вернула. К вечеру пришёл слесарь, посмотрел на трубу, почесал "
    "затылок, сказал, что такую уже лет двадцать не делают. Потом он ушёл за деталью. Ждали до "
    "одиннадцати. Дети уснули прямо на кухне, а кот сидел у крана и смотрел на него так, будто вода "
    "просто обиделась и сейчас передумает. Утром всё потекло само. Слесарь так и не объявился, чайник"
    " тоже. Надо бы сходить на третий этаж, да всё некогда: то отчёт, то собрание, то футбол."
)
# In the manner of an assistant's essay, also written for these tests.
SMOOTH = (
    "Цифровая трансформация играет ключевую роль в развитии современного общества и открывает широкие"
    " возможности для повышения качества жизни. Кроме того, внедрение инновационных технологий "
    "способствует эффективному взаимодействию между государственными структурами и гражданами. Важно "
    "отметить, что успешная реализация подобных инициатив требует комплексного подхода и активного "
    "участия всех заинтересованных сторон. Эксперты подчёркивают, что обучение специалистов является "
    "неотъемлемой частью этого процесса. Таким образом, сбалансированное сочетание технологических "
    "решений и человеческого потенциала позволяет обеспечить устойчивое развитие и укрепить доверие "
    "общества. В заключение следует подчеркнуть, что дальнейшие исследования в данной области помогут"
    " выявить новые перспективы и преодолеть существующие вызовы."
)


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.load()


def test_it_covers_the_nine_languages(detector: Detector) -> None:
    assert set(detector.languages) == {"az", "kk", "ky", "tr", "uz", "tk", "hu", "ru", "en"}


def test_smooth_essays_score_above_everyday_prose(detector: Detector) -> None:
    smooth, everyday = (detector.assess(text, language="ru") for text in (SMOOTH, EVERYDAY))
    assert smooth.score > everyday.score
    assert smooth.p_value is not None
    assert everyday.p_value is not None
    assert smooth.p_value < everyday.p_value
    assert everyday.verdict == "undetermined"


def test_a_flag_states_its_evidence(detector: Detector) -> None:
    found = detector.assess(SMOOTH, language="ru", target_fpr=0.05)
    assert found.verdict == "likely_ai_unconfirmed"
    assert found.p_value is not None
    assert found.p_value <= found.target_fpr == 0.05
    assert found.calibration is not None
    assert found.calibration.language == "ru"
    assert found.calibration.n >= 19
    assert found.model_version.startswith("tamga-ai-text")


@pytest.mark.parametrize("target", [0.0, 1.0, -0.1, 2.0])
def test_impossible_targets_are_refused(detector: Detector, target: float) -> None:
    with pytest.raises(ValueError, match="target_fpr"):
        detector.assess(SMOOTH, language="ru", target_fpr=target)


def _abstention(detector: Detector, text: str, language: str = "ru", fpr: float = 0.01) -> OriginAssessment:
    found = detector.assess(text, language=language, target_fpr=fpr)
    assert found.verdict == "undetermined"
    assert found.fraction_machine is None
    assert 0 < found.score < 1
    assert all(segment.verdict == "undetermined" for segment in found.segments)
    return found


def test_reasons_to_abstain(detector: Detector) -> None:
    assert _abstention(detector, SMOOTH[:200]).abstain_reason == "too_short"
    assert _abstention(detector, "").abstain_reason == "too_short"
    assert _abstention(detector, SMOOTH, "fi").abstain_reason == "unsupported_language"
    assert (
        _abstention(detector, "\n".join(f"- {word} и ещё" for word in SMOOTH.split())).abstain_reason
        == "not_prose"
    )
    assert _abstention(detector, SMOOTH.replace("а", "а\u200b")).abstain_reason == "tampered"


def test_a_tiny_target_needs_more_texts_than_turkmen_has(detector: Detector) -> None:
    text = (
        "Şäheriň merkezindäki köne bazar bu hepde ýene açyldy. Satyjylar gawun, üzüm we täze çörek "
        "getirdi. Adamlar irden gelip, nobata durdular. Bir goja agtygyna garpyzyň nähili "
        "saýlanýandygyny görkezdi. Çagalar suwuň başynda oýnady. Öýlän howa yssy boldy, ýöne hiç kim "
        "gitmek islemedi. Agşam sazandalar geldi we meýdançada uzak wagtlap dutar çaldylar. Ertesi "
        "gün ýagyş ýagdy, bazar ýapyldy, gawunlar satylman galdy."
    )
    found = _abstention(detector, text, "tk", fpr=0.00001)
    assert found.abstain_reason == "too_few_calibration_texts"
    assert found.calibration is not None
    assert found.calibration.n < 99_999


COSMETIC = {
    "blank lines": lambda text: text.replace(". ", ".\n\n"),
    "wrapped lines": lambda text: text.replace(" ", "\n"),
    "double spaces": lambda text: text.replace(" ", "  "),
    "straight quotes": lambda text: text.replace("«", '"').replace("»", '"'),
    "curly quotes": lambda text: text.replace("«", "“").replace("»", "”"),
    "dashes": lambda text: text.replace(" - ", " — "),
    "bold": lambda text: "**" + text[:40] + "**" + text[40:],
    "io": lambda text: text.replace("ё", "е"),
    "figures": lambda text: text,
}


@pytest.mark.parametrize("edit", COSMETIC)
@pytest.mark.parametrize("text", [EVERYDAY, SMOOTH], ids=["everyday", "smooth"])
def test_cosmetic_edits_move_no_verdict(detector: Detector, text: str, edit: str) -> None:
    before = detector.assess(text, language="ru")
    after = detector.assess(COSMETIC[edit](text), language="ru")
    assert after.verdict == before.verdict
    assert after.abstain_reason == before.abstain_reason
    assert after.score == pytest.approx(before.score, abs=0.03)


def test_segments_lie_in_the_original(detector: Detector) -> None:
    text = "\n\n  " + EVERYDAY.replace(". ", ".\n\n") + "\n\n**" + SMOOTH + "**\n"
    found = detector.assess(text, language="ru")
    assert found.segments
    position = 0
    for segment in found.segments:
        assert position <= segment.start < segment.end <= len(text)
        assert not text[segment.start].isspace()
        assert not text[segment.end - 1].isspace()
        position = segment.end
    letters = sum(len(text[s.start : s.end].split()) for s in found.segments)
    assert letters >= 0.95 * len(text.split())


def test_a_title_given_apart_is_not_read_as_text(detector: Detector) -> None:
    title = "Вода вернулась сама"
    with_title = detector.assess(f"{title}\n\n{EVERYDAY}", language="ru", title=title)
    without = detector.assess(EVERYDAY, language="ru")
    assert with_title.score == pytest.approx(without.score, abs=1e-6)


def test_a_canonical_text_at_hand_gives_the_same_answer(detector: Detector) -> None:
    assert detector.assess(SMOOTH, language="ru", canonical=canonicalise(SMOOTH)) == detector.assess(
        SMOOTH, language="ru"
    )


def test_long_texts_are_read_in_parts(detector: Detector) -> None:
    words = read_text(canonicalise(EVERYDAY), "ru").word_count
    part = " ".join([EVERYDAY] * round(PART_WORDS / words))
    once = detector.assess(part, language="ru")
    found = detector.assess(" ".join([part] * 6), language="ru")
    assert found.verdict == once.verdict == "undetermined"
    assert found.score == pytest.approx(once.score, abs=0.1)


def test_explanations_name_the_telling_end(detector: Detector) -> None:
    for evidence in detector.assess(SMOOTH, language="ru").features:
        assert 0 <= evidence.percentile <= 100
        assert (evidence.percentile >= 75) == (evidence.machine_like == "high")
