"""What the service goes by: the share of human texts that may be flagged with what it costs, whose signatures
are trusted, the countries whose rules apply. An administrator changes them here, and they hold at once.
"""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from service.api.access import requires
from service.api.state import ModelWorkerDep, PolicyDep
from service.dashboard import measured
from service.dashboard.flashes import flash
from service.dashboard.forms import Form, read_form
from service.dashboard.i18n import marked
from service.dashboard.pages import Page, PageDep
from service.errors import InvalidInput, NotFound, PreconditionFailed
from service.labels.obligations import jurisdictions
from service.policy import RATES, PolicyChanges, PolicyDesk

router = APIRouter(prefix="/dashboard/settings", include_in_schema=False)

FORM_BYTES: Final = 600_000
THRESHOLDS: Final = "/dashboard/settings/thresholds"
TRUST: Final = "/dashboard/settings/trust"
COUNTRIES: Final = "/dashboard/settings/countries"
CHANGED: Final = flash("settings-changed", "The settings are changed, and hold from now on.")
MEANWHILE: Final = flash(
    "settings-meanwhile", "Somebody else changed the settings meanwhile. Look again, then choose.", "bad"
)
TRUSTED: Final = flash("anchor-added", "The certificates are trusted from now on.")
DISTRUSTED: Final = flash("anchor-removed", "The certificate is trusted no more.")
NO_CERTIFICATE: Final = marked(
    "This is no certificate of an authority that is still valid. Paste its PEM text, without any private key."
)

Fingerprint = Annotated[str, Query(pattern="^[0-9a-f]{64}$")]


@router.get("", dependencies=[requires("models:read")])
async def settings_start(page: PageDep) -> Response:
    """On to the first part that the caller may see."""
    return page.go("/dashboard/settings/accounts" if page.may("accounts:read") else THRESHOLDS)


@router.get("/thresholds", dependencies=[requires("settings:read")])
async def thresholds(page: PageDep, policy: PolicyDep, models: ModelWorkerDep) -> Response:
    """The share of human texts that may be flagged, and what was measured at each that can be chosen."""
    rates, kinds = await asyncio.to_thread(lambda: (measured.by_rate(), measured.by_kind()))
    return page.render(
        "thresholds.html",
        tab="settings",
        part="thresholds",
        policy=await asyncio.to_thread(policy.current),
        default=models.runtime.settings.target_fpr,
        rates={rate: {row.language: row for row in rates.get(rate, [])} for rate in RATES},
        languages=sorted(
            {row.language for rows in rates.values() for row in rows}, key=page.formats.language
        ),
        measured=kinds,
    )


@router.post("/thresholds", dependencies=[requires("settings:write")])
async def choose_rate(request: Request, page: PageDep, policy: PolicyDep) -> Response:
    """Take another share, or leave it to the environment."""
    form = await read_form(request, FORM_BYTES)
    chosen = form.text("rate")
    rate = next((rate for rate in RATES if f"{rate:g}" == chosen), None)
    if chosen and rate is None:
        raise InvalidInput("There is no such rate to choose.", pointer="#/rate")
    return await _change(page, policy, form, {"target_fpr": rate}, THRESHOLDS)


@router.get("/countries", dependencies=[requires("labels:read")])
async def countries(page: PageDep, policy: PolicyDep) -> Response:
    """The rules of each country, as they were last checked, and for which of them labels are weighed."""
    return page.render(
        "countries.html",
        tab="settings",
        part="countries",
        policy=await asyncio.to_thread(policy.current),
        countries=list(jurisdictions().values()),
        today=date.today(),
    )


@router.post("/countries", dependencies=[requires("settings:write")])
async def choose_countries(request: Request, page: PageDep, policy: PolicyDep) -> Response:
    """Take other countries, or leave them to the environment."""
    form = await read_form(request, FORM_BYTES)
    wanted = None if form.ticked("reset") else form.lists.get("country", [])
    return await _change(page, policy, form, {"countries": wanted}, COUNTRIES)


async def _change(
    page: Page, policy: PolicyDesk, form: Form, changes: PolicyChanges, onward: str
) -> Response:
    version = form.text("version")
    read = int(version) if version.isdecimal() and len(version) < 10 else None
    try:
        await asyncio.to_thread(policy.update, changes, read)
    except PreconditionFailed:
        return page.go(onward, say=MEANWHILE)
    return page.go(onward, say=CHANGED)


@router.get("/trust", dependencies=[requires("settings:read")])
async def trust(page: PageDep, policy: PolicyDep, models: ModelWorkerDep) -> Response:
    """Whose C2PA signatures are trusted besides the newsroom's own."""
    return await _show_trust(page, policy, models, "", {})


async def _show_trust(
    page: Page, policy: PolicyDesk, models: ModelWorkerDep, pem: str, wrong: dict[str, str]
) -> Response:
    settings = models.runtime.settings
    return page.render(
        "trust.html",
        422 if wrong else 200,
        tab="settings",
        part="trust",
        issuer=settings.issuer_name,
        public_url=settings.public_url,
        anchors=await asyncio.to_thread(policy.anchors),
        pem=pem,
        wrong=wrong,
    )


@router.post("/trust", dependencies=[requires("settings:write")])
async def add_anchor(request: Request, page: PageDep, policy: PolicyDep, models: ModelWorkerDep) -> Response:
    """Trust the certificates of a PEM text."""
    pem = (await read_form(request, FORM_BYTES)).text("pem")
    try:
        await asyncio.to_thread(policy.trust, pem)
    except InvalidInput as error:
        # What was pasted is not shown again where it may hold a secret.
        kept = "" if "PRIVATE KEY" in pem else pem
        wrong = {"pem": page.gettext(NO_CERTIFICATE), "reason": error.detail}
        return await _show_trust(page, policy, models, kept, wrong)
    return page.go(TRUST, say=TRUSTED)


@router.get("/trust/remove", dependencies=[requires("settings:write")])
async def confirm_removal(page: PageDep, policy: PolicyDep, fingerprint: Fingerprint) -> Response:
    """Asks once more."""
    trusted = await asyncio.to_thread(policy.anchors)
    found = [
        item.anchor.subject
        for item in trusted
        if item.anchor.fingerprint == fingerprint and item.added_at is not None
    ]
    if not found:
        raise NotFound("No certificate with this fingerprint was added.")
    return page.render("anchor_remove.html", tab="settings", fingerprint=fingerprint, subject=found[0])


@router.post("/trust/remove", dependencies=[requires("settings:write")])
async def remove_anchor(request: Request, page: PageDep, policy: PolicyDep) -> Response:
    """Trust a certificate that was added no more."""
    fingerprint = (await read_form(request, FORM_BYTES)).text("fingerprint")
    await asyncio.to_thread(policy.distrust, fingerprint)
    return page.go(TRUST, say=DISTRUSTED)
