"""The topic mask hides subjects and keeps grammar; its words are those that every source uses."""

from hypothesis import given
from hypothesis import strategies as st

from classifiers.ai_text.topic_mask import TopicMask
from classifiers.ai_text.view import detector_view
from classifiers.text import canonicalise
from classifiers.training.ai_text.corpus import Document
from classifiers.training.ai_text.crops import Crop
from classifiers.training.ai_text.linear_stage import learn_common_words

MASK = TopicMask({"en": frozenset({"the", "in", "and"}), "tr": frozenset({"ve"})})


def test_two_texts_on_different_things_look_alike() -> None:
    one = MASK.mask("The harbours in Batumi closed, and 12 sailors waited.", "en")
    other = MASK.mask("The villas in Nahami opened, and 7 tailors wanted.", "en")
    assert one == "the *rs in ^mi *ed , and 0 *rs *ed ."
    assert other == one.replace("*rs in", "*as in")


def test_marks_common_words_and_endings_stay() -> None:
    assert MASK.mask("Evler ve yollar; 2018!", "tr") == "^er ve *ar ; 0 !"


def test_an_unknown_language_is_masked_by_all_lists() -> None:
    assert MASK.mask("the ve", "xx") == "the ve"


@given(st.text(max_size=80))
def test_any_text_can_be_masked(text: str) -> None:
    masked = MASK.mask(detector_view(canonicalise(text).text), "en")
    assert masked == " ".join(masked.split())


def crop(source: str, machine: bool, index: int, words: str) -> Crop:
    document = Document(
        f"{source}{index}",
        "en",
        "ai" if machine else "human",
        "",
        "news",
        source,
        f"{index}",
        "",
        (words,),
        4,
    )
    return Crop(document, (words,), 4)


def test_common_words_are_those_of_human_texts_in_every_source() -> None:
    crops = [crop("large", False, index, "we saw the outletname and the sea") for index in range(400)]
    crops += [crop("small", False, index, "we met and left") for index in range(40)]
    crops += [crop("model", True, index, "delve into it") for index in range(900)]
    crops += [crop("tiny", False, index, "nothing alike") for index in range(3)]
    words = learn_common_words(crops, count=2).common_words["en"]
    assert words == {"we", "and"}
    assert "delve" not in learn_common_words(crops, count=50).common_words["en"]
