"""Deciding a review: plain form posts, each of which may be sent twice and counts once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from service.api.access import CallerDep, requires
from service.api.state import ModelWorkerDep
from service.auth.scopes import Caller
from service.dashboard.article import ReviewId, show
from service.dashboard.flashes import flash
from service.dashboard.forms import Form, read_form
from service.dashboard.i18n import marked
from service.dashboard.pages import Page, PageDep
from service.dashboard.queue import go_to_next, with_runtime
from service.errors import Conflict, Forbidden, InvalidInput, PreconditionFailed
from service.labels.precedence import UncitedEvidenceError
from service.reviews.desk import ReviewDesk
from service.reviews.model import ReviewDecision
from service.runtime import Runtime

router = APIRouter(prefix="/dashboard/reviews", include_in_schema=False)

FORM_BYTES: Final = 500_000
# A select for each match of each claim.
MAX_FIELDS: Final = 3_000
DECIDED: Final = flash("review-decided", "Decided.")
GIVEN: Final = flash("opinion-given", "Your opinion is recorded; a second person's is wanted.")
UNDONE: Final = flash("review-undone", "Undone. A label that was issued is revoked.")
TAKEN: Final = flash("review-taken", "The review is yours for now.")
GIVEN_BACK: Final = flash("review-given-back", "The review is free again.")
ASKED: Final = flash("second-asked", "Another pair of eyes is asked for.")
CHOOSE: Final = marked("Choose what becomes of the label, or judge a match.")
SET_ASIDE: Final = marked(
    "The evidence says more AI than you do. Tick what you set aside, and say why in the note."
)
MEANWHILE: Final = marked(
    "This review was changed after you opened it. Look again; what you filled in is kept."
)


@router.post("/{review_id}/decide", dependencies=[requires("reviews:write")])
async def decide(
    request: Request, page: PageDep, review_id: ReviewId, caller: CallerDep, worker: ModelWorkerDep
) -> Response:
    """Take an opinion, and go on to the next review if that is wanted."""
    form = await read_form(request, FORM_BYTES, max_fields=MAX_FIELDS)
    given = {
        **form.values,
        "match": form.lists.get("match", []),
        "overrides": form.lists.get("overrides", []),
        "advance": form.ticked("advance"),
    }

    async def again(status: int, wrong: str) -> Response:
        return await show(page, review_id, caller, worker, status=status, wrong=wrong, given=given)

    try:
        decision = _decision(form)
    except ValidationError:
        return await again(422, page.gettext(CHOOSE))
    try:
        final = await with_runtime(
            worker, lambda runtime: _decide(runtime, review_id, decision, caller, _version(form))
        )
    except UncitedEvidenceError:
        return await again(422, page.gettext(SET_ASIDE))
    except PreconditionFailed:
        return await again(412, page.gettext(MEANWHILE))
    except (Conflict, Forbidden, InvalidInput) as error:
        return await again(error.status, error.detail)
    if form.ticked("advance"):
        return await go_to_next(page, caller, worker, form.text("from"), done=review_id)
    return page.go(_here(review_id, form), say=DECIDED if final else GIVEN)


def _decide(
    runtime: Runtime, review_id: str, decision: ReviewDecision, caller: Caller, version: int | None
) -> bool:
    desk = runtime.reviews
    try:
        return desk.decide(review_id, decision, caller, version=version).state == "decided"
    except (Conflict, PreconditionFailed):
        # The same form, sent twice: its answer was lost on the way, what it said was not.
        file = desk.file(review_id, caller)
        mine = [item for item in file.opinions if item.reviewer == caller.id and item.undone_at is None]
        if mine and mine[-1].decision == decision.model_dump(mode="json"):
            return file.review.state == "decided"
        raise


@router.post("/{review_id}/undo", dependencies=[requires("reviews:write")])
async def undo(
    request: Request, page: PageDep, review_id: ReviewId, caller: CallerDep, worker: ModelWorkerDep
) -> Response:
    """Take back the newest opinion and open the review again."""
    form = await read_form(request, FORM_BYTES)
    note = form.text("note")[:2_000]
    return await _act(
        page, review_id, caller, worker, form, UNDONE, lambda desk: desk.undo(review_id, caller, note)
    )


@router.post("/{review_id}/second", dependencies=[requires("reviews:write")])
async def second(
    request: Request, page: PageDep, review_id: ReviewId, caller: CallerDep, worker: ModelWorkerDep
) -> Response:
    """Ask for another pair of eyes."""
    form = await read_form(request, FORM_BYTES)
    note = form.text("note")[:2_000]
    return await _act(
        page,
        review_id,
        caller,
        worker,
        form,
        ASKED,
        lambda desk: desk.second_opinion(review_id, caller, note),
    )


@router.post("/{review_id}/lock", dependencies=[requires("reviews:write")])
async def lock(
    request: Request, page: PageDep, review_id: ReviewId, caller: CallerDep, worker: ModelWorkerDep
) -> Response:
    """Take the review."""
    form = await read_form(request, FORM_BYTES)
    return await _act(page, review_id, caller, worker, form, TAKEN, lambda desk: desk.lock(review_id, caller))


@router.post("/{review_id}/unlock", dependencies=[requires("reviews:write")])
async def unlock(
    request: Request, page: PageDep, review_id: ReviewId, caller: CallerDep, worker: ModelWorkerDep
) -> Response:
    """Give the review back."""
    form = await read_form(request, FORM_BYTES)
    return await _act(
        page, review_id, caller, worker, form, GIVEN_BACK, lambda desk: desk.unlock(review_id, caller)
    )


async def _act(
    page: Page,
    review_id: str,
    caller: Caller,
    worker: ModelWorkerDep,
    form: Form,
    said: str,
    act: Callable[[ReviewDesk], Any],
) -> Response:
    try:
        await with_runtime(worker, lambda runtime: act(runtime.reviews))
    except (Conflict, Forbidden) as error:
        return await show(page, review_id, caller, worker, status=error.status, wrong=error.detail)
    return page.go(_here(review_id, form), say=said)


def _here(review_id: str, form: Form) -> str:
    kept = form.text("from")[:2_000]
    address = f"/dashboard/reviews/{review_id}"
    return f"{address}?{urlencode({'from': kept})}" if kept else address


def _version(form: Form) -> int | None:
    sent = form.text("version")
    return int(sent) if sent.isdecimal() and len(sent) < 10 else None


def _decision(form: Form) -> ReviewDecision:
    """Raises ValidationError."""
    choice = form.text("choice")
    label: dict[str, Any] | None = None
    if choice in ("accept", "dismiss"):
        label = {"action": choice}
    elif choice not in ("", "skip"):
        label = {"action": "change", "involvement": choice}
    if label is not None and choice != "dismiss":
        label |= {
            "human_review": form.text("human_review") or None,
            "overrides": form.lists.get("overrides", []),
        }
    matches = [_match(value) for value in form.lists.get("match", []) if value]
    return ReviewDecision.model_validate({"label": label, "matches": matches, "note": form.text("note")})


def _match(value: str) -> dict[str, Any]:
    """`claim_start record_id verdict [stance]`; of these only the id can hold spaces."""
    start, _, rest = value.partition(" ")
    words = rest.rsplit(" ", 2)
    if words[-1] in ("confirm", "reject"):
        record_id, verdict, stance = rest[: -len(words[-1]) - 1], words[-1], None
    else:
        record_id, verdict, stance = words[0], words[-2] if len(words) > 1 else "", words[-1]
    return {"claim_start": start, "record_id": record_id, "verdict": verdict, "stance": stance}
