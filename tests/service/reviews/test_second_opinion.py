"""Second opinions: given blind, agreeing or settled by an editor."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from review_newsroom import ANNA, BEK, EDITOR, Newsroom, decision, match, person

from service.errors import Conflict, Forbidden
from service.reviews.model import ReviewDecision

Kinds = Callable[[str], list[str]]


def test_the_second_opinion_is_blind_and_agreement_decides(newsroom: Newsroom) -> None:
    review = newsroom.review(opinions=2)
    first = newsroom.desk.decide(review.id, decision(), ANNA)
    assert (first.state, first.stage, first.issued_label_id) == ("open", "second", None)
    with pytest.raises(Conflict, match="another person"):
        newsroom.desk.decide(review.id, decision(), ANNA)
    for somebody in (BEK, EDITOR):
        file = newsroom.desk.file(review.id, somebody)
        assert (list(file.opinions), file.hidden) == ([], 1)
        told = str([event.detail for event in file.events if event.kind == "decided"])
        assert told == "[{}]"
    assert len(newsroom.desk.file(review.id, ANNA).opinions) == 1
    done = newsroom.desk.decide(review.id, decision(), BEK)
    assert (done.state, done.stage) == ("decided", "done")
    assert newsroom.labels.require(done.issued_label_id).state == "ai_generated"
    assert len(newsroom.desk.file(review.id, person("dana", "reader")).opinions) == 2


def test_disagreement_goes_to_an_editor(newsroom: Newsroom, decided_events: Kinds) -> None:
    review = newsroom.review(opinions=2)
    newsroom.desk.decide(review.id, decision(), ANNA)
    differing = newsroom.desk.decide(review.id, decision(involvement="none"), BEK)
    assert (differing.state, differing.stage, differing.issued_label_id) == ("open", "settle", None)
    with pytest.raises(Forbidden, match="settles"):
        newsroom.desk.decide(review.id, decision(), person("dana"))
    assert len(newsroom.desk.file(review.id, EDITOR).opinions) == 2
    done = newsroom.desk.decide(review.id, decision(involvement="assisted"), EDITOR)
    assert newsroom.labels.require(done.issued_label_id).state == "ai_assisted"
    again = newsroom.desk.undo(review.id, EDITOR)
    assert again.stage == "settle"
    assert newsroom.desk.undo(review.id, BEK).stage == "second"
    assert newsroom.desk.undo(review.id, ANNA).stage == "first"
    assert decided_events(review.id) == [
        "opened", "decided", "decided", "disagreed", "settled", "undone", "undone", "undone",
    ]  # fmt: skip


def test_matches_that_are_judged_differently_are_a_disagreement(newsroom: Newsroom) -> None:
    review = newsroom.review(opinions=2)
    newsroom.desk.decide(review.id, ReviewDecision(matches=[match()]), ANNA)
    assert newsroom.desk.decide(review.id, ReviewDecision(matches=[match("reject")]), BEK).stage == "settle"


def test_another_pair_of_eyes_may_be_asked_for_before_and_after(newsroom: Newsroom) -> None:
    before = newsroom.review()
    newsroom.desk.lock(before.id, ANNA)
    asked = newsroom.desk.second_opinion(before.id, ANNA, "the tone is odd")
    assert (asked.opinions_wanted, asked.stage, asked.lock_owner) == (2, "first", None)
    with pytest.raises(Conflict):
        newsroom.desk.second_opinion(before.id, BEK)
    after = newsroom.review()
    issued = newsroom.desk.decide(after.id, decision(), ANNA).issued_label_id
    asked = newsroom.desk.second_opinion(after.id, EDITOR)
    assert (asked.state, asked.stage) == ("open", "second")
    # What was decided stands until somebody says otherwise.
    assert newsroom.labels.require(issued).status == "active"
    newsroom.desk.decide(after.id, decision("dismiss"), BEK)
    done = newsroom.desk.decide(after.id, decision("dismiss"), EDITOR)
    assert done.issued_label_id is None
    assert newsroom.labels.require(issued).status == "revoked"
