"""Audits of archives and of chat assistants' answers: begin one, watch it, read its report."""

from __future__ import annotations

import asyncio
import io
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from service.analysis import ALL_CHECKS
from service.analysis_models import CheckName
from service.api.access import requires
from service.api.audits import Desk, shown
from service.api.state import Worker
from service.audits.desk import AuditRequest
from service.audits.items import AuditKind
from service.dashboard.flashes import flash
from service.dashboard.forms import REQUIRED, Form, read_form
from service.dashboard.i18n import marked
from service.dashboard.pages import Page, PageDep
from service.errors import Conflict, TamgaError

router = APIRouter(prefix="/dashboard/audits", include_in_schema=False)

HERE: Final = "/dashboard/audits"
PAGE_SIZE: Final = 25
BEGUN: Final = flash("audit-begun", "The audit has begun; its report is here when it is done.")
CANCELLED: Final = flash("audit-cancelled", "The audit is ended. What it found so far stays.", "note")
OVER: Final = flash("audit-over", "The audit was over already.", "note")
KINDS: Final[dict[AuditKind, str]] = {
    "archive": marked("Archive of articles"),
    "chat_answers": marked("Answers of chat assistants"),
}
CHECKS: Final[dict[CheckName, str]] = {
    "origin": marked("Where it comes from"),
    "claims": marked("What it claims"),
}

AuditId = Annotated[str, Query(alias="id", min_length=1, max_length=60)]


@router.get("", dependencies=[requires("audits:read")])
async def audits(
    page: PageDep, desk: Desk, after: Annotated[str | None, Query(max_length=200)] = None
) -> Response:
    """The newest audits with their progress, and a form to begin one."""
    return await _show(page, desk, after, {}, {})


@router.post("", dependencies=[requires("audits:write")])
async def begin_audit(request: Request, page: PageDep, desk: Desk, worker: Worker) -> Response:
    """Take in a file; its items are in the database when the next page says that the audit has begun."""
    form = await read_form(request, worker.runtime.settings.max_body_bytes)
    checks = tuple(name for name in ALL_CHECKS if form.ticked(name))
    given = {"kind": form.text("kind"), "checks": checks}
    wrong = _faults(page, form, checks)
    if wrong:
        return await _show(page, desk, None, given, wrong)
    kind: AuditKind = "chat_answers" if form.text("kind") == "chat_answers" else "archive"
    wanted = AuditRequest(kind=kind, checks=checks)
    try:
        run = await asyncio.to_thread(desk.upload, wanted, io.BytesIO(form.files["file"]), form.names["file"])
    except TamgaError as error:
        if error.status >= 500:
            raise
        return await _show(page, desk, None, given, {"file": error.detail})
    return page.go(f"{HERE}/view?id={run.id}", say=BEGUN)


@router.get("/view", dependencies=[requires("audits:read")])
async def audit(page: PageDep, desk: Desk, audit_id: AuditId) -> Response:
    """One audit: how far it has come, and where its report and results are."""
    run = await asyncio.to_thread(desk.get, audit_id)
    return page.render("audit.html", tab="audits", audit=shown(run), kinds=KINDS, checks=CHECKS)


@router.post("/cancel", dependencies=[requires("audits:write")])
async def cancel_audit(request: Request, page: PageDep, desk: Desk) -> Response:
    """End an audit where it is."""
    audit_id = (await read_form(request, 10_000)).text("id")
    try:
        run = await asyncio.to_thread(desk.cancel, audit_id)
    except Conflict:
        return page.go(HERE, say=OVER)
    return page.go(f"{HERE}/view?id={run.id}", say=CANCELLED)


def _faults(page: Page, form: Form, checks: tuple[str, ...]) -> dict[str, str]:
    wrong = {}
    if "file" not in form.files:
        wrong["file"] = page.gettext(REQUIRED)
    if not checks:
        wrong["checks"] = page.gettext(REQUIRED)
    return wrong


async def _show(page: Page, desk: Any, after: str | None, given: dict[str, Any], wrong: Any) -> Response:
    found = await asyncio.to_thread(desk.list, after, PAGE_SIZE + 1)
    listed = [shown(run) for run in found[:PAGE_SIZE]]
    return page.render(
        "audits.html",
        422 if wrong else 200,
        tab="audits",
        audits=listed,
        first=HERE if after else None,
        more=page.with_query(after=listed[-1].id) if len(found) > PAGE_SIZE else None,
        kinds=KINDS,
        checks=CHECKS,
        chosen=given.get("checks", tuple(CHECKS)),
        given=given,
        wrong=wrong,
    )
