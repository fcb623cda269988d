"""Verified records: add or update, read, list, delete."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Body, Query, Response
from pydantic import BaseModel, Discriminator, Field, Tag

from index.records import VerifiedRecord
from service.api.access import requires
from service.api.etags import IfMatch, etag, version_of
from service.api.idempotency import idempotent
from service.api.problems import MANY, ONE, responses
from service.api.state import Worker
from service.errors import InvalidInput, NotFound, TooLarge
from service.runtime import Runtime

router = APIRouter(prefix="/v1/records", tags=["records"])

MAX_PAGE: Final = 500

EXAMPLE: Final = {
    "id": "kz-capital-1997",
    "claim": "Столица Казахстана была перенесена из Алма-Аты в Акмолу 10 декабря 1997 года.",
    "title": "Перенос столицы",
    "url": "https://example.org/kz-capital",
    "publisher": "Example Encyclopaedia",
    "published_at": "2021-12-10",
    "rating": "True",
    "language": "ru",
}


def _one_or_many(value: Any) -> str:
    return MANY if isinstance(value, list) else ONE


OneOrMany = Annotated[
    Annotated[VerifiedRecord, Tag(ONE)] | Annotated[list[VerifiedRecord], Tag(MANY), Field(min_length=1)],
    Discriminator(_one_or_many),
    Body(openapi_examples={"one": {"value": EXAMPLE}, "many": {"value": [EXAMPLE]}}),
]


class RecordWrite(BaseModel):
    """What became of one record."""

    record_id: str
    status: Literal["added", "updated", "unchanged"]


class RecordWrites(BaseModel):
    """One entry per record sent, in order. Everything listed is committed."""

    results: list[RecordWrite]


class RecordPage(BaseModel):
    """Records in order of their ids."""

    items: list[VerifiedRecord]
    next: str | None = Field(description="Pass as `after` to get the next page; null on the last one.")


@router.post(
    "",
    dependencies=[requires("records:write"), idempotent],
    responses=responses(400, 401, 403, 408, 409, 413, 415, 422, 429, 503),
)
async def put_records(body: OneOrMany, worker: Worker) -> RecordWrites:
    """Add records, or update those whose ids exist. One record or a list; a list is refused as a whole if any
    record in it is malformed.
    """
    records = body if isinstance(body, list) else [body]
    limit = worker.runtime.settings.max_records_per_request
    if len(records) > limit:
        raise TooLarge(f"{len(records):,} records were sent; one request may hold {limit:,}.", pointer="#")

    def write(runtime: Runtime) -> RecordWrites:
        with runtime.observer.phase("add_records"):
            outcomes = list(runtime.library.ingest.add(records))
        return RecordWrites(
            results=[RecordWrite.model_validate(outcome, from_attributes=True) for outcome in outcomes]
        )

    characters = sum(
        len(record.claim) + len(record.title or "") + len(record.text or "") for record in records
    )
    return await worker.run(write, characters=characters)


@router.get("", dependencies=[requires("records:read")], responses=responses(401, 403, 422, 503))
async def list_records(
    worker: Worker,
    after: Annotated[str | None, Query(max_length=200, description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
) -> RecordPage:
    """All records, page by page."""

    def read(runtime: Runtime) -> RecordPage:
        # One more than asked for tells whether there is a next page.
        found = list(runtime.store.records.list(after, limit + 1))
        page = found[:limit]
        return RecordPage(items=page, next=page[-1].id if len(found) > limit else None)

    return await worker.read(read)


# Record ids are the callers' own and may hold slashes (many are URLs), hence `:path`.
@router.get(
    "/{record_id:path}",
    dependencies=[requires("records:read")],
    responses=responses(401, 403, 404, 422, 503),
)
async def get_record(record_id: str, worker: Worker, response: Response) -> VerifiedRecord:
    """One record. Its `ETag` can be given back as `If-Match` with a change."""
    found = await worker.read(lambda runtime: runtime.store.records.get_with_revision(record_id))
    if found is None:
        raise NotFound("No record has this id.")
    record, revision = found
    response.headers["ETag"] = etag(revision)
    return record


@router.put(
    "/{record_id:path}",
    dependencies=[requires("records:write")],
    responses={
        201: {"model": RecordWrite, "description": "Added"},
        **responses(400, 401, 403, 408, 412, 413, 415, 422, 429, 503),
    },
)
async def put_record(
    record_id: str,
    body: Annotated[VerifiedRecord, Body(openapi_examples={"one": {"value": EXAMPLE}})],
    worker: Worker,
    response: Response,
    if_match: IfMatch = None,
) -> RecordWrite:
    """Add or replace one record; with `If-Match`, only if it is still what was read."""
    if body.id != record_id:
        raise InvalidInput("`id` must be the id in the address.", pointer="#/id")
    expected = version_of(if_match)

    def write(runtime: Runtime) -> tuple[str, int | None]:
        with runtime.observer.phase("add_records"):
            status = runtime.library.ingest.put(body, expected=expected)
        # None where somebody else has changed it since: their state is not what this caller has written.
        return status, runtime.store.records.revision_of(record_id, body.content_hash)

    characters = len(body.claim) + len(body.title or "") + len(body.text or "")
    status, revision = await worker.run(write, characters=characters)
    if status == "added":
        response.status_code = 201
    if revision is not None:
        response.headers["ETag"] = etag(revision)
    return RecordWrite.model_validate({"record_id": record_id, "status": status})


@router.delete(
    "/{record_id:path}",
    status_code=204,
    dependencies=[requires("records:write")],
    responses=responses(401, 403, 404, 412, 422, 503),
)
async def delete_record(record_id: str, worker: Worker, if_match: IfMatch = None) -> Response:
    """Delete a record; it is not found by any search that starts after this answer."""
    expected = version_of(if_match)
    if not await worker.read(lambda runtime: runtime.store.records.delete(record_id, expected=expected)):
        raise NotFound("No record has this id.")
    return Response(status_code=204)
