"""The keys that sign labels, and their certificates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from service.doctor.findings import Finding, failed, ok, warning
from service.errors import TamgaError
from service.labels.keys import KeyRing
from service.settings import Settings

_SOON: Final = timedelta(days=30)


def keys(settings: Settings) -> Iterator[Finding]:
    """Can labels be signed?"""
    folder = settings.home / "keys"
    if not any(folder.glob("*.key.json")):
        yield ok("keys", "no signing key yet; it is made with the first label")
        return
    try:
        known = KeyRing(folder).all()
    except TamgaError as error:
        yield failed("keys", error.detail, "put the file back from a backup: tamga restore")
        return
    active = [key for key in known if key.status == "active"]
    if len(active) == 1:
        yield ok(
            "keys", f"{len(known)} signing keys, {active[0].kid} in use since {active[0].created_at:%Y-%m-%d}"
        )
    elif not active:
        yield warning("keys", "no signing key is in use", "tamga keys rotate")
    else:
        yield failed("keys", f"{len(active)} signing keys are in use at once", "tamga keys rotate")


def certificates(settings: Settings) -> Iterator[Finding]:
    """Are the certificates of C2PA manifests good, and for long enough?"""
    folder = settings.home / "keys" / "c2pa"
    files = sorted(folder.glob("*.pem")) if folder.is_dir() else []
    if not files:
        yield ok("certificates", "none yet; they are made with the first C2PA manifest")
        return
    retired = {key.kid for key in KeyRing(settings.home / "keys").all() if key.status != "active"}
    for file in files:
        if file.stem not in retired:
            yield _certificate(file)


def _certificate(file: Path) -> Finding:
    from cryptography import x509

    authority = file.stem == "authority"
    advice = (
        "move the folder keys/c2pa away: a new authority is made, which others have to trust again"
        if authority
        else "tamga keys rotate"
    )
    name = "authority" if authority else f"signing key {file.stem[:16]}"
    try:
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
    except (OSError, ValueError) as error:
        return failed("certificates", f"{name}: {file.name} cannot be read: {error}", "tamga restore")
    now, end = datetime.now(UTC), certificate.not_valid_after_utc
    detail = f"{name}: good until {end:%Y-%m-%d}"
    if now < certificate.not_valid_before_utc:
        return failed("certificates", f"{name}: not good yet", "set the clock of this machine")
    if end <= now:
        return failed("certificates", f"{name}: ended on {end:%Y-%m-%d}", advice)
    if end - now < _SOON:
        return warning("certificates", detail, advice)
    return ok("certificates", detail)
