"""Feeds of verified reporting: add, list, refresh, remove."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from index.feeds import FeedKind
from index.records import Text, WebAddress
from service.api.access import requires
from service.api.idempotency import idempotent
from service.api.problems import responses
from service.api.state import ModelWorkerDep, Worker
from service.articles import LANGUAGE_TAG
from service.errors import NotFound
from service.feeds import new_feed
from service.feeds.schedule import refresh_now
from service.runtime import Runtime
from service.store.feeds import Feed

router = APIRouter(prefix="/v1/feeds", tags=["feeds"])

LEAST_EVERY: Final = 60
MOST_EVERY: Final = 30 * 24 * 3600


class FeedInput(BaseModel):
    """A feed to be kept up to date."""

    model_config = ConfigDict(extra="forbid")

    url: WebAddress
    kind: FeedKind
    publisher: Text | None = Field(None, max_length=500, description="Publisher of items that name none.")
    language: str | None = Field(None, pattern=LANGUAGE_TAG, description="Language of items that name none.")
    every_seconds: int = Field(3600, ge=LEAST_EVERY, le=MOST_EVERY)
    complete: bool = Field(False, description="An answer holds everything: what is missing was taken back.")


class FeedState(FeedInput):
    """A feed and what became of its last refresh."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    id: str
    next_at: datetime
    last_at: datetime | None
    last_error: str | None
    failures: int
    records: int


class FeedList(BaseModel):
    """All feeds in order of their ids."""

    items: list[FeedState]


class FeedResult(BaseModel):
    """What one refresh did; `error` is null where it went well."""

    model_config = ConfigDict(from_attributes=True)

    feed_id: str
    changed: bool
    added: int
    updated: int
    unchanged: int
    removed: int
    duplicates: int
    rejected: list[str]
    error: str | None


FeedId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,60}$")]


@router.post(
    "",
    dependencies=[requires("records:write"), idempotent],
    responses=responses(400, 401, 403, 408, 409, 413, 415, 422, 503),
)
async def put_feed(body: FeedInput, worker: Worker) -> FeedState:
    """Add a feed, or change the one at this address. It is fetched at its next turn."""
    feed = new_feed(
        body.url,
        body.kind,
        publisher=body.publisher,
        language=body.language,
        every_seconds=body.every_seconds,
        complete=body.complete,
    )
    await worker.read(lambda runtime: runtime.store.feeds.add(feed))
    return FeedState.model_validate(feed)


@router.get("", dependencies=[requires("records:read")], responses=responses(401, 403, 503))
async def list_feeds(worker: Worker) -> FeedList:
    """All feeds with their states."""
    found = await worker.read(lambda runtime: runtime.store.feeds.list())
    return FeedList(items=[FeedState.model_validate(feed) for feed in found])


@router.delete(
    "/{feed_id}",
    status_code=204,
    dependencies=[requires("records:write")],
    responses=responses(401, 403, 404, 422, 503),
)
async def delete_feed(feed_id: FeedId, worker: Worker) -> Response:
    """Remove a feed; the records that came from it stay."""
    if not await worker.read(lambda runtime: runtime.store.feeds.remove(feed_id)):
        raise NotFound("No feed has this id.")
    return Response(status_code=204)


@router.post(
    "/{feed_id}/refresh",
    dependencies=[requires("records:write")],
    responses=responses(400, 401, 403, 404, 408, 409, 413, 415, 422, 503),
)
async def refresh_feed(feed_id: FeedId, worker: Worker, models: ModelWorkerDep) -> FeedResult:
    """Fetch a feed now and take in what it holds."""

    def find(runtime: Runtime) -> Feed:
        feed = runtime.store.feeds.get(feed_id)
        if feed is None:
            raise NotFound("No feed has this id.")
        return feed

    feed = await worker.read(find)
    runtime = worker.runtime
    return FeedResult.model_validate(
        await asyncio.to_thread(refresh_now, models, runtime.store, runtime.settings, feed)
    )
