"""The queue: what waits for a person, filtered and ordered by the address of the page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, TypeVar, get_args
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Query, Request, Response

from service.api.access import CallerDep, requires
from service.api.reviews import CURSOR
from service.api.state import ModelWorkerDep
from service.auth.scopes import Caller
from service.dashboard import queue_words
from service.dashboard.flashes import flash
from service.dashboard.forms import Form, read_form
from service.dashboard.i18n import Formats, marked
from service.dashboard.pages import Page, PageDep
from service.errors import Conflict, InvalidInput
from service.reviews.bulk import MAX_REVIEWS, BulkRequest, carry_out
from service.reviews.model import Kind, Stage, kinds_of
from service.reviews.queue import QueueCounts, count_queue
from service.runtime import Runtime
from service.store.reviews import ReviewFilter, Sort, StoredReview

router = APIRouter(prefix="/dashboard/queue", include_in_schema=False)

T = TypeVar("T")

QUEUE: Final = "/dashboard/queue"
PAGE_SIZE: Final = 50
FORM_BYTES: Final = 100_000
MAX_VIEWS: Final = 30
VIEWS: Final = "queue_views"
FILTERS: Final = ("state", "kind", "stage", "language", "outlet", "mine", "sort")
State = Literal["undecided", "open", "locked", "decided"]

NOTHING_LEFT: Final = flash("queue-empty", "Nothing waits with these filters.", "note")
VIEW_SAVED: Final = flash("view-saved", "The view is saved.")
VIEW_REMOVED: Final = flash("view-removed", "The view is removed.")
NOTHING_CHOSEN: Final = flash("nothing-chosen", "Choose reviews first.", "note")
BULK_WORDS: Final = {
    "lock": marked("Take"),
    "unlock": marked("Give back"),
    "dismiss": marked("No label needed"),
    "second_opinion": marked("Ask another pair of eyes"),
}


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the queue."""

    review: StoredReview
    state: str
    kinds: list[Kind]
    mine: bool


@dataclass(frozen=True, slots=True)
class Chosen:
    """The filters of the address, as they were asked for and as the store takes them."""

    values: dict[str, str]
    wanted: ReviewFilter
    sort: Sort

    @property
    def query(self) -> str:
        """For links that keep the filters."""
        return urlencode(self.values)


def chosen_by(given: dict[str, str], caller: Caller) -> Chosen:
    """Filters from a query; what is impossible is left out, so that an old address still leads to a page."""
    state: Any = given.get("state", "undecided")
    kind: Any = given.get("kind")
    stage: Any = given.get("stage")
    sort: Any = given.get("sort", "risk")
    wanted = ReviewFilter(
        state=state if state in get_args(State) else "undecided",
        stage=stage if stage in get_args(Stage) else None,
        language=given.get("language") or None,
        outlet=given.get("outlet") or None,
        kind=kind if kind in queue_words.KINDS else None,
        lock_owner=caller.id if given.get("mine") else None,
    )
    values = {name: given[name][:200] for name in FILTERS if given.get(name)}
    return Chosen(values, wanted, sort if sort in queue_words.SORTS else "risk")


async def with_runtime(worker: ModelWorkerDep, call: Callable[[Runtime], T]) -> T:
    """Run `call(runtime)` in a thread. Reviews need no model: their pages answer while models still load."""
    return await asyncio.to_thread(call, worker.runtime)


@router.get("", dependencies=[requires("reviews:read")])
async def queue(
    page: PageDep,
    caller: CallerDep,
    worker: ModelWorkerDep,
    after: Annotated[str | None, Query(pattern=CURSOR)] = None,
) -> Response:
    """The queue."""
    chosen = chosen_by(dict(page.request.query_params), caller)
    now = datetime.now(UTC)
    cursor = None
    if after is not None:
        rank, _, number = after.partition("-")
        cursor = (int(rank), int(number))

    def read(runtime: Runtime) -> dict[str, Any]:
        reviews = runtime.store.reviews.page(
            chosen.wanted, sort=chosen.sort, after=cursor, limit=PAGE_SIZE + 1, now=now
        )
        counts = count_queue(runtime.store, now)
        saved = runtime.store.accounts.preferences(caller.id).get(VIEWS, [])
        return {"reviews": reviews, "counts": counts, "views": saved}

    found = await with_runtime(worker, read)
    reviews = found.pop("reviews")
    shown = [
        Item(item, item.state_at(now), kinds_of(item.kinds), item.lock_holder(now) == caller.id)
        for item in reviews[:PAGE_SIZE]
    ]
    more = None
    if len(reviews) > PAGE_SIZE:
        last = reviews[PAGE_SIZE - 1]
        more = page.with_query(after=f"{last.rank}-{last.number}")
    return page.render(
        "queue.html",
        tab="queue",
        words=queue_words,
        items=shown,
        chosen=chosen,
        more=more,
        first=page.with_query(after=None) if after else None,
        offered=_offered(page, found["counts"]),
        done=page.request.query_params.get("done"),
        **found,
    )


def _offered(page: Page, counts: QueueCounts) -> dict[str, list[tuple[str, str]]]:
    """The choices of every filter, with how many reviews each would find."""
    formats = Formats(page.locale)
    everything = ("", page.gettext(marked("All")))

    def told(words: Mapping[str, str]) -> list[tuple[str, str]]:
        return [(code, page.gettext(text)) for code, text in words.items()]

    def counted(found: Mapping[str, int], name: Callable[[str], str]) -> list[tuple[str, str]]:
        return [(code, f"{name(code)} ({formats.number(number)})") for code, number in found.items()]

    return {
        "state": told(queue_words.STATES),
        "kind": [everything, *counted(counts.by_kind, lambda code: page.gettext(queue_words.KINDS[code]))],
        "stage": [everything, *counted(counts.by_stage, lambda code: page.gettext(queue_words.STAGES[code]))],
        "language": [everything, *counted(counts.by_language, formats.language)],
        "outlet": [everything, *counted(counts.by_outlet, str)],
        "sort": told(queue_words.SORTS),
        "bulk": told(BULK_WORDS),
    }


@router.post("/next", dependencies=[requires("reviews:write")])
async def take_next(request: Request, page: PageDep, caller: CallerDep, worker: ModelWorkerDep) -> Response:
    """Take the next free review of the queue and open it."""
    form = await read_form(request, FORM_BYTES)
    return await go_to_next(page, caller, worker, form.text("from"), done=None)


async def go_to_next(
    page: Page, caller: Caller, worker: ModelWorkerDep, filters: str, *, done: str | None
) -> Response:
    """On to the next free review with these filters; to the queue where there is none."""
    chosen = chosen_by(dict(parse_qsl(filters[:2_000])), caller)
    review = await with_runtime(worker, lambda runtime: _take(runtime, chosen, caller, done))
    query = urlencode({"from": chosen.query, **({"done": done} if done else {})})
    if review is None:
        kept = {**chosen.values, **({"done": done} if done else {})}
        return page.go(f"{QUEUE}?{urlencode(kept)}", say=NOTHING_LEFT)
    return page.go(f"/dashboard/reviews/{review.id}?{query}")


def _take(runtime: Runtime, chosen: Chosen, caller: Caller, besides: str | None) -> StoredReview | None:
    wanted = chosen.wanted
    if wanted.state == "decided":
        return None
    free = ReviewFilter("open", wanted.stage, wanted.language, wanted.outlet, wanted.kind)
    now = datetime.now(UTC)
    for review in runtime.store.reviews.page(free, sort=chosen.sort, after=None, limit=20, now=now):
        if review.id == besides or _judged(runtime, review, caller):
            continue
        try:
            return runtime.reviews.lock(review.id, caller)
        except Conflict:
            # Somebody else was faster.
            continue
    return None


def _judged(runtime: Runtime, review: StoredReview, caller: Caller) -> bool:
    """Has the caller given an opinion, so that another person's is wanted?"""
    if review.stage == "first":
        return False
    opinions = runtime.reviews.file(review.id, caller).opinions
    return any(item.reviewer == caller.id and item.undone_at is None for item in opinions)


@router.post("/bulk", dependencies=[requires("reviews:write")])
async def bulk(request: Request, page: PageDep, caller: CallerDep, worker: ModelWorkerDep) -> Response:
    """The same for all chosen reviews: asks once more, then does it and says what became of each."""
    form = await read_form(request, FORM_BYTES)
    ids = list(dict.fromkeys(form.lists.get("id", [])))[:MAX_REVIEWS]
    back = f"{QUEUE}?{chosen_by(dict(parse_qsl(form.text('from')[:2_000])), caller).query}"
    action = form.text("action")
    if not ids or action not in BULK_WORDS:
        return page.go(back, say=NOTHING_CHOSEN)
    titles = await with_runtime(worker, lambda runtime: _titles(runtime, ids))
    if not form.ticked("confirmed"):
        return page.render(
            "queue_bulk.html",
            tab="queue",
            ids=ids,
            titles=titles,
            action=action,
            words=BULK_WORDS,
            form=form,
            back=back,
        )
    wanted = _bulk_request(ids, action, form)
    results = await with_runtime(worker, lambda runtime: carry_out(runtime.reviews, wanted, caller))
    return page.render("queue_bulk_done.html", tab="queue", results=results, titles=titles, back=back)


def _titles(runtime: Runtime, ids: list[str]) -> dict[str, str]:
    """What reviews are called; those that are not there by their ids."""
    titles = dict(zip(ids, ids, strict=True))
    for review_id in ids:
        review = runtime.store.reviews.get(review_id)
        if review is not None:
            titles[review_id] = review.title or review.url or review_id
    return titles


def _bulk_request(ids: list[str], action: str, form: Form) -> BulkRequest:
    fields: dict[str, Any] = {"ids": ids, "action": action, "note": form.text("note")[:2_000]}
    if action == "dismiss":
        fields |= {"action": "decide", "label": {"action": "dismiss"}}
    return BulkRequest.model_validate(fields)


@router.post("/views", dependencies=[requires("reviews:read")])
async def save_view(request: Request, page: PageDep, caller: CallerDep, worker: ModelWorkerDep) -> Response:
    """Keep the filters of the address under a name, or remove a name."""
    form = await read_form(request, FORM_BYTES)
    name = form.text("name")[:60]
    chosen = chosen_by(dict(parse_qsl(form.text("from")[:2_000])), caller)
    if not name or not name.isprintable():
        raise InvalidInput("A view needs a name.", pointer="#/name")

    def write(runtime: Runtime) -> None:
        accounts = runtime.store.accounts
        kept = [view for view in accounts.preferences(caller.id).get(VIEWS, []) if view["name"] != name]
        if not form.ticked("remove"):
            kept.append({"name": name, "query": chosen.query})
        accounts.set_preference(caller.id, VIEWS, kept[-MAX_VIEWS:])

    await with_runtime(worker, write)
    return page.go(f"{QUEUE}?{chosen.query}", say=VIEW_REMOVED if form.ticked("remove") else VIEW_SAVED)
