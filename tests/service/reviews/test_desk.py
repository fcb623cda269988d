"""What reviewers do, and what it leaves behind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from review_newsroom import ANNA, BEK, EDITOR, SENTENCE, Newsroom, decision, label, match, person

from service.errors import Conflict, Forbidden, InvalidInput, NotFound, PreconditionFailed
from service.labels.precedence import UncitedEvidenceError
from service.retention import purge
from service.reviews.export import export
from service.reviews.model import MatchDecision, ReviewDecision, kinds_of
from service.store import StoreError
from service.store.review_models import ReviewEventRow
from service.store.reviews import ReviewFilter, StoredReview

Kinds = Callable[[str], list[str]]


def test_an_analysis_that_needs_a_person_opens_a_review(newsroom: Newsroom) -> None:
    review = newsroom.review()
    assert kinds_of(review.kinds) == ["likely_ai", "contradiction"]
    # 1 - (1 - (0.4 + 0.4 * 0.8)) * (1 - 0.9 * 0.95)
    assert review.risk == pytest.approx(1 - (1 - 0.72) * (1 - 0.855), abs=1e-4)
    assert (review.language, review.outlet, review.title) == ("az", "Example Daily", "Zavod")
    assert review.proposed["p_value"] == 0.002
    assert review.versions == {
        "models": {"ai_text": "7", "stance": "3"},
        "index_generation": 4,
        "target_fpr": 0.01,
    }
    quiet = {"label": {"state": "undetermined", "review_reasons": []}, "match": {"stance": "supports"}}
    assert newsroom.store.reviews.of_article(newsroom.article(**quiet)) is None


@pytest.mark.parametrize(
    ("reasons", "kinds"),
    [
        (["conflict"], ["declared_conflict"]),
        (["detector_disagrees"], ["declared_conflict"]),
        (["likely_ai", "unsigned_metadata"], ["likely_ai"]),
    ],
)
def test_kinds_of_issue(newsroom: Newsroom, reasons: list[str], kinds: list[str]) -> None:
    review = newsroom.review(label={"review_reasons": reasons}, match={"level": "suggest"})
    assert kinds_of(review.kinds) == kinds


def test_deciding_issues_a_signed_label_in_the_same_transaction(
    newsroom: Newsroom, decided_events: Kinds
) -> None:
    review = newsroom.review()
    done = newsroom.desk.decide(review.id, decision(human_review="reviewed"), ANNA)
    assert (done.state, done.stage, done.version) == ("decided", "done", 2)
    issued = newsroom.labels.require(done.issued_label_id)
    assert (issued.status, issued.state, issued.basis) == ("active", "ai_generated", "reviewer_decision")
    assert issued.document["decided_by"] == "Anna"
    assert issued.article_id == review.article_id
    assert decided_events(review.id) == ["opened", "decided"]
    actions = [
        entry.action for entry in newsroom.store.audit_log.list(0, 10_000) if entry.subject == review.id
    ]
    assert actions == ["review.open", "review.decide"]
    with pytest.raises(Conflict, match="undo that first"):
        newsroom.desk.decide(review.id, decision(), BEK)


def test_when_a_label_cannot_be_issued_nothing_is_decided(
    newsroom: Newsroom, decided_events: Kinds, monkeypatch: pytest.MonkeyPatch
) -> None:
    review = newsroom.review()

    def fail(*_args: Any) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(newsroom.labels, "_sign", fail)
    with pytest.raises(RuntimeError):
        newsroom.desk.decide(review.id, decision(), ANNA)
    assert newsroom.store.reviews.get(review.id) == review
    assert decided_events(review.id) == ["opened"]


def test_undo_revokes_the_label_and_opens_the_review_again(newsroom: Newsroom, decided_events: Kinds) -> None:
    review = newsroom.review()
    issued = newsroom.desk.decide(review.id, decision(), ANNA).issued_label_id
    with pytest.raises(Forbidden):
        newsroom.desk.undo(review.id, BEK)
    again = newsroom.desk.undo(review.id, ANNA, "the wrong one")
    assert (again.state, again.stage, again.issued_label_id) == ("open", "first", None)
    assert newsroom.labels.require(issued).status == "revoked"
    with pytest.raises(Conflict, match="nothing to undo"):
        newsroom.desk.undo(review.id, ANNA)
    done = newsroom.desk.decide(review.id, decision("dismiss"), ANNA)
    assert (done.state, done.issued_label_id) == ("decided", None)
    newsroom.desk.undo(review.id, EDITOR)
    assert decided_events(review.id) == ["opened", "decided", "undone", "decided", "undone"]


def test_accepting_needs_a_proposal_that_says_something(newsroom: Newsroom) -> None:
    suspected = newsroom.review()
    with pytest.raises(InvalidInput, match="how far AI took part"):
        newsroom.desk.decide(suspected.id, decision("accept"), ANNA)
    declared = newsroom.review(
        label={
            "state": "ai_assisted",
            "involvement": "assisted",
            "basis": "author_declared",
            "review_reasons": ["metadata_disagrees"],
        }
    )
    done = newsroom.desk.decide(declared.id, decision("accept"), ANNA)
    assert newsroom.labels.require(done.issued_label_id).state == "ai_assisted"


def test_what_the_page_said_must_be_named_to_be_set_aside(newsroom: Newsroom) -> None:
    """The page itself is not stored: what was read from it then still counts."""
    said = {
        "id": "html_meta-1",
        "type": "html_meta",
        "outcome": "ai",
        "basis": "metadata_unsigned",
        "tool": "html",
        "at": "2026-01-01T00:00:00Z",
    }
    review = newsroom.review(evidence=[said])
    with pytest.raises(UncitedEvidenceError):
        newsroom.desk.decide(review.id, decision(involvement="none"), ANNA)
    done = newsroom.desk.decide(review.id, decision(involvement="none", overrides=["html_meta-1"]), ANNA)
    document = newsroom.labels.require(done.issued_label_id).document
    assert document["conflict"]["resolution"] == "reviewer_decision"
    assert {item["id"] for item in document["evidence"]} == {"html_meta-1", "detector-1"}


def test_matches_are_confirmed_and_rejected(newsroom: Newsroom) -> None:
    review = newsroom.review()
    with pytest.raises(InvalidInput, match="no match"):
        newsroom.desk.decide(
            review.id,
            ReviewDecision(matches=[match(), MatchDecision(claim_start=9, record_id="r1", verdict="reject")]),
            ANNA,
        )
    done = newsroom.desk.decide(review.id, ReviewDecision(matches=[match(stance="supports")]), ANNA)
    assert (done.state, done.issued_label_id) == ("decided", None)
    (opinion,) = newsroom.desk.file(review.id, ANNA).opinions
    assert (opinion.outcome, opinion.overrides) == ("not_judged", False)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"label": {"action": "change"}},
        {"label": {"action": "accept", "involvement": "none"}},
        {"label": {"action": "dismiss", "human_review": "reviewed"}},
        {"matches": [{"claim_start": 0, "record_id": "r1", "verdict": "reject", "stance": "supports"}]},
        {"matches": [{"claim_start": 0, "record_id": "r", "verdict": "reject"}] * 2},
        {"label": {"action": "dismiss"}, "note": "x" * 2_001},
        {"label": {"action": "dismiss"}, "note": "\0"},
    ],
)
def test_impossible_decisions(body: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        ReviewDecision.model_validate(body)


def test_a_lock_keeps_others_out_until_it_ends(newsroom: Newsroom, decided_events: Kinds) -> None:
    review = newsroom.review()
    taken = newsroom.desk.lock(review.id, ANNA)
    assert taken.state_at(newsroom.clock()) == "locked"
    for attempt in (
        lambda: newsroom.desk.lock(review.id, BEK),
        lambda: newsroom.desk.decide(review.id, decision(), BEK),
        lambda: newsroom.desk.second_opinion(review.id, BEK),
    ):
        with pytest.raises(Conflict, match="Anna works on it"):
            attempt()
    with pytest.raises(Forbidden):
        newsroom.desk.unlock(review.id, BEK)
    try:
        newsroom.clock.ahead += timedelta(minutes=10)
        newsroom.desk.lock(review.id, ANNA)
        newsroom.clock.ahead += timedelta(minutes=10)
        assert newsroom.store.reviews.get(review.id).state_at(newsroom.clock()) == "locked"
        newsroom.clock.ahead += timedelta(minutes=6)
        assert newsroom.desk.lock(review.id, BEK).lock_owner == BEK.id
    finally:
        newsroom.clock.ahead = timedelta(0)
    newsroom.desk.unlock(review.id, EDITOR)
    assert newsroom.desk.decide(review.id, decision(), ANNA).lock_owner is None
    with pytest.raises(Conflict, match="decided"):
        newsroom.desk.lock(review.id, ANNA)
    assert decided_events(review.id) == ["opened", "locked", "locked", "unlocked", "decided"]


def test_a_label_that_waits_is_a_review_and_replaced_by_what_is_decided(newsroom: Newsroom) -> None:
    waiting = newsroom.label()
    assert waiting.status == "draft"
    (review,) = [item for item in queue(newsroom) if item.label_id == waiting.id]
    assert kinds_of(review.kinds) == ["unknown_origin"]
    done = newsroom.desk.decide(review.id, decision(involvement="assisted"), ANNA)
    issued = newsroom.labels.require(done.issued_label_id)
    assert (issued.status, issued.state, issued.hash_exact) == ("active", "ai_assisted", waiting.hash_exact)
    old = newsroom.labels.require(waiting.id)
    assert (old.status, old.superseded_by) == ("superseded", issued.id)
    # Undone and decided again: the text is still not needed.
    newsroom.desk.undo(review.id, ANNA)
    again = newsroom.desk.decide(review.id, decision(involvement="none"), ANNA)
    assert newsroom.labels.require(again.issued_label_id).state == "human_written"


def test_dismissing_withdraws_the_label_that_waits(newsroom: Newsroom) -> None:
    waiting = newsroom.label()
    (review,) = [item for item in queue(newsroom) if item.label_id == waiting.id]
    newsroom.desk.decide(review.id, decision("dismiss"), ANNA)
    assert newsroom.labels.require(waiting.id).status == "revoked"


def test_a_label_of_an_article_joins_its_review(newsroom: Newsroom) -> None:
    review = newsroom.review()
    disputed = newsroom.label(text=None, article_id=review.article_id, declared="none")
    joined = newsroom.store.reviews.of_article(review.article_id)
    assert (joined.id, joined.label_id) == (review.id, disputed.id)
    assert "declared_conflict" in kinds_of(joined.kinds)
    assert joined.version == 2


def test_changes_to_what_was_changed_meanwhile_are_refused(newsroom: Newsroom) -> None:
    review = newsroom.review()
    newsroom.desk.lock(review.id, ANNA, version=1)
    for attempt in (
        lambda: newsroom.desk.decide(review.id, decision(), ANNA, version=1),
        lambda: newsroom.desk.lock(review.id, ANNA, version=1),
        lambda: newsroom.desk.unlock(review.id, ANNA, version=1),
        lambda: newsroom.desk.undo(review.id, ANNA, version=1),
        lambda: newsroom.desk.second_opinion(review.id, ANNA, version=1),
    ):
        with pytest.raises(PreconditionFailed):
            attempt()
    assert newsroom.desk.decide(review.id, decision(), ANNA, version=2).state == "decided"
    with pytest.raises(NotFound):
        newsroom.desk.lock("rev_none", ANNA)


def test_of_decisions_made_at_once_one_counts(newsroom: Newsroom) -> None:
    review = newsroom.review()
    people = [person(f"p{number}") for number in range(4)]
    start, outcomes = threading.Barrier(4), []

    def work(caller: Any) -> None:
        start.wait()
        try:
            outcomes.append(newsroom.desk.decide(review.id, decision(), caller).issued_label_id)
        except Conflict as error:
            outcomes.append(error)

    threads = [threading.Thread(target=work, args=(caller,)) for caller in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict"] * 3 + ["str"]
    assert len(newsroom.desk.file(review.id, ANNA).opinions) == 1


def test_the_history_can_only_be_added_to(newsroom: Newsroom) -> None:
    newsroom.review()
    for statement in (sa.update(ReviewEventRow).values(kind="none"), sa.delete(ReviewEventRow)):
        with pytest.raises(StoreError, match="append-only"), newsroom.store.database.writing() as connection:
            connection.execute(statement)


def queue(newsroom: Newsroom, sort: str = "risk", limit: int = 500, **wanted: Any) -> list[StoredReview]:
    found: list[StoredReview] = []
    after = None
    chosen = ReviewFilter(**{"state": "undecided", **wanted})
    while True:
        page = newsroom.store.reviews.page(chosen, sort=sort, after=after, limit=limit, now=newsroom.clock())
        found += page
        if len(page) < limit:
            return found
        after = (page[-1].rank, page[-1].number)


def test_the_queue_by_risk_and_age_in_pages(newsroom: Newsroom) -> None:
    outlet = "The Queue"
    made = [
        newsroom.review(outlet=outlet, origin={"p_value": p_value}, match={"level": "none"})
        for p_value in (0.009, 0.001, 0.005, 0.001, 0.003)
    ]
    newsroom.desk.lock(made[2].id, ANNA)
    by_risk = queue(newsroom, limit=2, outlet=outlet)
    assert [item.id for item in by_risk] == [made[place].id for place in (1, 3, 4, 2, 0)]
    assert [item.id for item in queue(newsroom, "age", limit=2, outlet=outlet)] == [item.id for item in made]
    assert len(queue(newsroom, outlet=outlet, state="open")) == 4
    assert [item.id for item in queue(newsroom, outlet=outlet, state="locked")] == [made[2].id]
    assert [item.id for item in queue(newsroom, lock_owner=ANNA.id, outlet=outlet)] == [made[2].id]
    assert queue(newsroom, outlet=outlet, kind="contradiction") == []
    assert len(queue(newsroom, outlet=outlet, kind="likely_ai", language="az", stage="first")) == 5
    newsroom.desk.decide(made[0].id, decision(), ANNA)
    assert [item.id for item in queue(newsroom, outlet=outlet, state="decided")] == [made[0].id]


def test_what_is_exported_leads_back_to_what_the_models_said(newsroom: Newsroom) -> None:
    review = newsroom.review()
    newsroom.desk.decide(
        review.id, ReviewDecision(label=label(involvement="none"), matches=[match()], note="asked"), ANNA
    )
    (line,) = [item for item in export(newsroom.store, texts=True) if item["review_id"] == review.id]
    assert (line["outcome"], line["versions"]["models"]["ai_text"]) == ("none", "7")
    assert line["text"].startswith(SENTENCE)
    assert line["opinions"][0]["overrides"] is True
    assert ANNA.id not in str(line)
    (matched,) = line["matches"]
    assert (matched["verdict"], matched["stance"], matched["claim"]) == ("confirm", "contradicts", SENTENCE)
    (plain,) = [item for item in export(newsroom.store, texts=False) if item["review_id"] == review.id]
    assert "text" not in plain
    assert SENTENCE not in str(plain)


def test_overrides_are_counted_by_model_version(newsroom: Newsroom) -> None:
    models = {"ai_text": "counted", "stance": "s1"}
    for choice in ("none", "generated", "dismissed"):
        review = newsroom.review(models=models)
        made = decision("dismiss") if choice == "dismissed" else decision(involvement=choice)
        newsroom.desk.decide(review.id, made, ANNA)
    (row,) = [row for row in newsroom.store.reviews.overrides() if row.detector == "counted"]
    assert (row.stance, row.language, row.judged, row.overridden) == ("s1", "az", 3, 2)


def test_decisions_stay_when_texts_are_dropped(newsroom: Newsroom) -> None:
    review = newsroom.review()
    newsroom.desk.decide(review.id, ReviewDecision(label=label(), matches=[match()]), ANNA)
    settings = newsroom.settings.model_copy(update={"keep_texts_days": 1})
    purge(newsroom.store, settings, newsroom.clock() + timedelta(days=2))
    (line,) = [item for item in export(newsroom.store, texts=True) if item["review_id"] == review.id]
    assert (line["text"], line["outcome"]) == (None, "generated")
    with newsroom.store.database.reading() as connection:
        for table in ("reviews", "review_opinions", "review_events"):
            rows = connection.execute(sa.text(f"SELECT * FROM {table}")).all()
            assert SENTENCE not in str(rows)
