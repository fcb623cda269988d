"""What the service goes by: thresholds with what they cost, trust anchors, obligations of countries. Set by
environment variables and files; shown here.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Response

from service.api.access import requires
from service.api.state import ModelWorkerDep
from service.dashboard.pages import PageDep
from service.labels.obligations import jurisdictions

router = APIRouter(prefix="/dashboard/settings", include_in_schema=False)

# Columns of the first table of the detector's card, by its headings.
COLUMNS: Final = ("language", "label", "texts", "flagged", "95% interval", "human texts", "false alarms")


@dataclass(frozen=True, slots=True)
class Measured:
    """One row of the card: of `texts` machine texts of a kind `flagged` were flagged, and of `human_texts`
    so many, wrongly. As written on the card.
    """

    language: str
    label: str
    texts: str
    flagged: str
    interval: str
    human_texts: str
    false_alarms: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """A certificate whose signatures are trusted."""

    subject: str
    issuer: str
    ends: datetime
    fingerprint: str


@router.get("", dependencies=[requires("models:read")])
async def settings_start(page: PageDep) -> Response:
    """On to the first part that the caller may see."""
    return page.go(
        "/dashboard/settings/accounts" if page.may("accounts:read") else "/dashboard/settings/thresholds"
    )


@router.get("/thresholds", dependencies=[requires("models:read")])
async def thresholds(page: PageDep, models: ModelWorkerDep) -> Response:
    """The share of human texts that may be flagged, and what was measured at that share."""
    settings = models.runtime.settings
    return page.render(
        "thresholds.html",
        tab="settings",
        part="thresholds",
        target=settings.target_fpr,
        measured=await asyncio.to_thread(measured_trade_off),
    )


@router.get("/trust", dependencies=[requires("models:read")])
async def trust(page: PageDep, models: ModelWorkerDep) -> Response:
    """Whose C2PA signatures are trusted besides the newsroom's own."""
    settings = models.runtime.settings
    found = await asyncio.to_thread(trust_anchors, settings.c2pa_anchors)
    return page.render(
        "trust.html",
        tab="settings",
        part="trust",
        issuer=settings.issuer_name,
        public_url=settings.public_url,
        anchors=found,
        configured=settings.c2pa_anchors is not None,
    )


@router.get("/countries", dependencies=[requires("labels:read")])
async def countries(page: PageDep) -> Response:
    """The rules of each country, as they were last checked."""
    return page.render(
        "countries.html",
        tab="settings",
        part="countries",
        countries=list(jurisdictions().values()),
        today=date.today(),
    )


@cache
def measured_trade_off() -> list[Measured]:
    """The figures on the card of the detector that runs here. Raises ValueError where the card has no such
    table.
    """
    # By way of the package above it: importing the detector's own would load what it is made of.
    card = files("classifiers").joinpath("ai_text", "weights", "MODEL_CARD.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in card.splitlines()
        if line.startswith("|")
    ]
    for place, heading in enumerate(rows):
        if set(COLUMNS) <= set(heading):
            columns = [heading.index(name) for name in COLUMNS]
            # The line after the heading only draws the table.
            return [
                Measured(*(row[column] for column in columns))
                for row in _until_other(rows[place + 2 :], len(heading))
            ]
    raise ValueError("the detector's card has no table of its figures")


def _until_other(rows: list[list[str]], width: int) -> list[list[str]]:
    end = next((place for place, row in enumerate(rows) if len(row) != width), len(rows))
    return rows[:end]


def trust_anchors(path: Path | None) -> list[Anchor]:
    """The certificates of a PEM file; none without a file."""
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256

    if path is None:
        return []
    return [
        Anchor(
            certificate.subject.rfc4514_string(),
            certificate.issuer.rfc4514_string(),
            certificate.not_valid_after_utc.astimezone(UTC),
            certificate.fingerprint(SHA256()).hex(),
        )
        for certificate in x509.load_pem_x509_certificates(path.read_bytes())
    ]
