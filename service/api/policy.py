"""Settings that are changed while the service runs: thresholds, countries, trust anchors."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final, Literal, cast

from fastapi import APIRouter, Path, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from service.api.access import requires
from service.api.etags import IfMatch, etag, version_of
from service.api.problems import responses
from service.api.state import PolicyDep
from service.policy import RATES, Policy, PolicyChanges, TrustedAnchor

router = APIRouter(prefix="/v1/settings", tags=["settings"])

Changed = Literal["target_fpr", "countries"]
Fingerprint = Annotated[
    str, Path(pattern="^[0-9a-f]{64}$", description="SHA-256 of the certificate, in hex.")
]
OFFERED: Final = ", ".join(f"{rate:g}" for rate in RATES)


class SettingsView(BaseModel):
    """What holds now."""

    target_fpr: float = Field(
        description="Share of human texts that may be flagged as likely machine-written."
    )
    countries: list[str] = Field(
        description="Countries whose rules labels are weighed against where a request names none."
    )
    changed: list[Changed] = Field(
        description="What was changed here; the rest is as the environment of the service says."
    )
    changed_by: str | None = Field(description="Who made the last change, of certificates too.")
    changed_at: AwareDatetime | None


class SettingsPatch(BaseModel):
    """What is to change; absent fields stay, null leaves one to the environment again."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"target_fpr": 0.01, "countries": ["KZ", "UZ"]}]}
    )

    target_fpr: float | None = Field(
        None, description=f"One of {OFFERED}: what the detector is measured for."
    )
    countries: list[Annotated[str, Field(pattern="^[A-Z]{2}$")]] | None = Field(None, max_length=20)


class TrustAnchor(BaseModel):
    """A certificate whose C2PA signatures are trusted."""

    fingerprint: str = Field(description="SHA-256 of the certificate, in hex.")
    subject: str
    issuer: str
    ends: AwareDatetime
    source: Literal["file", "added"] = Field(
        description="`file`: the one that TAMGA_C2PA_ANCHORS names; it cannot be removed here."
    )
    added_by: str | None
    added_at: AwareDatetime | None


class TrustAnchorList(BaseModel):
    items: list[TrustAnchor]


class TrustAnchorRequest(BaseModel):
    """Certificates to trust."""

    model_config = ConfigDict(extra="forbid")

    pem: str = Field(max_length=500_000, description="Certificates of authorities, as PEM.")


def _shown(policy: Policy, response: Response) -> SettingsView:
    response.headers["ETag"] = etag(policy.version)
    return SettingsView(
        target_fpr=policy.target_fpr,
        countries=list(policy.countries),
        changed=cast(list[Changed], sorted(policy.changed)),
        changed_by=policy.changed_by,
        changed_at=policy.changed_at,
    )


def _listed(trusted: list[TrustedAnchor]) -> TrustAnchorList:
    return TrustAnchorList(
        items=[
            TrustAnchor(
                fingerprint=item.anchor.fingerprint,
                subject=item.anchor.subject,
                issuer=item.anchor.issuer,
                ends=item.anchor.ends,
                source="file" if item.added_at is None else "added",
                added_by=item.added_by,
                added_at=item.added_at,
            )
            for item in trusted
        ]
    )


@router.get("", dependencies=[requires("settings:read")], responses=responses(401, 403, 503))
async def get_settings(desk: PolicyDep, response: Response) -> SettingsView:
    """What the service goes by now."""
    return _shown(await asyncio.to_thread(desk.current), response)


@router.patch(
    "",
    dependencies=[requires("settings:write")],
    responses=responses(400, 401, 403, 408, 412, 413, 415, 422, 503),
)
async def update_settings(
    body: SettingsPatch, desk: PolicyDep, response: Response, if_match: IfMatch = None
) -> SettingsView:
    """Change settings; they hold from the next analysis, audit and label on."""
    changes = cast(PolicyChanges, {name: getattr(body, name) for name in body.model_fields_set})
    version = version_of(if_match)
    return _shown(await asyncio.to_thread(desk.update, changes, version), response)


@router.get("/trust-anchors", dependencies=[requires("settings:read")], responses=responses(401, 403, 503))
async def list_trust_anchors(desk: PolicyDep) -> TrustAnchorList:
    """Whose C2PA signatures are trusted besides the newsroom's own."""
    return _listed(await asyncio.to_thread(desk.anchors))


@router.post(
    "/trust-anchors",
    dependencies=[requires("settings:write")],
    responses=responses(400, 401, 403, 408, 413, 415, 422, 503),
)
async def add_trust_anchors(body: TrustAnchorRequest, desk: PolicyDep) -> TrustAnchorList:
    """Trust certificates of authorities, from the next manifest on; those trusted already stay so."""

    def add() -> list[TrustedAnchor]:
        desk.trust(body.pem)
        return desk.anchors()

    return _listed(await asyncio.to_thread(add))


@router.delete(
    "/trust-anchors/{fingerprint}",
    status_code=204,
    dependencies=[requires("settings:write")],
    responses=responses(401, 403, 404, 422, 503),
)
async def remove_trust_anchor(fingerprint: Fingerprint, desk: PolicyDep) -> None:
    """Trust a certificate that was added no more."""
    await asyncio.to_thread(desk.distrust, fingerprint)
