"""What is linked, what is only shown, and what is said about it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from classifiers.stance import MatchCalibration, Mismatch, StanceResult
from index.questions import question_text
from index.records import VerifiedRecord
from index.stories import newer_of, story_key
from service.analysis_models import Match, MatchLevel
from service.claim_wording import all_claim_words, source_sentence, stance_word
from service.linking import is_short, level_of, status_of, warnings_of

CALIBRATION = MatchCalibration(
    {"curves": {"any": [50, -45]}, "suggest_threshold": 0.3, "link_threshold": 0.6, "model_version": "test"}
)


def said(name: str = "unknown", mismatches: tuple[Mismatch, ...] = ()) -> StanceResult:
    guards: Any = {"number": "unknown", "date": "unknown", "name": name, "negation": "unknown"}
    return StanceResult("supports", {"supports": 1.0}, mismatches, False, guards)


def level(claim: str, evidence: str, probability: float = 0.99, name: str = "unknown") -> str:
    return level_of(
        probability,
        CALIBRATION,
        claim=claim,
        claim_language="en",
        evidence=evidence,
        evidence_language="en",
        stance=said(name),
    )


LONG = "The new bridge across the river carries forty thousand vehicles every day according to the ministry."


def test_thresholds() -> None:
    assert level(LONG, LONG, 0.29) == "none"
    assert level(LONG, LONG, 0.3) == "suggest"
    assert level(LONG, LONG, 0.6) == "link"


def test_a_pair_of_languages_may_need_more_to_be_linked() -> None:
    stricter = MatchCalibration(
        {
            "curves": {"any": [50, -45]}, "suggest_threshold": 0.3, "link_threshold": 0.6,
            "link_thresholds": {"en-tk": 0.9}, "model_version": "test",
        }
    )  # fmt: skip

    def level_in(language: str) -> str:
        return level_of(
            0.8,
            stricter,
            claim=LONG,
            claim_language=language,
            evidence=LONG,
            evidence_language="en",
            stance=said(),
        )

    assert (level_in("tk"), level_in("kk")) == ("suggest", "link")
    assert stricter.link_threshold_of("en", "tk") == stricter.link_threshold_of("tk", "en") == 0.9


def test_a_short_claim_about_another_lake_is_not_linked() -> None:
    claim, other = "Sarykol is the deepest lake.", "Tuzkol is the deepest lake."
    assert is_short(claim)
    assert not is_short(LONG)
    assert level(claim, other) == "suggest"
    assert level(claim, other, name="mismatch") == "suggest"
    assert level(claim, claim) == "link"
    # In another language no words are shared: names decide.
    assert level(claim, "Ең терең көл — Сарыкөл.") == "suggest"
    assert level(claim, "Ең терең көл — Сарыкөл.", name="match") == "link"


def record(**fields: Any) -> VerifiedRecord:
    return VerifiedRecord.model_validate({"id": "r", "claim": "A claim.", "language": "en", **fields})


def match(**fields: Any) -> Match:
    values: dict[str, Any] = {
        "record_id": "r", "score": 0.9, "similarity": 0.9, "probability": 0.9, "level": "link",
        "stance": "supports", "stance_scores": {}, "stance_abstained": False, "mismatches": [],
        "evidence": {"text": "A", "start": 0, "end": 1, "field": "claim"}, "claim": "A", "title": None,
        "language": "en", "publisher": "Kabar {1}", "url": None, "rating": None, "published_at": None,
        "sample": False, "warnings": [],
    }  # fmt: skip
    return Match.model_validate(values | fields)


@pytest.mark.parametrize(
    ("levels", "language", "expected"),
    [
        ([], "en", ("no_match", "nothing_found")),
        (["none"], "en", ("no_match", "below_threshold")),
        (["none", "suggest"], "en", ("related", "short_claim")),
        (["suggest", "link"], "en", ("matched", None)),
        (["link"], "other", ("abstained", "unsupported_language")),
    ],
)
def test_status(levels: list[MatchLevel], language: str, expected: tuple[str, str | None]) -> None:
    assert status_of(levels, language, held_back="suggest" in levels, empty=False) == expected


def test_a_match_between_the_thresholds_is_related_for_no_special_reason() -> None:
    assert status_of(["suggest"], "en", held_back=False, empty=False) == ("related", None)
    assert status_of([], "en", held_back=False, empty=True) == ("no_match", "empty_index")


def test_warnings() -> None:
    clash = (Mismatch("date", "5 May", "6 May"),)
    old = record(published_at="2019-03-01", rating="False", superseded_by="new")
    assert warnings_of(
        old, said(mismatches=clash), newer="new", claim_published=date(2021, 1, 1), as_of=date(2018, 1, 1)
    ) == [
        "superseded",
        "newer_record",
        "dates_differ",
        "published_later",
        "published_long_before",
        "rated_false",
    ]
    ended = record(valid_to="2019-12-31")
    assert warnings_of(ended, said(), newer=None, claim_published=None, as_of=None) == ["not_valid_now"]
    fresh = record(published_at="2021-03-01")
    assert warnings_of(fresh, said(), newer=None, claim_published=date(2021, 5, 1), as_of=None) == []


def test_same_claim_in_other_quotation_marks_or_script_is_one_story() -> None:
    key = story_key(record(claim="O'zbekistonda 12 ta yangi maktab ochildi.", language="uz"))
    assert key == story_key(record(claim="«Ўзбекистонда 12 та янги мактаб очилди»", language="uz-cyrl"))
    assert key != story_key(record(claim="O'zbekistonda 13 ta yangi maktab ochildi.", language="uz"))
    first, second = record(claim="1,100 schools opened."), record(claim="1,000 schools opened.")
    assert story_key(first) != story_key(second)
    assert story_key(record(claim="Road 1 is open.")) != story_key(record(claim="Road 11 is open."))
    assert story_key(record(claim="一")) != story_key(record(claim="二"))


def test_the_newest_later_record() -> None:
    first, middle, last = (
        record(id=day, published_at=day) for day in ("2020-01-01", "2021-01-01", "2022-01-01")
    )
    assert newer_of(first, [first, last, middle]) == last
    assert newer_of(last, [first, middle, last, record()]) is None
    assert newer_of(record(), [last]) is None


def test_every_language_has_every_word() -> None:
    words = all_claim_words()
    assert set(words) == {"az", "kk", "ky", "tr", "uz", "uz-Cyrl", "tk", "hu", "ru", "en"}
    for own in words.values():
        assert own.stance.keys() == words["en"].stance.keys()
        assert own.status.keys() == words["en"].status.keys()
        assert own.warnings.keys() == words["en"].warnings.keys()
        assert all(place in own.rated for place in ("{publisher}", " ({date})", "{rating}"))
        assert all(place in own.unrated for place in ("{publisher}", " ({date})"))


def test_the_sentence_quotes_source_date_and_rating() -> None:
    rated = match(rating="{date} False", published_at="2021-05-04")
    assert source_sentence(rated, "en").startswith("Matches a fact-check by Kabar {1} (2021-05-04), rated")
    assert "Kabar {1}" in source_sentence(match(), "kk")
    assert "(" not in source_sentence(match(publisher="Kabar"), "ky")
    assert stance_word(match(stance="contradicts"), "tr") == "çelişiyor"
    assert stance_word(match(stance_abstained=True), "xx") == "unclear"
    assert stance_word(match(stance="supports"), "uz-Cyrl") == "такрорлайди"
    assert stance_word(match(stance="supports"), "uz-Latn") == "takrorlaydi"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@one @two The dam broke https://example.org/x #Flood_news", "The dam broke Flood news"),
        ("pic.twitter.com/abc", "pic.twitter.com/abc"),
        ("A plain claim.", "A plain claim."),
    ],
)
def test_links_and_mentions_are_not_searched_for(text: str, expected: str) -> None:
    assert question_text(text) == expected
