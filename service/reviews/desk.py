"""Where reviewers work: take a review, decide it, undo that, ask for another pair of eyes.

Every change is one transaction with its entry in the history, its entry in the audit log, its webhook event,
and the label that it issues or withdraws. A change that meets another one is refused, never lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from service.auth.scopes import Caller
from service.errors import Conflict, Forbidden, NotFound
from service.reviews.deciding import Decisions
from service.reviews.rules import SETTLE, UNLOCKED, active, must_be_free, must_be_version, present
from service.store import review_changes as rows
from service.store.audit_log import append
from service.store.reviews import StoredEvent, StoredOpinion, StoredReview

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from service.labels.issuing import LabelDesk
    from service.store import Store


@dataclass(frozen=True, slots=True)
class ReviewFile:
    """A review with what a caller may see of its opinions and its history. `hidden` is how many opinions of
    others wait unseen until the caller has given their own.
    """

    review: StoredReview
    opinions: Sequence[StoredOpinion]
    events: Sequence[StoredEvent]
    hidden: int


class ReviewDesk:
    """Reviews over one store. `labels` is where their labels are issued; a lock lasts for `lock`. Safe to use
    from threads.
    """

    def __init__(
        self,
        store: Store,
        labels: Callable[[], LabelDesk],
        *,
        lock: timedelta,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._lock = lock
        self._clock = clock
        decisions = Decisions(store, labels, clock)
        self.decide = decisions.decide
        self.undo = decisions.undo

    def now(self) -> datetime:
        """The moment by which locks are judged."""
        return self._clock()

    def file(self, review_id: str, caller: Caller) -> ReviewFile:
        """A review as `caller` may see it. Raises NotFound."""
        found = self._store.reviews.whole(review_id)
        if found is None:
            raise NotFound("No review has this id.")
        review, opinions, events = found
        counting = active(opinions)
        open_to_all = review.state == "decided" or review.stage == "settle"
        judged = any(opinion.reviewer == caller.id for opinion in counting)
        if open_to_all or judged:
            return ReviewFile(review, opinions, events, 0)
        # Who judges second must not know what the first one found.
        seen = [item for item in opinions if item.reviewer == caller.id or item.undone_at is not None]
        numbers = {item.number for item in seen}
        shown = [
            event
            if event.opinion_number is None or event.opinion_number in numbers
            else replace(event, detail={})
            for event in events
        ]
        return ReviewFile(review, seen, shown, len(opinions) - len(seen))

    def lock(self, review_id: str, caller: Caller, *, version: int | None = None) -> StoredReview:
        """Take a review for a time, or keep it for longer.

        Raises:
            NotFound, PreconditionFailed.
            Conflict: somebody else has it, or it is decided.
        """

        def take(connection: Connection, review: StoredReview, now: datetime) -> None:
            must_be_free(review, caller, now)
            if review.state == "decided":
                raise Conflict("The review is decided.")
            until = now + self._lock
            values = {"lock_owner": caller.id, "lock_name": caller.name, "lock_until": until}
            rows.change(connection, review, **values)
            if review.lock_holder(now) is None:
                told = {"until": until.isoformat()}
                rows.add_event(connection, review.number, "locked", caller.id, caller.name, detail=told)

        return self._change(review_id, take, version=version)

    def unlock(self, review_id: str, caller: Caller, *, version: int | None = None) -> StoredReview:
        """Give a review back. An editor may take it from somebody.

        Raises:
            NotFound, PreconditionFailed.
            Forbidden: somebody else has it.
        """

        def give(connection: Connection, review: StoredReview, now: datetime) -> None:
            holder = review.lock_holder(now)
            if holder is None:
                return
            if holder != caller.id and SETTLE not in caller.scopes:
                raise Forbidden(f"{review.lock_name} works on it.")
            rows.change(connection, review, lock_owner=None, lock_name=None, lock_until=None)
            rows.add_event(connection, review.number, "unlocked", caller.id, caller.name)

        return self._change(review_id, give, version=version)

    def second_opinion(
        self, review_id: str, caller: Caller, note: str = "", *, version: int | None = None
    ) -> StoredReview:
        """Ask for another pair of eyes: before deciding, or about what one person decided.

        Raises:
            NotFound, PreconditionFailed.
            Conflict: two opinions are wanted already, or somebody else works on it.
        """

        def ask(connection: Connection, review: StoredReview, now: datetime) -> None:
            must_be_free(review, caller, now)
            counting = active(rows.opinions(connection, review.number))
            if review.opinions_wanted > 1 or len(counting) > 1:
                raise Conflict("Two opinions are wanted already.")
            rows.change(
                connection,
                review,
                **UNLOCKED,
                opinions_wanted=2,
                state="open",
                stage="second" if counting else "first",
                decided_at=None,
            )
            told = {"note": note} if note else {}
            rows.add_event(connection, review.number, "second_opinion", caller.id, caller.name, detail=told)
            append(connection, "review.second_opinion", review.id, {})

        return self._change(review_id, ask, version=version)

    def _change(
        self,
        review_id: str,
        make: Callable[[Connection, StoredReview, datetime], None],
        *,
        version: int | None,
    ) -> StoredReview:
        with self._store.database.writing() as connection:
            review = present(rows.for_update(connection, review_id))
            must_be_version(review, version)
            make(connection, review, self._clock())
            return present(rows.for_update(connection, review_id))
