"""What holds for every change of a review."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from service.auth.scopes import Caller
from service.errors import Conflict, Forbidden, NotFound, PreconditionFailed
from service.store.reviews import StoredOpinion, StoredReview

# Who may settle what two reviewers judged differently, and look after the work of others.
SETTLE: Final = "reviews:settle"
UNLOCKED: Final[dict[str, Any]] = {"lock_owner": None, "lock_name": None, "lock_until": None}


def active(opinions: Sequence[StoredOpinion]) -> list[StoredOpinion]:
    """Opinions that were not undone."""
    return [opinion for opinion in opinions if opinion.undone_at is None]


def newest_to_undo(opinions: Sequence[StoredOpinion], caller: Caller) -> StoredOpinion:
    """The newest opinion, if `caller` may undo it. Raises Conflict, Forbidden."""
    counting = active(opinions)
    if not counting:
        raise Conflict("There is nothing to undo.")
    newest = counting[-1]
    if newest.reviewer != caller.id and SETTLE not in caller.scopes:
        raise Forbidden("The newest opinion is another person's; they may undo it, or an editor.")
    return newest


def must_be_version(review: StoredReview, version: int | None) -> None:
    """Raises PreconditionFailed where a caller has read another version."""
    if version is not None and review.version != version:
        raise changed()


def changed() -> PreconditionFailed:
    """The refusal of a change to what was changed meanwhile."""
    return PreconditionFailed("The review was changed since you read it; read it again.")


def must_be_free(review: StoredReview, caller: Caller, now: datetime) -> None:
    """Raises Conflict where somebody else works on it."""
    holder = review.lock_holder(now)
    if holder is not None and holder != caller.id:
        raise Conflict(f"{review.lock_name} works on it.")


def present(review: StoredReview | None) -> StoredReview:
    """A review that is there. Raises NotFound."""
    if review is None:
        raise NotFound("No review has this id.")
    return review
