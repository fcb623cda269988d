"""Verification of labels, and the public keys it needs."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import Field

from index.records import Text
from service.api.access import public
from service.api.labels import at_desk
from service.api.problems import responses
from service.api.state import ModelWorkerDep
from service.errors import InvalidInput
from service.labels.issuing import LabelDesk
from service.labels.request import ContentInput, read_content
from service.labels.signing import MAX_JWS_CHARS
from service.labels.verification import Verification, verify

router = APIRouter(tags=["labels"])


class VerifyRequest(ContentInput):
    """A signed label, content (one of text, html, file), or both to hold against each other."""

    jws: Text | None = Field(None, max_length=MAX_JWS_CHARS, description="A label as a compact JWS.")


@router.post("/v1/verify", dependencies=[public], responses=responses(400, 408, 413, 415, 422, 503))
async def verify_label(body: VerifyRequest, worker: ModelWorkerDep) -> Verification:
    """Is the signature ours, is the label still good, and is it about this content? Content alone is traced
    to its label by what it carries, else by its hashes.
    """
    has_content = any(value is not None for value in (body.text, body.html, body.file))
    if body.jws is None and not has_content:
        raise InvalidInput("Give `jws`, or one of `text`, `html` and `file`, or both.", pointer="#")

    def check(desk: LabelDesk) -> Verification:
        content = read_content(body, max_chars=desk.settings.max_text_chars) if has_content else None
        return verify(desk, jws=body.jws, content=content)

    return await at_desk(worker, check)


@router.get("/.well-known/jwks.json", dependencies=[public], responses=responses(503))
async def jwks(worker: ModelWorkerDep) -> dict[str, list[dict[str, Any]]]:
    """The public keys of this newsroom as a JWK set, with those that were retired or revoked."""
    keys: dict[str, list[dict[str, Any]]] = await at_desk(worker, lambda desk: desk.ring.jwks())
    return keys
