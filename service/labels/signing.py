"""Signatures over labels: JWS in compact form (RFC 7515), `alg` Ed25519 (RFC 9864), keys named by `kid`.

Only the key ring says which keys count: a key, a certificate or an address inside the header is not looked
at, and no other algorithm is accepted.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from joserfc import jws
from joserfc.errors import BadSignatureError, JoseError
from pydantic import ValidationError

from service.labels.document import LabelDocument
from service.labels.keys import CURVE, KeyRing, KeyStatus

TYPE: Final = "ai-label+jwt"
MAX_JWS_CHARS: Final = 1_000_000

SignatureState = Literal[
    "valid", "invalid", "malformed", "unknown_key", "key_revoked", "signed_after_retirement"
]


@dataclass(frozen=True, slots=True)
class SignatureCheck:
    """What a signature is worth. `document` is there only where the signature holds."""

    signature: SignatureState
    detail: str | None
    kid: str | None = None
    key_status: KeyStatus | None = None
    document: LabelDocument | None = None


def sign(document: LabelDocument, ring: KeyRing) -> tuple[str, str]:
    """The label as a compact JWS, and the id of the key that signed it."""
    key = ring.active()
    header = {"alg": CURVE, "typ": TYPE, "kid": key.kid}
    return jws.serialize_compact(header, document.canonical(), key.jwk, algorithms=[CURVE]), key.kid


def check_signature(token: str, ring: KeyRing) -> SignatureCheck:
    """Check a compact JWS against the keys of the ring. Never raises for what the token holds."""
    token = token.strip()
    if len(token) > MAX_JWS_CHARS or not token.isascii():
        return SignatureCheck("malformed", "This is not a compact JWS.")
    try:
        header = jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError, RecursionError) as error:
        return SignatureCheck("malformed", f"This is not a compact JWS: {error}.")
    if header.get("alg") != CURVE:
        return SignatureCheck("invalid", f"The algorithm must be {CURVE}.")
    if header.get("typ") != TYPE:
        return SignatureCheck("invalid", f"The type must be {TYPE}.")
    kid = header.get("kid")
    key = ring.find(kid) if isinstance(kid, str) else None
    if key is None:
        return SignatureCheck("unknown_key", "The key that signed this is not one of this newsroom.")
    try:
        signed = jws.deserialize_compact(token, key.jwk, algorithms=[CURVE])
    except BadSignatureError:
        return SignatureCheck("invalid", "The signature does not fit the content.", key.kid, key.status)
    except (JoseError, ValueError) as error:
        return SignatureCheck("malformed", f"The signature cannot be read: {error}.", key.kid, key.status)
    try:
        document = LabelDocument.model_validate(json.loads(signed.payload))
    except (ValidationError, ValueError, RecursionError):
        return SignatureCheck("malformed", "What was signed is not a label.", key.kid, key.status)
    if key.status == "revoked":
        detail = f"The key was revoked: {key.reason}."
        return SignatureCheck("key_revoked", detail, key.kid, key.status, document)
    if _too_late(document.issued_at, key.retired_at):
        detail = "The label claims to be issued after its key was retired."
        return SignatureCheck("signed_after_retirement", detail, key.kid, key.status)
    return SignatureCheck("valid", None, key.kid, key.status, document)


def _too_late(issued_at: datetime, retired_at: datetime | None) -> bool:
    return retired_at is not None and issued_at > retired_at
