"""ETag and If-Match: a change is made only to what the caller has read."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header

from service.errors import InvalidInput, PreconditionFailed

IfMatch = Annotated[
    str | None,
    Header(
        max_length=200,
        description="The `ETag` that was read; 412 if it has changed since. `*` or none: change it anyway.",
    ),
]


def etag(version: int) -> str:
    """The entity tag of a version."""
    return f'"{version}"'


def version_of(if_match: str | None) -> int | None:
    """The version an If-Match header names; None where any will do.

    Raises:
        InvalidInput: it is not an entity tag.
        PreconditionFailed: it is none that we give out.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    tag = if_match.strip()
    if not (len(tag) >= 2 and tag[0] == tag[-1] == '"'):
        raise InvalidInput('If-Match must be one entity tag in double quotes, such as "3", or *.')
    if not tag[1:-1].isdecimal() or len(tag) > 12:
        raise PreconditionFailed("The resource does not have this ETag; read it again.")
    return int(tag[1:-1])
