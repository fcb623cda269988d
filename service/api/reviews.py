"""Reviews: the queue of what a person has to look at, and what persons decide."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime

from service.api.access import CallerDep, requires
from service.api.etags import IfMatch, etag, version_of
from service.api.idempotency import idempotent
from service.api.problems import responses
from service.api.review_views import (
    AgreementReport,
    AgreementView,
    HistoryEntry,
    Opinion,
    Request,
    Review,
    ReviewDetail,
    ReviewPage,
    VersionOverrides,
    shown,
)
from service.api.state import ModelWorkerDep
from service.reviews.agreement import Agreement, agreement_by_language
from service.reviews.bulk import BulkRequest, BulkResult, carry_out
from service.reviews.desk import ReviewDesk, ReviewFile
from service.reviews.export import export
from service.reviews.model import (
    Kind,
    ReviewDecision,
    ReviewState,
    Stage,
)
from service.reviews.queue import QueueCounts, count_queue
from service.store.reviews import ReviewFilter, StoredReview

router = APIRouter(prefix="/v1/reviews", tags=["reviews"])
T = TypeVar("T")

NDJSON = "application/x-ndjson"
ReviewId = Annotated[str, Path(max_length=36, examples=["rev_5f0c1d2e3b4a59687786f5e4"])]
CURSOR = r"^[0-9]{1,5}-[0-9]{1,18}$"


async def _at_desk(worker: ModelWorkerDep, call: Callable[[ReviewDesk], T]) -> T:
    """Run `call(desk)` in a thread. Reviews need no model, so they answer while models still load."""
    return await asyncio.to_thread(lambda: call(worker.runtime.reviews))


def _tagged(review: StoredReview, response: Response) -> Review:
    response.headers["ETag"] = etag(review.version)
    return Review.model_validate(shown(review, datetime.now(UTC)))


def _detail(file: ReviewFile) -> ReviewDetail:
    opinions = [Opinion.model_validate(opinion, from_attributes=True) for opinion in file.opinions]
    return ReviewDetail(
        **Review.model_validate(shown(file.review, datetime.now(UTC))).model_dump(),
        opinions=opinions,
        hidden_opinions=file.hidden,
    )


@router.get("", dependencies=[requires("reviews:read")], responses=responses(401, 403, 422, 503))
async def list_reviews(
    worker: ModelWorkerDep,
    caller: CallerDep,
    state: Annotated[
        ReviewState | Literal["undecided"] | None, Query(description="undecided: open or locked.")
    ] = "undecided",
    stage: Annotated[Stage | None, Query()] = None,
    language: Annotated[str | None, Query(max_length=35)] = None,
    outlet: Annotated[str | None, Query(max_length=200)] = None,
    kind: Annotated[Kind | None, Query()] = None,
    mine: Annotated[bool, Query(description="Only those that the caller has taken.")] = False,
    sort: Annotated[Literal["risk", "age"], Query()] = "risk",
    after: Annotated[
        str | None, Query(pattern=CURSOR, description="`next` of the page before, with the same filters.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ReviewPage:
    """The queue, page by page: the riskiest first, or the oldest."""
    owner = caller.id if mine else None
    wanted = ReviewFilter(state, stage, language, outlet, kind, owner)
    cursor = None
    if after is not None:
        rank, _, number = after.partition("-")
        cursor = (int(rank), int(number))
    now = datetime.now(UTC)
    store = worker.runtime.store
    found = await asyncio.to_thread(
        lambda: store.reviews.page(wanted, sort=sort, after=cursor, limit=limit + 1, now=now)
    )
    page = found[:limit]
    last = f"{page[-1].rank}-{page[-1].number}" if len(found) > limit else None
    return ReviewPage(items=[Review.model_validate(shown(item, now)) for item in page], next=last)


@router.get("/counts", dependencies=[requires("reviews:read")], responses=responses(401, 403, 503))
async def count_reviews(worker: ModelWorkerDep) -> QueueCounts:
    """How many reviews wait, by kind, language, outlet and stage."""
    store = worker.runtime.store
    return await asyncio.to_thread(count_queue, store, datetime.now(UTC))


@router.get("/agreement", dependencies=[requires("reviews:read")], responses=responses(401, 403, 422, 503))
async def get_agreement(
    worker: ModelWorkerDep, since: Annotated[AwareDatetime | None, Query()] = None
) -> AgreementReport:
    """How far reviewers agree with each other by language, and how often they override which model."""
    store = worker.runtime.store

    def read() -> AgreementReport:
        everything, by_language = agreement_by_language(store.reviews.double_judged(since))
        return AgreementReport(
            all=_agreement(everything),
            by_language={code: _agreement(found) for code, found in by_language.items()},
            overrides=[
                VersionOverrides.model_validate(row, from_attributes=True)
                for row in store.reviews.overrides(since)
            ],
        )

    return await asyncio.to_thread(read)


def _agreement(found: Agreement) -> AgreementView:
    return AgreementView.model_validate(found, from_attributes=True)


@router.get(
    "/export",
    dependencies=[requires("reviews:settle")],
    response_class=StreamingResponse,
    responses={200: {"content": {NDJSON: {}}}, **responses(401, 403, 422, 503)},
)
async def export_reviews(
    worker: ModelWorkerDep,
    texts: Annotated[bool, Query(description="With article and claims, as far as they are kept.")] = True,
) -> StreamingResponse:
    """Every decided review with its opinions as JSON Lines, to train with; reviewers by a pseudonym."""
    store = worker.runtime.store

    def lines() -> Iterator[str]:
        for line in export(store, texts=texts):
            yield json.dumps(line, ensure_ascii=False) + "\n"

    return StreamingResponse(lines(), media_type=NDJSON)


@router.post(
    "/bulk",
    dependencies=[requires("reviews:write"), idempotent],
    responses=responses(400, 401, 403, 408, 409, 413, 415, 422, 503),
)
async def change_many_reviews(
    body: BulkRequest, worker: ModelWorkerDep, caller: CallerDep
) -> list[BulkResult]:
    """The same for many reviews, each by itself: one that is refused does not stop the others."""
    return await _at_desk(worker, lambda desk: carry_out(desk, body, caller))


@router.get(
    "/{review_id}", dependencies=[requires("reviews:read")], responses=responses(401, 403, 404, 422, 503)
)
async def get_review(
    review_id: ReviewId, worker: ModelWorkerDep, caller: CallerDep, response: Response
) -> ReviewDetail:
    """One review, with the opinions that the caller may see."""
    file = await _at_desk(worker, lambda desk: desk.file(review_id, caller))
    response.headers["ETag"] = etag(file.review.version)
    return _detail(file)


@router.get(
    "/{review_id}/history",
    dependencies=[requires("reviews:read")],
    responses=responses(401, 403, 404, 422, 503),
)
async def get_review_history(
    review_id: ReviewId, worker: ModelWorkerDep, caller: CallerDep
) -> list[HistoryEntry]:
    """Everything that happened to a review, oldest first; who decided with which versions of the models."""
    file = await _at_desk(worker, lambda desk: desk.file(review_id, caller))
    return [HistoryEntry.model_validate(event, from_attributes=True) for event in file.events]


@router.post(
    "/{review_id}/lock",
    dependencies=[requires("reviews:write")],
    responses=responses(401, 403, 404, 409, 412, 422, 503),
)
async def lock_review(
    review_id: ReviewId,
    worker: ModelWorkerDep,
    caller: CallerDep,
    response: Response,
    if_match: IfMatch = None,
) -> Review:
    """Take a review, so that nobody else works on it; again, to keep it for longer. It ends by itself."""
    version = version_of(if_match)
    return _tagged(
        await _at_desk(worker, lambda desk: desk.lock(review_id, caller, version=version)), response
    )


@router.delete(
    "/{review_id}/lock",
    dependencies=[requires("reviews:write")],
    responses=responses(401, 403, 404, 412, 422, 503),
)
async def unlock_review(
    review_id: ReviewId,
    worker: ModelWorkerDep,
    caller: CallerDep,
    response: Response,
    if_match: IfMatch = None,
) -> Review:
    """Give a review back undecided."""
    version = version_of(if_match)
    return _tagged(
        await _at_desk(worker, lambda desk: desk.unlock(review_id, caller, version=version)), response
    )


@router.post(
    "/{review_id}/decision",
    dependencies=[requires("reviews:write"), idempotent],
    responses=responses(400, 401, 403, 404, 408, 409, 412, 413, 415, 422, 503),
)
async def decide_review(
    review_id: ReviewId,
    body: ReviewDecision,
    worker: ModelWorkerDep,
    caller: CallerDep,
    response: Response,
    if_match: IfMatch = None,
) -> Review:
    """Decide: about the label, which is then issued and signed, about matches, or both."""
    version = version_of(if_match)
    return _tagged(
        await _at_desk(worker, lambda desk: desk.decide(review_id, body, caller, version=version)), response
    )


@router.post(
    "/{review_id}/undo",
    dependencies=[requires("reviews:write"), idempotent],
    responses=responses(400, 401, 403, 404, 408, 409, 412, 413, 415, 422, 503),
)
async def undo_review(
    review_id: ReviewId,
    worker: ModelWorkerDep,
    caller: CallerDep,
    response: Response,
    body: Request | None = None,
    if_match: IfMatch = None,
) -> Review:
    """Take back the newest opinion. A label that it issued is revoked, and the review is open again."""
    version, note = version_of(if_match), body.note if body is not None else ""
    return _tagged(
        await _at_desk(worker, lambda desk: desk.undo(review_id, caller, note, version=version)), response
    )


@router.post(
    "/{review_id}/second-opinion",
    dependencies=[requires("reviews:write"), idempotent],
    responses=responses(400, 401, 403, 404, 408, 409, 412, 413, 415, 422, 503),
)
async def ask_second_opinion(
    review_id: ReviewId,
    worker: ModelWorkerDep,
    caller: CallerDep,
    response: Response,
    body: Request | None = None,
    if_match: IfMatch = None,
) -> Review:
    """Ask for another pair of eyes. Who judges second does not see the first opinion before."""
    version, note = version_of(if_match), body.note if body is not None else ""
    return _tagged(
        await _at_desk(worker, lambda desk: desk.second_opinion(review_id, caller, note, version=version)),
        response,
    )
