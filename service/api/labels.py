"""Labels: propose and issue them, read them in every form, withdraw them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from index.records import Text
from service.api.access import CallerDep, public, requires
from service.api.idempotency import idempotent
from service.api.problems import responses
from service.api.state import ModelWorkerDep
from service.errors import NotFound
from service.labels.document import LabelDocument
from service.labels.history import LabelEvent
from service.labels.issuing import LabelDesk, document_of, is_public
from service.labels.model import (
    Basis,
    Conflict,
    Evidence,
    HumanReview,
    Involvement,
    ReviewReason,
    State,
    Status,
)
from service.labels.rendering import Encodings, badge_svg, encodings_of, qr_svg
from service.labels.request import LabelRequest
from service.labels.wording import LOCALES, badge, best_locale, sentence
from service.store.labels import StoredLabel

router = APIRouter(prefix="/v1/labels", tags=["labels"])
T = TypeVar("T")

SVG = "image/svg+xml"
C2PA = "application/c2pa"
JOSE = "application/jose"
# A picture that somebody opens by itself must run nothing.
SVG_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}
LabelId = Annotated[str, Path(max_length=100, description="Id of a label, with or without `urn:uuid:`.")]
Locale = Annotated[str | None, Query(max_length=35, description=f"One of {', '.join(LOCALES)}.")]


class Display(BaseModel):
    """What people read, in the language of the content."""

    language: str
    badge: str
    sentence: str


class LabelView(BaseModel):
    """A label with everything about it."""

    id: str
    version: int
    status: Status
    status_reason: str | None
    state: State
    involvement: Involvement
    human_review: HumanReview
    basis: Basis
    review_reasons: list[ReviewReason] = Field(description="Why a person should look; empty: no need.")
    url: str | None
    article_id: str | None
    language: str | None
    supersedes: str | None
    superseded_by: str | None
    valid_to: datetime | None
    created_at: datetime
    updated_at: datetime
    document: LabelDocument = Field(description="What is signed, once the label is in force.")
    jws: str | None
    kid: str | None
    page: str | None = Field(description="Address of the reader page; null for a label that is not public.")
    display: Display
    encodings: Encodings | None = Field(
        description="Null unless the label is confirmed and in force: nothing else is ever marked."
    )


class LabelPage(BaseModel):
    """Labels in order of their ids."""

    items: list[LabelView]
    next: str | None = Field(description="Pass as `after` to get the next page; null on the last one.")


class ProposedLabel(BaseModel):
    """What a request would be labelled as. Nothing is stored."""

    state: State
    involvement: Involvement
    human_review: HumanReview
    basis: Basis
    status: Status = Field(description="active: it may be issued as it stands.")
    conflict: Conflict | None
    review_reasons: list[ReviewReason]
    evidence: list[Evidence]
    display: Display


class Revocation(BaseModel):
    """Why a label is withdrawn, and by whom."""

    model_config = ConfigDict(extra="forbid")

    reason: Text = Field(min_length=1, max_length=2_000)
    by: Text | None = Field(None, max_length=200, description="The person; the key's name by default.")


class PageToLabel(BaseModel):
    """A page to write a label into."""

    model_config = ConfigDict(extra="forbid")

    html: Text = Field(min_length=1)


class LabelledPage(BaseModel):
    """The page as it has to be published, byte for byte: the manifest is bound to it."""

    html: str
    manifest_url: str


async def at_desk(worker: ModelWorkerDep, call: Callable[[LabelDesk], T]) -> T:
    """Run `call(desk)` in a thread. Labels need no model, so they answer while models still load."""
    return await asyncio.to_thread(lambda: call(worker.runtime.labels))


def display(state: State, review: HumanReview, language: str | None) -> Display:
    locale = best_locale([language or ""])
    return Display(
        language=locale, badge=badge(state, review, locale), sentence=sentence(state, review, locale)
    )


def view(desk: LabelDesk, label: StoredLabel) -> LabelView:
    return LabelView(
        **{
            name: getattr(label, name)
            for name in LabelView.model_fields
            if name not in ("status", "document", "page", "display", "encodings")
        },
        status=label.status_at(datetime.now(UTC)),
        document=document_of(label),
        page=desk.page_url(label.id) if is_public(label) else None,
        display=display(label.state, label.human_review, label.language),
        encodings=encodings_of(desk, label),
    )


def public_label(desk: LabelDesk, label_id: str) -> StoredLabel:
    """A label that readers may see. Raises NotFound for any other."""
    label = desk.require(label_id)
    if not is_public(label):
        raise NotFound("No label has this id.")
    return label


@router.post(
    "",
    status_code=201,
    dependencies=[requires("labels:write"), idempotent],
    responses=responses(400, 401, 403, 404, 408, 409, 413, 415, 422, 503),
)
async def create_label(
    body: LabelRequest, worker: ModelWorkerDep, caller: CallerDep, response: Response
) -> LabelView:
    """Label content. It is signed and in force at once if the evidence allows; else it waits for a reviewer
    as `draft` or `disputed`, and readers see nothing of it.
    """
    if body.actor == LabelRequest.model_fields["actor"].default:
        body = body.model_copy(update={"actor": caller.name})
    found = await at_desk(worker, lambda desk: view(desk, desk.issue(body)))
    response.headers["Location"] = f"/v1/labels/{found.id}"
    return found


@router.post(
    "/propose",
    dependencies=[requires("labels:read")],
    responses=responses(400, 401, 403, 404, 408, 413, 415, 422, 503),
)
async def propose_label(body: LabelRequest, worker: ModelWorkerDep) -> ProposedLabel:
    """What the same request to `POST /v1/labels` would come to, and why. Nothing is stored."""
    draft = await at_desk(worker, lambda desk: desk.prepare(body))
    found = draft.proposal
    return ProposedLabel(
        state=found.state,
        involvement=found.involvement,
        human_review=found.human_review,
        basis=found.basis,
        status=found.status,
        conflict=found.conflict,
        review_reasons=list(found.review_reasons),
        evidence=list(found.evidence),
        display=display(found.state, found.human_review, draft.request.language),
    )


@router.get("", dependencies=[requires("labels:read")], responses=responses(401, 403, 422, 503))
async def list_labels(
    worker: ModelWorkerDep,
    status: Annotated[Status | None, Query()] = None,
    after: Annotated[str | None, Query(max_length=100, description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> LabelPage:
    """Labels page by page; `status=disputed` and `status=draft` are those that wait for a reviewer."""

    def read(desk: LabelDesk) -> LabelPage:
        found = list(desk.store.labels.list(status, after, limit + 1))
        page = found[:limit]
        items = [view(desk, label) for label in page]
        return LabelPage(items=items, next=page[-1].id if len(found) > limit else None)

    return await at_desk(worker, read)


@router.get(
    "/{label_id}.jws",
    dependencies=[public],
    response_class=Response,
    responses={200: {"content": {JOSE: {}}}, **responses(404, 422, 503)},
)
async def get_signed_label(label_id: LabelId, worker: ModelWorkerDep) -> Response:
    """The signed label, as a compact JWS."""
    label = await at_desk(worker, lambda desk: public_label(desk, label_id))
    return Response(label.jws, media_type=JOSE)


@router.get(
    "/{label_id}.c2pa",
    dependencies=[public],
    response_class=Response,
    responses={200: {"content": {C2PA: {}}}, **responses(404, 422, 503)},
)
async def get_manifest(label_id: LabelId, worker: ModelWorkerDep) -> Response:
    """The newest C2PA manifest of the label, to lie beside the content."""

    def read(desk: LabelDesk) -> bytes:
        found = desk.store.labels.manifest(public_label(desk, label_id).id)
        if found is None:
            raise NotFound("This label has no manifest.")
        return found.manifest

    return Response(await at_desk(worker, read), media_type=C2PA)


@router.get(
    "/{label_id}/badge.svg",
    dependencies=[public],
    response_class=Response,
    responses={200: {"content": {SVG: {}}}, **responses(404, 422, 503)},
)
async def get_badge(label_id: LabelId, worker: ModelWorkerDep, lang: Locale = None) -> Response:
    """The one line of a label in force, as a picture."""

    def read(desk: LabelDesk) -> str:
        label = public_label(desk, label_id)
        if label.status_at(datetime.now(UTC)) != "active":
            raise NotFound("This label is no longer in force.")
        return badge_svg(document_of(label), best_locale([lang or label.language or ""]))

    return Response(await at_desk(worker, read), media_type=SVG, headers=SVG_HEADERS)


@router.get(
    "/{label_id}/qr.svg",
    dependencies=[public],
    response_class=Response,
    responses={200: {"content": {SVG: {}}}, **responses(404, 422, 503)},
)
async def get_qr(label_id: LabelId, worker: ModelWorkerDep) -> Response:
    """A QR code that opens the reader page."""
    address = await at_desk(worker, lambda desk: desk.page_url(public_label(desk, label_id).id))
    return Response(qr_svg(address), media_type=SVG, headers=SVG_HEADERS)


@router.get(
    "/{label_id}/history",
    dependencies=[requires("labels:read")],
    responses=responses(401, 403, 404, 422, 503),
)
async def get_label_history(label_id: LabelId, worker: ModelWorkerDep) -> list[LabelEvent]:
    """Everything that happened to a label, oldest first; each event holds the hash of the one before it."""
    return await at_desk(worker, lambda desk: list(desk.store.labels.history(desk.require(label_id).id)))


@router.post(
    "/{label_id}/revoke",
    dependencies=[requires("labels:write"), idempotent],
    responses=responses(400, 401, 403, 404, 408, 409, 413, 415, 422, 503),
)
async def revoke_label(
    label_id: LabelId, body: Revocation, worker: ModelWorkerDep, caller: CallerDep
) -> LabelView:
    """Withdraw a label for good. Its page and `POST /v1/verify` say so from then on."""
    actor = body.by or caller.name

    def revoke(desk: LabelDesk) -> LabelView:
        label = desk.require(label_id)
        return view(desk, desk.revoke(label.id, actor=actor, reason=body.reason))

    return await at_desk(worker, revoke)


@router.post(
    "/{label_id}/embed",
    dependencies=[requires("labels:write")],
    responses=responses(400, 401, 403, 404, 408, 409, 413, 415, 422, 503),
)
async def embed_label(label_id: LabelId, body: PageToLabel, worker: ModelWorkerDep) -> LabelledPage:
    """The page with the label in it: badge, meta element, attribute, JSON-LD, manifest link. The C2PA
    manifest kept for the label is then bound to that very page.
    """

    def embed(desk: LabelDesk) -> LabelledPage:
        label = desk.require(label_id)
        page = desk.embed(label.id, body.html)
        return LabelledPage(html=page, manifest_url=desk.manifest_url(label.id))

    return await at_desk(worker, embed)


@router.get(
    "/{label_id}", dependencies=[requires("labels:read")], responses=responses(401, 403, 404, 422, 503)
)
async def get_label(label_id: LabelId, worker: ModelWorkerDep) -> LabelView:
    """One label, in force or not."""
    return await at_desk(worker, lambda desk: view(desk, desk.require(label_id)))
