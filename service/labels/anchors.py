"""Certificates that somebody gives us to trust: read from PEM, checked, and described."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from service.errors import InvalidInput

MOST_AT_ONCE: Final = 50
_MOST_BYTES: Final = 500_000


@dataclass(frozen=True, slots=True)
class Anchor:
    """A certificate whose signatures are trusted. `fingerprint`: the SHA-256 of its DER form, in hex."""

    fingerprint: str
    subject: str
    issuer: str
    ends: datetime
    pem: str


def read_anchors(pem: str) -> list[Anchor]:
    """The certificates of a PEM text, in its order; what stands around them is left out.

    Raises:
        InvalidInput: there is none, or too many, or one that cannot be read.
    """
    if len(pem) > _MOST_BYTES:
        raise InvalidInput("The certificates are larger than half a megabyte.", pointer="#/pem")
    try:
        found = x509.load_pem_x509_certificates(pem.encode("utf-8"))
        anchors = [_anchor(certificate) for certificate in found]
    except ValueError as error:
        raise InvalidInput(
            "It holds no certificate in PEM form (-----BEGIN CERTIFICATE-----).", pointer="#/pem"
        ) from error
    if len(anchors) > MOST_AT_ONCE:
        raise InvalidInput(f"It holds more than {MOST_AT_ONCE} certificates.", pointer="#/pem")
    return anchors


def read_new_anchors(pem: str, now: datetime) -> list[Anchor]:
    """As `read_anchors`, for certificates that are to be trusted from now on.

    Raises:
        InvalidInput: also for a private key, and for a certificate that has ended or that belongs to no
            authority: C2PA trusts signers by the authority above them (C2PA specification, trust model).
    """
    if "PRIVATE KEY-----" in pem:
        raise InvalidInput("It holds a private key; give certificates alone.", pointer="#/pem")
    anchors = read_anchors(pem)
    for anchor in anchors:
        if anchor.ends <= now:
            raise InvalidInput(
                f"The certificate {anchor.subject} ended on {anchor.ends:%Y-%m-%d}.", pointer="#/pem"
            )
        if not _is_authority(x509.load_pem_x509_certificate(anchor.pem.encode("ascii"))):
            raise InvalidInput(
                f"The certificate {anchor.subject} is not an authority's (CA: false); give the certificate "
                "of the authority that issued it.",
                pointer="#/pem",
            )
    return anchors


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False


def _anchor(certificate: x509.Certificate) -> Anchor:
    return Anchor(
        certificate.fingerprint(SHA256()).hex(),
        certificate.subject.rfc4514_string(),
        certificate.issuer.rfc4514_string(),
        certificate.not_valid_after_utc.astimezone(UTC),
        certificate.public_bytes(Encoding.PEM).decode("ascii"),
    )
