"""One review: the article on the left, the evidence on the right, what was decided and what happened."""

from __future__ import annotations

from typing import Annotated, Any, Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Path, Response

from service.analysis_models import Analysis
from service.api.access import CallerDep, requires
from service.api.state import ModelWorkerDep
from service.auth.scopes import Caller
from service.dashboard import queue_words
from service.dashboard.analysis_view import analysis_view
from service.dashboard.decide_keys import keys_of
from service.dashboard.pages import Page, PageDep
from service.dashboard.queue import QUEUE, chosen_by, with_runtime
from service.labels.issuing import document_of, is_public
from service.labels.model import Evidence
from service.labels.rendering import encodings_of
from service.reviews.desk import ReviewFile
from service.reviews.model import kinds_of
from service.reviews.rules import SETTLE
from service.runtime import Runtime

router = APIRouter(prefix="/dashboard/reviews", include_in_schema=False)

ReviewId = Annotated[str, Path(max_length=36)]
# Evidence that a reviewer who says less AI has to set aside by name, see `service.labels.precedence`.
_STATING: Final = frozenset(
    {"provenance_signed", "watermark", "author_declared", "cms_recorded", "metadata_unsigned"}
)

_NOTHING_GIVEN: Final[dict[str, Any]] = {
    "choice": "",
    "human_review": "unknown",
    "note": "",
    "overrides": (),
    "match": (),
    "advance": True,
}


@router.get("/{review_id}", dependencies=[requires("reviews:read")])
async def review(page: PageDep, review_id: ReviewId, caller: CallerDep, worker: ModelWorkerDep) -> Response:
    """Everything about one review, and the form that decides it."""
    return await show(page, review_id, caller, worker)


async def show(
    page: Page,
    review_id: str,
    caller: Caller,
    worker: ModelWorkerDep,
    *,
    status: int = 200,
    wrong: str | None = None,
    given: dict[str, Any] | None = None,
) -> Response:
    """The page; after a form that was not taken with what is wrong, and with what was filled in."""
    context = await with_runtime(worker, lambda runtime: _read(runtime, review_id, caller, page.locale))
    filters = chosen_by(dict(parse_qsl(page.request.query_params.get("from", "")[:2_000])), caller)
    return page.render(
        "review.html",
        status,
        tab="queue",
        words=queue_words,
        filters=filters,
        queue=f"{QUEUE}?{filters.query}" if filters.query else QUEUE,
        done=page.request.query_params.get("done"),
        wrong=wrong,
        given={**_NOTHING_GIVEN, **(given or {})},
        **context,
    )


def _read(runtime: Runtime, review_id: str, caller: Caller, locale: str) -> dict[str, Any]:
    file = runtime.reviews.file(review_id, caller)
    found = file.review
    now = runtime.reviews.now()
    store = runtime.store
    stored = store.articles.analysis(found.article_id) if found.article_id else None
    article = store.articles.get(found.article_id) if found.article_id else None
    analysis = Analysis.model_validate(stored) if stored is not None else None
    text = None
    if analysis is not None and analysis.text_dropped_at is None and article is not None:
        text = article.text
    evidence = _evidence(runtime, analysis, found.label_id)
    return {
        "file": file,
        "review": found,
        "state": found.state_at(now),
        "kinds": kinds_of(found.kinds),
        "holder": found.lock_name if found.lock_holder(now) not in (None, caller.id) else None,
        "mine": found.lock_holder(now) == caller.id,
        "may_decide": _may_decide(file, caller),
        "may_undo": _may_undo(file, caller),
        "view": analysis_view(analysis, text, locale) if analysis is not None else None,
        "evidence": evidence,
        "to_set_aside": [item for item in evidence if item.outcome == "ai" and item.basis in _STATING],
        "label": _label(runtime, found.issued_label_id),
        "keys": keys_of(store.accounts.preferences(caller.id)),
    }


def _evidence(runtime: Runtime, analysis: Analysis | None, label_id: str | None) -> list[Evidence]:
    """What was weighed, by the label that waits, or else by the analysis."""
    if label_id is not None:
        return list(document_of(runtime.labels.require(label_id)).evidence)
    return list(analysis.origin.label.evidence) if analysis is not None and analysis.origin else []


def _may_decide(file: ReviewFile, caller: Caller) -> bool:
    review = file.review
    if review.state == "decided" or "reviews:write" not in caller.scopes:
        return False
    if review.stage == "settle":
        return SETTLE in caller.scopes
    return not any(item.reviewer == caller.id and item.undone_at is None for item in file.opinions)


def _may_undo(file: ReviewFile, caller: Caller) -> bool:
    active = [item for item in file.opinions if item.undone_at is None]
    if not active or file.hidden or "reviews:write" not in caller.scopes:
        return False
    return active[-1].reviewer == caller.id or SETTLE in caller.scopes


def _label(runtime: Runtime, label_id: str | None) -> dict[str, Any] | None:
    """The issued label with what can be copied of it."""
    if label_id is None:
        return None
    desk = runtime.labels
    label = desk.require(label_id)
    encodings = encodings_of(desk, label)
    snippet = None
    if encodings is not None:
        parts = (encodings.html.meta, encodings.html.link, encodings.html.badge)
        snippet = "\n".join(part for part in parts if part)
    return {
        "label": label,
        "page": f"/l/{label.id}" if is_public(label) else None,
        "address": desk.page_url(label.id),
        "snippet": snippet,
    }
