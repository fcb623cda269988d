"""The state machine of one review against a model of it: locks that end, opinions, undoing, second opinions
and settlements, by several people in any order.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from review_newsroom import EDITOR, LOCK, Newsroom, person

from service.errors import Conflict, Forbidden, TamgaError
from service.reviews.model import LabelDecision, ReviewDecision
from service.store.reviews import ReviewFilter

PEOPLE = {name: person(name) for name in ("anna", "bek", "dana")} | {"chief": EDITOR}
NAMES = st.sampled_from(sorted(PEOPLE))
OUTCOMES = st.sampled_from(("generated", "none", "dismissed"))


def decision(outcome: str) -> ReviewDecision:
    if outcome == "dismissed":
        return ReviewDecision(label=LabelDecision(action="dismiss"))
    return ReviewDecision(label=LabelDecision.model_validate({"action": "change", "involvement": outcome}))


class ReviewStates(RuleBasedStateMachine):
    """`opinions` are those that count: (person, outcome, stage it was given at)."""

    newsroom: ClassVar[Any]

    @initialize(wanted=st.sampled_from((1, 2)))
    def open(self, wanted: int) -> None:
        self.newsroom.clock.ahead = timedelta(0)
        self.review = self.newsroom.review(opinions=wanted).id
        self.wanted = wanted
        self.opinions: list[tuple[str, str, str]] = []
        self.stage = "first"
        self.issued: str | None = None
        self.lock: tuple[str, datetime] | None = None
        self.events = ["opened"]

    def holder(self) -> str | None:
        if self.lock is None or self.lock[1] <= self.newsroom.clock():
            return None
        return self.lock[0]

    def attempt(self, call: Any) -> TamgaError | None:
        try:
            call()
        except TamgaError as error:
            return error
        return None

    @rule(minutes=st.integers(1, 20))
    def time_passes(self, minutes: int) -> None:
        # Never so near to the end of a lock that the test's own running time would decide.
        self.newsroom.clock.ahead += timedelta(minutes=minutes)
        if self.lock is not None and abs(self.lock[1] - self.newsroom.clock()) < timedelta(seconds=20):
            self.newsroom.clock.ahead += timedelta(minutes=1)

    @rule(name=NAMES)
    def take(self, name: str) -> None:
        held = self.holder()
        error = self.attempt(lambda: self.newsroom.desk.lock(self.review, PEOPLE[name]))
        if held not in (None, name) or self.stage == "done":
            assert isinstance(error, Conflict)
            return
        assert error is None
        if held is None:
            self.events.append("locked")
        self.lock = (name, self.newsroom.clock() + LOCK)

    @rule(name=NAMES)
    def give_back(self, name: str) -> None:
        held = self.holder()
        error = self.attempt(lambda: self.newsroom.desk.unlock(self.review, PEOPLE[name]))
        if held is None:
            assert error is None
        elif held == name or name == "chief":
            assert error is None
            self.lock = None
            self.events.append("unlocked")
        else:
            assert isinstance(error, Forbidden)

    @rule(name=NAMES, outcome=OUTCOMES)
    def decide(self, name: str, outcome: str) -> None:
        error = self.attempt(lambda: self.newsroom.desk.decide(self.review, decision(outcome), PEOPLE[name]))
        if self.stage == "done" or self.holder() not in (None, name):
            assert isinstance(error, Conflict)
            return
        if self.stage == "settle" and name != "chief":
            assert isinstance(error, Forbidden)
            return
        if self.stage != "settle" and name in {who for who, _, _ in self.opinions}:
            assert isinstance(error, Conflict)
            return
        assert error is None
        self.opinions.append((name, outcome, self.stage))
        self.lock = None
        self.events.append("settled" if self.stage == "settle" else "decided")
        if self.stage == "settle" or len(self.opinions) >= self.wanted:
            agreed = self.stage == "settle" or len({told for _, told, _ in self.opinions}) == 1
            self.stage = "done" if agreed else "settle"
            if not agreed:
                self.events.append("disagreed")
        else:
            self.stage = "second"
        if self.stage == "done":
            self.issued = None if outcome == "dismissed" else outcome

    @rule(name=NAMES)
    def undo(self, name: str) -> None:
        error = self.attempt(lambda: self.newsroom.desk.undo(self.review, PEOPLE[name]))
        if not self.opinions:
            assert isinstance(error, Conflict)
            return
        newest = self.opinions[-1]
        allowed = name in (newest[0], "chief")
        if self.holder() not in (None, name) or not allowed:
            assert isinstance(error, (Conflict, Forbidden))
            return
        assert error is None
        if self.stage == "done" or len(self.opinions) == 1:
            self.issued = None
        self.opinions.pop()
        self.stage = newest[2] if newest[2] == "settle" else "second" if self.opinions else "first"
        self.wanted = max(self.wanted, len(self.opinions) + 1)
        self.lock = None
        self.events.append("undone")

    @rule(name=NAMES)
    def ask_another(self, name: str) -> None:
        error = self.attempt(lambda: self.newsroom.desk.second_opinion(self.review, PEOPLE[name]))
        if self.holder() not in (None, name) or self.wanted > 1 or len(self.opinions) > 1:
            assert isinstance(error, Conflict)
            return
        assert error is None
        self.wanted, self.lock = 2, None
        self.stage = "second" if self.opinions else "first"
        self.events.append("second_opinion")

    @invariant()
    def the_review_is_as_the_model_says(self) -> None:
        if not hasattr(self, "review"):
            return
        now = self.newsroom.clock()
        review, opinions, events = self.newsroom.store.reviews.whole(self.review)
        assert review.stage == self.stage
        state = "decided" if self.stage == "done" else "locked" if self.holder() else "open"
        assert review.state_at(now) == state
        active = [opinion for opinion in opinions if opinion.undone_at is None]
        assert [(item.reviewer_name.lower(), item.outcome, item.stage) for item in active] == [
            (PEOPLE[who].name.lower(), told, stage) for who, told, stage in self.opinions
        ]
        assert [event.kind for event in events] == self.events
        issued = review.issued_label_id
        assert (issued is not None) == (self.issued is not None)
        if issued is not None:
            label = self.newsroom.labels.require(issued)
            assert label.status == "active"
            assert label.involvement == self.issued

    @invariant()
    def nobody_sees_another_opinion_before_their_own(self) -> None:
        if not hasattr(self, "review") or self.stage in ("done", "settle"):
            return
        judged = {who for who, _, _ in self.opinions}
        for name, caller in PEOPLE.items():
            file = self.newsroom.desk.file(self.review, caller)
            if name not in judged:
                assert all(item.undone_at or item.reviewer == caller.id for item in file.opinions)

    @invariant()
    def the_queue_is_counted_right(self) -> None:
        if not hasattr(self, "review"):
            return
        store = self.newsroom.store
        waiting = len(_undecided(store))
        assert sum(store.reviews.counts().stages.values()) == waiting


def _undecided(store: Any) -> list[Any]:
    now = datetime.now(UTC)
    found: list[Any] = store.reviews.page(
        ReviewFilter("undecided"), sort="age", after=None, limit=10_000, now=now
    )
    return found


def test_any_order_of_what_people_do() -> None:
    with tempfile.TemporaryDirectory() as folder:
        ReviewStates.newsroom = Newsroom(f"sqlite:///{folder}/tamga.db", Path(folder))
        try:
            run_state_machine_as_test(
                ReviewStates,
                settings=settings(
                    max_examples=12,
                    stateful_step_count=14,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            ReviewStates.newsroom.store.close()
