"""Access keys: create, list, change, rotate, revoke."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

from service.api.access import CallerDep, requires
from service.api.etags import IfMatch, etag, version_of
from service.api.idempotency import idempotent
from service.api.problems import responses
from service.api.state import KeysDep
from service.auth.keys import MAX_GRACE, AccessKey, IssuedKey, KeyChanges
from service.auth.scopes import Role, Scope

router = APIRouter(prefix="/v1/keys", tags=["keys"])

MAX_PAGE: Final = 500

Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$"),
]
KeyId = Annotated[str, Path(max_length=32, examples=["0f3a9c2b7d41"])]

EXAMPLE: Final[JsonDict] = {
    "name": "CMS of the newsroom",
    "role": "reviewer",
    "scopes": ["articles:write"],
}


class KeyRequest(BaseModel):
    """A key to make."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    name: Name = Field(description="What the key is for, for people.")
    role: Role
    scopes: list[Scope] | None = Field(
        None, min_length=1, description="Narrows what the role may do; by default everything it may."
    )
    expires_at: AwareDatetime | None = None


class KeyPatch(BaseModel):
    """What is to change; absent fields stay."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "CMS, second server"}]}
    )

    name: Name | None = None
    role: Role | None = Field(None, description="Giving a role without scopes widens the key to all of it.")
    scopes: list[Scope] | None = Field(None, min_length=1)
    expires_at: AwareDatetime | None = Field(None, description="null: never.")


class RotateRequest(BaseModel):
    """How long the old secret stays good."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"grace_seconds": 3600}]})

    grace_seconds: int = Field(0, ge=0, le=int(MAX_GRACE.total_seconds()))


class Key(BaseModel):
    """An access key, without its secret."""

    id: str
    name: str
    role: Role
    scopes: list[Scope]
    state: Literal["active", "expired", "revoked"]
    created_by: str = Field(description="Id of the key it was made with, or `local`.")
    created_at: AwareDatetime
    expires_at: AwareDatetime | None
    last_used_at: AwareDatetime | None = Field(description="To the minute.")
    revoked_at: AwareDatetime | None


class CreatedKey(Key):
    """A key with its token, which is shown this once."""

    token: str = Field(description="Send it as `Authorization: Bearer tg_…`.", examples=["tg_0f3a9c2b7d41_…"])


class KeyPage(BaseModel):
    """Keys in order of creation."""

    items: list[Key]
    next: str | None = Field(description="Pass as `after` to get the next page; null on the last one.")


def _shown(key: AccessKey) -> Key:
    return Key.model_validate(key, from_attributes=True)


def _issued(issued: IssuedKey, response: Response) -> CreatedKey:
    response.headers["ETag"] = etag(issued.key.version)
    # The token must not lie in any cache on the way.
    response.headers["Cache-Control"] = "no-store"
    return CreatedKey(**_shown(issued.key).model_dump(), token=issued.token)


@router.post(
    "",
    status_code=201,
    dependencies=[requires("keys:write"), idempotent],
    responses=responses(400, 401, 403, 408, 409, 413, 415, 422, 503),
)
async def create_key(body: KeyRequest, keys: KeysDep, caller: CallerDep, response: Response) -> CreatedKey:
    """Create a key. The first one closes the service to callers without a key, and must be an admin's."""
    issued = await asyncio.to_thread(
        keys.create, body.name, body.role, scopes=body.scopes, expires_at=body.expires_at, by=caller
    )
    response.headers["Location"] = f"/v1/keys/{issued.key.id}"
    return _issued(issued, response)


@router.get("", dependencies=[requires("keys:read")], responses=responses(401, 403, 422, 503))
async def list_keys(
    keys: KeysDep,
    after: Annotated[str | None, Query(max_length=200, description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
) -> KeyPage:
    """All keys, revoked ones too, page by page."""
    found = await asyncio.to_thread(keys.list, after, limit + 1)
    page = [_shown(key) for key in found[:limit]]
    return KeyPage(items=page, next=page[-1].id if len(found) > limit else None)


@router.get("/{key_id}", dependencies=[requires("keys:read")], responses=responses(401, 403, 404, 422, 503))
async def get_key(key_id: KeyId, keys: KeysDep, response: Response) -> Key:
    """One key."""
    key = await asyncio.to_thread(keys.get, key_id)
    response.headers["ETag"] = etag(key.version)
    return _shown(key)


@router.patch(
    "/{key_id}",
    dependencies=[requires("keys:write")],
    responses=responses(400, 401, 403, 404, 408, 409, 412, 413, 415, 422, 503),
)
async def update_key(
    key_id: KeyId,
    body: KeyPatch,
    keys: KeysDep,
    caller: CallerDep,
    response: Response,
    if_match: IfMatch = None,
) -> Key:
    """Change the name, role, scopes or end of a key."""
    changes = KeyChanges()
    for field in body.model_fields_set:
        value = getattr(body, field)
        # `name` and `role` cannot be taken away: null means the same as absent.
        if value is not None or field in ("scopes", "expires_at"):
            changes[field] = value  # type: ignore[literal-required]
    version = version_of(if_match)
    key = await asyncio.to_thread(keys.update, key_id, changes, version=version, by=caller)
    response.headers["ETag"] = etag(key.version)
    return _shown(key)


@router.post(
    "/{key_id}/rotate",
    dependencies=[requires("keys:write"), idempotent],
    responses=responses(400, 401, 403, 404, 408, 409, 412, 413, 415, 422, 503),
)
async def rotate_key(
    key_id: KeyId, keys: KeysDep, caller: CallerDep, response: Response, body: RotateRequest | None = None
) -> CreatedKey:
    """Give a key a new secret; the old one stays good for `grace_seconds`."""
    grace = timedelta(seconds=body.grace_seconds if body is not None else 0)
    return _issued(await asyncio.to_thread(keys.rotate, key_id, grace=grace, by=caller), response)


@router.delete(
    "/{key_id}", dependencies=[requires("keys:write")], responses=responses(401, 403, 404, 409, 422, 503)
)
async def revoke_key(key_id: KeyId, keys: KeysDep, caller: CallerDep) -> Key:
    """Revoke a key for good. It stays in the list."""
    return _shown(await asyncio.to_thread(keys.revoke, key_id, by=caller))
