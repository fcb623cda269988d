"""Deciding a review and undoing that: one transaction with the label that is issued or withdrawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, cast

from service.auth.scopes import Caller
from service.errors import Conflict, Forbidden, InvalidInput, NotFound
from service.labels.drafts import Draft, redraft
from service.labels.model import Decision, Involvement
from service.labels.request import LabelRequest
from service.reviews.model import LabelDecision, Outcome, ReviewDecision, Stage, disagreements
from service.reviews.rules import (
    SETTLE,
    UNLOCKED,
    active,
    changed,
    must_be_free,
    must_be_version,
    newest_to_undo,
    present,
)
from service.store import review_changes as rows
from service.store.audit_log import append
from service.store.outbox import publish
from service.store.reviews import StoredOpinion, StoredReview

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from service.labels.issuing import LabelDesk
    from service.store import Store
    from service.store.labels import StoredLabel

_ATTEMPTS: Final = 5
_NO_NOTE: Final = "decided in review"


class _ChangedMeanwhile(Exception):  # noqa: N818 - a signal within this module, no error for callers
    """The review is not as it was when the change was planned."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """A change as it will be made, if the review is still as it was read."""

    review: StoredReview
    caller: Caller
    decision: ReviewDecision
    outcome: Outcome
    stage: Stage
    differences: tuple[str, ...]

    @property
    def final(self) -> bool:
        return self.stage == "done"


class Decisions:
    """Decisions over one store. `labels` is where labels are issued. Safe to use from threads."""

    def __init__(self, store: Store, labels: Callable[[], LabelDesk], clock: Callable[[], datetime]) -> None:
        self._store = store
        self._labels = labels
        self._clock = clock

    def decide(
        self, review_id: str, decision: ReviewDecision, caller: Caller, *, version: int | None = None
    ) -> StoredReview:
        """Give an opinion. If no further one is wanted, or it agrees with the first, the review is decided by
        it and the label issued.

        Raises:
            NotFound, PreconditionFailed.
            Conflict: it is decided, somebody else works on it, or the caller has judged it already.
            Forbidden: two opinions differ, and only an editor settles that.
            InvalidInput: the decision does not fit the proposal, its evidence or the matches.
        """
        for _ in range(_ATTEMPTS):
            plan = self._plan(review_id, decision, caller, version)

            def record(connection: Connection, label: StoredLabel | None, plan: _Plan = plan) -> None:
                self._record(connection, plan, label)

            try:
                self._carry_out(plan, record)
                return present(self._store.reviews.get(review_id))
            except _ChangedMeanwhile:
                if version is not None:
                    raise changed() from None
        raise Conflict("Others keep changing this review; try again.")

    def undo(
        self, review_id: str, caller: Caller, note: str = "", *, version: int | None = None
    ) -> StoredReview:
        """Take back the newest opinion: the review is open again, and the label that it issued is revoked.
        Who gave the opinion may do so, and an editor.

        Raises:
            NotFound, PreconditionFailed.
            Conflict: nothing is decided, or somebody else works on it.
            Forbidden: it is somebody else's opinion.
        """
        for _ in range(_ATTEMPTS):
            found = self._store.reviews.whole(review_id)
            review = present(found[0] if found is not None else None)
            must_be_version(review, version)
            withdrawn = _withdrawn_by_undoing(review, found[1] if found is not None else ())

            def take_back(
                connection: Connection,
                _label: StoredLabel | None,
                read: StoredReview = review,
                withdrawn: str | None = withdrawn,
            ) -> None:
                self._take_back(connection, read, caller, note, withdrawn)

            try:
                if withdrawn is not None:
                    reason = note or "The decision was undone."
                    self._labels().revoke(withdrawn, actor=caller.name, reason=reason, also=take_back)
                else:
                    with self._store.database.writing() as connection:
                        take_back(connection, None)
                return present(self._store.reviews.get(review_id))
            except _ChangedMeanwhile:
                if version is not None:
                    raise changed() from None
        raise Conflict("Others keep changing this review; try again.")

    def _plan(self, review_id: str, decision: ReviewDecision, caller: Caller, version: int | None) -> _Plan:
        found = self._store.reviews.whole(review_id)
        if found is None:
            raise NotFound("No review has this id.")
        review, opinions, _ = found
        must_be_version(review, version)
        counting = active(opinions)
        if review.state == "decided":
            raise Conflict("The review is decided; undo that first.")
        must_be_free(review, caller, self._clock())
        if review.stage == "settle":
            if SETTLE not in caller.scopes:
                raise Forbidden(f"Two opinions differ; somebody with the scope {SETTLE} settles that.")
        elif any(opinion.reviewer == caller.id for opinion in counting):
            raise Conflict("You have judged it; the second opinion must be another person's.")
        self._check_matches(review, decision)
        outcome = _outcome(review, decision)
        stage: Stage = "done"
        differences: list[str] = []
        if review.stage != "settle":
            if len(counting) + 1 < review.opinions_wanted:
                stage = "second"
            elif counting:
                first = counting[0]
                known = ReviewDecision.model_validate(first.decision)
                differences = disagreements(known, decision, (cast(Outcome, first.outcome), outcome))
                stage = "settle" if differences else "done"
        return _Plan(review, caller, decision, outcome, stage, tuple(differences))

    def _check_matches(self, review: StoredReview, decision: ReviewDecision) -> None:
        if not decision.matches:
            return
        analysis = self._store.articles.analysis(review.article_id) if review.article_id else None
        claims = (analysis or {}).get("claims", [])
        known = {
            (claim["start"], match["record_id"]) for claim in claims for match in claim.get("matches", [])
        }
        for place, match in enumerate(decision.matches):
            if (match.claim_start, match.record_id) not in known:
                raise InvalidInput(
                    "The analysis has no match of this claim with this record.", pointer=f"#/matches/{place}"
                )

    def _carry_out(self, plan: _Plan, record: Callable[[Connection, StoredLabel | None], None]) -> None:
        review, label = plan.review, plan.decision.label
        if plan.final and label is not None:
            if label.action != "dismiss":
                draft = self._draft(review, label, cast(Involvement, plan.outcome), plan)
                self._labels().store_draft(draft, also=record)
                return
            standing = review.issued_label_id or review.label_id
            if standing is not None:
                reason = plan.decision.note or "A reviewer decided that no label is needed."
                self._labels().revoke(standing, actor=plan.caller.name, reason=reason, also=record)
                return
        with self._store.database.writing() as connection:
            record(connection, None)

    def _draft(
        self, review: StoredReview, label: LabelDecision, involvement: Involvement, plan: _Plan
    ) -> Draft:
        decision = Decision(
            by=plan.caller.name[:200],
            involvement=involvement,
            human_review=label.human_review or "unknown",
            reason=plan.decision.note or _NO_NOTE,
            overrides=label.overrides,
        )
        desk = self._labels()
        if review.label_id is not None:
            from service.labels.issuing import document_of

            return redraft(document_of(desk.require(review.label_id)), decision)
        assert review.article_id is not None
        return desk.prepare(
            LabelRequest(article_id=review.article_id, decision=decision, actor=plan.caller.name[:200])
        )

    def _record(self, connection: Connection, plan: _Plan, label: StoredLabel | None) -> None:
        now = self._clock()
        review = _as_planned(connection, plan.review)
        must_be_free(review, plan.caller, now)
        issued = label.id if label is not None and label.status == "active" else None
        if label is not None and issued is not None and review.label_id is not None:
            self._store.labels.settle(connection, review.label_id, label, actor=plan.caller.name)
        caller, decision = plan.caller, plan.decision
        models = review.versions.get("models", {})
        verdicts = [match.verdict for match in decision.matches]
        confirmed, rejected = verdicts.count("confirm"), verdicts.count("reject")
        number = rows.add_opinion(
            connection,
            {
                "review_number": review.number,
                "reviewer": caller.id,
                "reviewer_name": caller.name,
                "stage": review.stage,
                "outcome": plan.outcome,
                "decision": decision.model_dump(mode="json"),
                "overrides": _overrides(review, plan.outcome),
                "confirmed": confirmed,
                "rejected": rejected,
                "detector": models.get("ai_text"),
                "stance": models.get("stance"),
                "language": review.language,
                "at": now,
            },
        )
        rows.change(
            connection,
            review,
            **UNLOCKED,
            state="decided" if plan.final else "open",
            stage=plan.stage,
            decided_at=now if plan.final else None,
            issued_label_id=issued if plan.final and decision.label is not None else review.issued_label_id,
        )
        told = {"outcome": plan.outcome, "label_id": issued, "versions": review.versions}
        kind: Any = "settled" if review.stage == "settle" else "decided"
        rows.add_event(connection, review.number, kind, caller.id, caller.name, opinion=number, detail=told)
        if plan.stage == "settle":
            differing = {"about": list(plan.differences)}
            rows.add_event(connection, review.number, "disagreed", caller.id, caller.name, detail=differing)
        if plan.final:
            data = {"outcome": plan.outcome, "label_id": issued, "confirmed": confirmed, "rejected": rejected}
            publish(connection, "review.decided", {**_told(review), **data})
        audited = {"outcome": plan.outcome, "stage": review.stage, "label_id": issued, "final": plan.final}
        append(connection, "review.decide", review.id, audited)

    def _take_back(
        self,
        connection: Connection,
        read: StoredReview,
        caller: Caller,
        note: str,
        withdrawn: str | None,
    ) -> None:
        now = self._clock()
        review = _as_planned(connection, read)
        must_be_free(review, caller, now)
        opinions = rows.opinions(connection, review.number)
        newest = newest_to_undo(opinions, caller)
        left = len(active(opinions)) - 1
        stage: Stage = "settle" if newest.stage == "settle" else "second" if left else "first"
        rows.undo_opinion(connection, newest.number, now)
        rows.change(
            connection,
            review,
            **UNLOCKED,
            state="open",
            stage=stage,
            decided_at=None,
            issued_label_id=None if withdrawn else review.issued_label_id,
            opinions_wanted=max(review.opinions_wanted, left + 1),
        )
        told = {"note": note} if note else {}
        rows.add_event(
            connection, review.number, "undone", caller.id, caller.name, opinion=newest.number, detail=told
        )
        if review.state == "decided":
            data = {"outcome": newest.outcome, "label_id": withdrawn, "confirmed": 0, "rejected": 0}
            publish(connection, "review.undone", {**_told(review), **data})
        append(connection, "review.undo", review.id, {"label_id": withdrawn})


def _as_planned(connection: Connection, read: StoredReview) -> StoredReview:
    current = rows.for_update(connection, read.id)
    if current is None or current.version != read.version:
        raise _ChangedMeanwhile
    return current


def _outcome(review: StoredReview, decision: ReviewDecision) -> Outcome:
    label = decision.label
    if label is None:
        return "not_judged"
    if label.action == "dismiss":
        return "dismissed"
    if label.involvement is not None:
        return label.involvement
    proposed: Involvement = review.proposed["involvement"]
    if proposed == "unknown":
        raise InvalidInput(
            "The proposal does not say how far AI took part, so it cannot be accepted: say it with `change`.",
            pointer="#/label/action",
        )
    return proposed


def _withdrawn_by_undoing(review: StoredReview, opinions: Sequence[StoredOpinion]) -> str | None:
    """The label that nothing supports once the newest opinion is gone. One that stands while a second opinion
    is wanted stays as long as the first one does.
    """
    supported = review.state != "decided" and len(active(opinions)) > 1
    return None if supported else review.issued_label_id


def _overrides(review: StoredReview, outcome: Outcome) -> bool:
    """Whether a person sets aside what the machine proposed."""
    if outcome == "not_judged":
        return False
    if review.proposed["state"] == "likely_ai_unconfirmed":
        return outcome in ("none", "dismissed")
    proposed: Involvement = review.proposed["involvement"]
    return proposed != "unknown" and outcome != proposed


def _told(review: StoredReview) -> dict[str, Any]:
    return {"review_id": review.id, "article_id": review.article_id, "url": review.url}
