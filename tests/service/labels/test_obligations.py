"""What each country's rules answer, and that what is unknown stays undetermined."""

from __future__ import annotations

from datetime import date
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.labels.model import HumanReview, Involvement
from service.labels.obligations import Answer, ObligationFacts, evaluate, jurisdictions

TODAY = date(2026, 11, 23)
COUNTRIES = ["AZ", "HU", "KG", "KZ", "TM", "TR", "UZ"]


def answers(code: str, on: date = TODAY, **facts: Any) -> dict[str | None, Answer]:
    return {item.rule: item.required for item in evaluate(ObligationFacts(**facts), [code], on)}


def test_every_country_of_the_brief_has_a_file() -> None:
    assert sorted(jurisdictions()) == COUNTRIES
    for country in jurisdictions().values():
        assert country.checked < country.review_after
        for rule in country.rules:
            assert (rule.status == "in_force") == (rule.effective_from is not None)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"involvement": "generated", "public_interest": True, "human_review": "none"}, "required"),
        (
            {"involvement": "generated", "public_interest": True, "editorial_responsibility": False},
            "required",
        ),
        (
            {
                "involvement": "generated",
                "public_interest": True,
                "human_review": "reviewed",
                "editorial_responsibility": True,
            },
            "not_required",
        ),
        ({"involvement": "generated", "public_interest": False}, "not_required"),
        ({"involvement": "none", "public_interest": True}, "not_required"),
        ({"involvement": "generated", "public_interest": True, "human_review": "reviewed"}, "undetermined"),
        ({"involvement": "generated", "human_review": "none"}, "undetermined"),
        ({"involvement": "assisted", "public_interest": True, "human_review": "none"}, "undetermined"),
        ({}, "undetermined"),
    ],
)
def test_the_eu_rule_on_texts(facts: dict[str, Any], expected: Answer) -> None:
    assert answers("HU", **facts)["EU-AIA-50(4)-text"] == expected
    assert answers("HU", **facts)["EU-AIA-50(4)-deepfake"] == "not_required"


def test_the_eu_rule_before_and_from_its_first_day() -> None:
    facts = {"involvement": "generated", "public_interest": True, "human_review": "none"}
    assert answers("HU", date(2026, 8, 1), **facts)["EU-AIA-50(4)-text"] == "not_required"
    assert answers("HU", date(2026, 8, 2), **facts)["EU-AIA-50(4)-text"] == "required"


def test_kazakhstan_asks_for_a_notice_and_for_marks_on_imitations() -> None:
    found = answers("KZ", involvement="generated")
    assert found == {"KZ-AI-21(1)": "required", "KZ-AI-21(2)": "undetermined"}
    imitating = evaluate(
        ObligationFacts(involvement="generated", imitates_person_or_unreal_event=True), ["KZ"], TODAY
    )
    assert [item.required for item in imitating] == ["required", "required"]
    assert imitating[1].form == ["visible_notice", "machine_readable_mark"]
    plain = answers("KZ", involvement="assisted", imitates_person_or_unreal_event=False)
    assert plain == {"KZ-AI-21(1)": "required", "KZ-AI-21(2)": "not_required"}


def test_the_azerbaijani_bills_leave_texts_out() -> None:
    assert answers("AZ", involvement="generated") == {"AZ-media-2026": "not_required"}
    assert answers("AZ", involvement="generated", medium="video") == {"AZ-media-2026": "undetermined"}


def test_a_bill_binds_nobody_until_it_was_due_to_be_checked_again() -> None:
    assert answers("TR", involvement="generated") == {"TR-2/3358": "not_required"}
    later = evaluate(ObligationFacts(involvement="generated"), ["TR"], date(2028, 1, 1))
    assert (later[0].required, later[0].wording) == ("undetermined", "Yapay zekâ tarafından üretilmiştir")


def test_a_country_without_rules() -> None:
    assert answers("TM", involvement="generated") == {None: "not_required"}
    assert answers("TM", date(2028, 1, 1), involvement="generated") == {None: "undetermined"}


@pytest.mark.parametrize("code", ["UZ", "KG"])
def test_what_nobody_read_is_undetermined(code: str) -> None:
    found = answers(code, involvement="generated", imitates_person_or_unreal_event=True)
    assert set(found.values()) == {"undetermined"}


def test_an_unknown_country() -> None:
    with pytest.raises(KeyError):
        evaluate(ObligationFacts(), ["XX"], TODAY)


known = {
    "medium": st.sampled_from(["text", "image", "audio", "video"]),
    "involvement": st.sampled_from([value for value in get_args(Involvement) if value != "unknown"]),
    "human_review": st.sampled_from([value for value in get_args(HumanReview) if value != "unknown"]),
    "imitates_person_or_unreal_event": st.booleans(),
    "public_interest": st.booleans(),
    "editorial_responsibility": st.booleans(),
}


@given(
    st.fixed_dictionaries(known),
    st.sets(st.sampled_from(sorted(set(known) - {"medium"}))),
    st.dates(date(2025, 1, 1), date(2029, 1, 1)),
)
def test_knowing_less_never_turns_an_answer_into_its_opposite(
    facts: dict[str, Any], forgotten: set[str], on: date
) -> None:
    fewer = {name: value for name, value in facts.items() if name not in forgotten}
    full = evaluate(ObligationFacts(**facts), COUNTRIES, on)
    partial = evaluate(ObligationFacts(**fewer), COUNTRIES, on)
    for complete, guessed in zip(full, partial, strict=True):
        assert guessed.why
        assert guessed.required in (complete.required, "undetermined")
