"""Audits: many articles, or answers of chat assistants, analysed in one run that survives a restart."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterable
from pathlib import Path as FilePath
from typing import Annotated, Any, Final, Literal, cast

from fastapi import APIRouter, Depends, Form, Path, Query, Request, Response, UploadFile
from fastapi.responses import FileResponse, StreamingResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from starlette.background import BackgroundTask

from service.analysis import ALL_CHECKS
from service.analysis_models import CheckName
from service.api.access import requires
from service.api.idempotency import idempotent
from service.api.problems import responses
from service.audits.desk import AuditDesk, AuditRequest
from service.audits.export import as_csv, as_jsonl, write_parquet
from service.audits.items import AuditKind
from service.audits.report import figures_csv, report_page
from service.audits.sources import SourceFormat
from service.errors import InvalidInput
from service.store.audits import AuditRun

router = APIRouter(prefix="/v1/audits", tags=["audits"])

MAX_PAGE: Final = 500
# The report is a page of its own: it may ask for nothing and run nothing.
_REPORT_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"

EXAMPLE: Final[JsonDict] = {
    "id": "aud_5f0c1d2e3b4a59687786f5e4",
    "state": "running",
    "kind": "archive",
    "source": "archive-2026.jsonl",
    "format": "jsonl",
    "checks": ["origin", "claims"],
    "target_fpr": None,
    "created_by": "0f3a9c2b7d41",
    "created_at": "2026-11-02T08:00:00Z",
    "started_at": "2026-11-02T08:00:01Z",
    "finished_at": None,
    "items": {"total": 2000, "done": 640, "refused": 2, "reused": 31},
    "items_per_second": 3.2,
    "eta_seconds": 425.0,
    "error": None,
}

AuditId = Annotated[str, Path(pattern=r"^aud_[0-9a-f]{24}$", examples=["aud_5f0c1d2e3b4a59687786f5e4"])]


class AuditForm(BaseModel):
    """An audit to begin: a file, or the path of one in the service's folder for audits."""

    model_config = ConfigDict(extra="forbid")

    file: UploadFile | None = Field(
        None, description="JSON Lines, CSV with a heading, or Parquet; the first two also packed with gzip."
    )
    path: str | None = Field(
        None,
        min_length=1,
        max_length=1_000,
        description="Instead of `file`: a path within the folder that `TAMGA_AUDIT_FOLDER` names.",
    )
    kind: AuditKind = Field(
        "archive",
        description="archive: articles. chat_answers: `prompt`, `text` (the answer), `model` and perhaps "
        "`country`.",
    )
    format: SourceFormat | None = Field(None, description="By default the name of the file tells it.")
    checks: list[CheckName] = Field(default=list(ALL_CHECKS), min_length=1, max_length=len(ALL_CHECKS))
    target_fpr: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="False alarms accepted among human texts; default is the server's setting.",
    )


class AuditItems(BaseModel):
    """How far an audit has come."""

    total: int | None = Field(description="Null until the items of a path are read.")
    done: int = Field(description="Items with a result, errors among them.")
    refused: int = Field(description="Items whose result is an error.")
    reused: int = Field(description="Items that were the same as an earlier one.")


class Audit(BaseModel):
    """An audit."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    kind: AuditKind
    source: str = Field(description="Name of the file.")
    format: SourceFormat
    checks: list[CheckName]
    target_fpr: float | None
    created_by: str = Field(description="Id of the key or account it was begun with, or `local`.")
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    finished_at: AwareDatetime | None
    items: AuditItems
    items_per_second: float | None = Field(description="Over the time at work.")
    eta_seconds: float | None = Field(description="How long the rest takes at this rate.")
    error: str | None = Field(description="Why it failed.")


class AuditPage(BaseModel):
    """Audits, the newest first."""

    items: list[Audit]
    next: str | None = Field(description="Pass as `after` to get the next page; null on the last one.")


async def _desk_of(request: Request) -> AuditDesk:
    return cast(AuditDesk, request.state.audits)


Desk = Annotated[AuditDesk, Depends(_desk_of)]


def shown(run: AuditRun) -> Audit:
    """An audit as callers see it."""
    rate = run.done / run.seconds if run.seconds > 0 and run.done else None
    eta = None
    if run.state == "running" and rate and run.total is not None:
        eta = (run.total - run.done) / rate
    return Audit.model_validate(
        {
            **{name: getattr(run, name) for name in Audit.model_fields if hasattr(run, name)},
            "items": {name: getattr(run, name) for name in AuditItems.model_fields},
            "items_per_second": None if rate is None else round(rate, 3),
            "eta_seconds": None if eta is None else round(eta, 1),
        }
    )


@router.post(
    "",
    status_code=201,
    dependencies=[requires("audits:write"), idempotent],
    responses=responses(400, 401, 403, 404, 408, 409, 413, 415, 422, 503),
)
async def create_audit(
    form: Annotated[AuditForm, Form(media_type="multipart/form-data")], desk: Desk, response: Response
) -> Audit:
    """Begin an audit. It is accepted when this is answered, and goes on after a restart of the service.

    Every line or row is an item and gets one result, in order; one that cannot be read gets an error. Models
    answer requests before they go on with an audit.
    """
    if (form.file is None) == (form.path is None):
        raise InvalidInput("Send either `file` or `path`.", pointer="#")
    asked = AuditRequest(form.kind, tuple(dict.fromkeys(form.checks)), form.target_fpr, form.format)
    if form.file is not None:
        name = form.file.filename or "upload"
        run = await asyncio.to_thread(desk.upload, asked, form.file.file, name)
    else:
        assert form.path is not None
        run = await asyncio.to_thread(desk.from_path, asked, form.path)
    response.headers["Location"] = f"/v1/audits/{run.id}"
    return shown(run)


@router.get("", dependencies=[requires("audits:read")], responses=responses(401, 403, 422, 503))
async def list_audits(
    desk: Desk,
    after: Annotated[
        str | None, Query(pattern=r"^aud_[0-9a-f]{24}$", description="`next` of the page before.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
) -> AuditPage:
    """All audits, the newest first."""
    found = await asyncio.to_thread(desk.list, after, limit + 1)
    page = [shown(run) for run in found[:limit]]
    return AuditPage(items=page, next=page[-1].id if len(found) > limit else None)


@router.get(
    "/{audit_id}", dependencies=[requires("audits:read")], responses=responses(401, 403, 404, 422, 503)
)
async def get_audit(audit_id: AuditId, desk: Desk) -> Audit:
    """One audit and how far it has come."""
    return shown(await asyncio.to_thread(desk.get, audit_id))


@router.post(
    "/{audit_id}/cancel",
    dependencies=[requires("audits:write")],
    responses=responses(400, 401, 403, 404, 408, 409, 413, 415, 422, 503),
)
async def cancel_audit(audit_id: AuditId, desk: Desk) -> Audit:
    """End an audit where it is; its results so far stay. 409 if it has ended already."""
    return shown(await asyncio.to_thread(desk.cancel, audit_id))


_FILES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The results so far, in the order of the items",
        "content": {
            "application/jsonl": {"schema": {"type": "string"}},
            "text/csv": {"schema": {"type": "string"}},
            "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


@router.get(
    "/{audit_id}/results",
    dependencies=[requires("audits:read")],
    response_class=Response,
    responses={**_FILES, **responses(401, 403, 404, 422, 503)},
)
async def get_audit_results(
    audit_id: AuditId,
    desk: Desk,
    format: Annotated[SourceFormat, Query(description="JSON Lines have everything.")] = "jsonl",
) -> Response:
    """The results: of every item up to `items.done` exactly one, in the order of the items."""
    run = await asyncio.to_thread(desk.get, audit_id)
    headers = {"Content-Disposition": f'attachment; filename="{run.id}.{format}"'}
    results = desk.results(run.id)
    if format == "parquet":
        file = await asyncio.to_thread(_parquet_file, results)
        return FileResponse(
            file,
            media_type="application/vnd.apache.parquet",
            headers=headers,
            background=BackgroundTask(file.unlink, missing_ok=True),
        )
    if format == "csv":
        return StreamingResponse(as_csv(results), media_type="text/csv; charset=utf-8", headers=headers)
    return StreamingResponse(as_jsonl(results), media_type="application/jsonl", headers=headers)


def _parquet_file(results: Iterable[dict[str, Any]]) -> FilePath:
    with tempfile.NamedTemporaryFile(prefix="tamga-", suffix=".parquet", delete=False) as file:
        path = FilePath(file.name)
    try:
        write_parquet(results, path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


@router.get(
    "/{audit_id}/report",
    dependencies=[requires("audits:read")],
    response_class=Response,
    responses={
        200: {
            "description": "The report of the results so far",
            "content": {
                "text/html": {"schema": {"type": "string"}},
                "text/csv": {"schema": {"type": "string"}},
            },
        },
        **responses(401, 403, 404, 422, 503),
    },
)
async def get_audit_report(
    audit_id: AuditId,
    desk: Desk,
    format: Annotated[Literal["html", "csv"], Query(description="csv: the figures alone.")] = "html",
) -> Response:
    """Rates with intervals, declared beside detected, abstentions, and conflicts with verified reporting: one
    page that asks for nothing else, or its figures as CSV.
    """

    def draw() -> str:
        run = desk.get(audit_id)
        tally = desk.tally(audit_id)
        return figures_csv(tally) if format == "csv" else report_page(tally, desk.head(run))

    content = await asyncio.to_thread(draw)
    if format == "csv":
        headers = {"Content-Disposition": f'attachment; filename="{audit_id}-report.csv"'}
        return Response(content, media_type="text/csv; charset=utf-8", headers=headers)
    return Response(
        content,
        media_type="text/html; charset=utf-8",
        headers={"Content-Security-Policy": _REPORT_POLICY, "X-Content-Type-Options": "nosniff"},
    )
