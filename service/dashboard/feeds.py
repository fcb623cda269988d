"""Feeds of verified reporting: their health, refreshing now, adding and removing."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import ValidationError

from index.feeds.content import FEED_KINDS
from service.api.access import requires
from service.api.feeds import FeedInput
from service.api.state import ModelWorkerDep, RequestWorker, Worker
from service.dashboard.flashes import flash
from service.dashboard.forms import faults, read_form
from service.dashboard.i18n import marked
from service.dashboard.pages import Page, PageDep
from service.dashboard.words import FEED_KIND_WORDS
from service.errors import NotFound
from service.feeds import new_feed
from service.feeds.schedule import refresh_now
from service.store.feeds import Feed

router = APIRouter(prefix="/dashboard/feeds", include_in_schema=False)

HERE: Final = "/dashboard/feeds"
FORM_BYTES: Final = 20_000
EVERY: Final = (
    (900, marked("Every quarter of an hour")),
    (3_600, marked("Every hour")),
    (21_600, marked("Every six hours")),
    (86_400, marked("Every day")),
)
ADDED: Final = flash("feed-added", "The feed is added. It is fetched at its next turn.")
REMOVED: Final = flash("feed-removed", "The feed is removed. Its records stay.")
REFRESHED: Final = flash("feed-refreshed", "The feed was refreshed.")
FAILED: Final = flash("feed-failed", "The feed could not be refreshed; the reason stands beside it.", "bad")

FeedId = Annotated[str, Query(alias="id", pattern=r"^[A-Za-z0-9_-]{1,60}$")]


@router.get("", dependencies=[requires("records:read")])
async def feeds(page: PageDep, worker: Worker) -> Response:
    """All feeds, when each was fetched, and what went wrong."""
    return await _show(page, worker, {}, {})


@router.post("", dependencies=[requires("records:write")])
async def add_feed(request: Request, page: PageDep, worker: Worker) -> Response:
    """Add a feed, or change the one at this address."""
    form = await read_form(request, FORM_BYTES)
    given: dict[str, Any] = {
        name: form.text(name) or None for name in ("url", "kind", "publisher", "language")
    }
    given["every_seconds"] = form.text("every_seconds") or 3_600
    given["complete"] = form.ticked("complete")
    try:
        wanted = FeedInput.model_validate(given)
    except ValidationError as error:
        return await _show(page, worker, given, faults(error))
    feed = new_feed(
        wanted.url,
        wanted.kind,
        publisher=wanted.publisher,
        language=wanted.language,
        every_seconds=wanted.every_seconds,
        complete=wanted.complete,
    )
    await worker.read(lambda runtime: runtime.store.feeds.add(feed))
    return page.go(HERE, say=ADDED)


@router.post("/refresh", dependencies=[requires("records:write")])
async def refresh_feed(request: Request, page: PageDep, worker: Worker, models: ModelWorkerDep) -> Response:
    """Fetch a feed now."""
    feed = await _feed(worker, (await read_form(request, FORM_BYTES)).text("id"))
    runtime = worker.runtime
    done = await asyncio.to_thread(refresh_now, models, runtime.store, runtime.settings, feed)
    return page.go(HERE, say=REFRESHED if done.error is None else FAILED)


@router.get("/remove", dependencies=[requires("records:write")])
async def confirm_removal(page: PageDep, worker: Worker, feed_id: FeedId) -> Response:
    """Asks once more."""
    return page.render("feed_remove.html", tab="records", feed=await _feed(worker, feed_id))


@router.post("/remove", dependencies=[requires("records:write")])
async def remove_feed(request: Request, page: PageDep, worker: Worker) -> Response:
    """Remove a feed; its records stay."""
    feed_id = (await read_form(request, FORM_BYTES)).text("id")
    if not await worker.read(lambda runtime: runtime.store.feeds.remove(feed_id)):
        raise NotFound("No feed has this id.")
    return page.go(HERE, say=REMOVED)


async def _feed(worker: RequestWorker, feed_id: str) -> Feed:
    found = await worker.read(lambda runtime: runtime.store.feeds.get(feed_id))
    if found is None:
        raise NotFound("No feed has this id.")
    return found


async def _show(page: Page, worker: RequestWorker, given: dict[str, Any], wrong: Any) -> Response:
    found = await worker.read(lambda runtime: runtime.store.feeds.list())
    return page.render(
        "feeds.html",
        422 if wrong else 200,
        tab="records",
        feeds=found,
        fetching=worker.runtime.settings.fetching,
        given=given,
        wrong=wrong,
        kinds=[(kind, page.gettext(FEED_KIND_WORDS[kind])) for kind in FEED_KINDS],
        every=[(seconds, page.gettext(words)) for seconds, words in EVERY],
        languages=[("", page.gettext(marked("Found from the text"))), *page.language_choices()],
    )
