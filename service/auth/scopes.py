"""Scopes (what may be done to which resource), roles (named sets of scopes) and callers (who holds them)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

Scope = Literal[
    "articles:read",
    "articles:write",
    "claims:read",
    "records:read",
    "records:write",
    "labels:read",
    "labels:write",
    "reviews:read",
    "reviews:write",
    "reviews:settle",
    "audits:read",
    "audits:write",
    "models:read",
    "metrics:read",
    "webhooks:read",
    "webhooks:write",
    "keys:read",
    "keys:write",
    "accounts:read",
    "accounts:write",
    "settings:read",
    "settings:write",
]
Role = Literal["reader", "reviewer", "editor", "admin"]

SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
ROLES: Final[tuple[Role, ...]] = get_args(Role)

# Each role adds to the one before it.
_ADDED: Final[dict[Role, frozenset[Scope]]] = {
    "reader": frozenset(
        {
            "articles:read",
            "claims:read",
            "records:read",
            "labels:read",
            "reviews:read",
            "audits:read",
            "models:read",
            "settings:read",
        }
    ),
    "reviewer": frozenset({"articles:write", "reviews:write"}),
    "editor": frozenset({"records:write", "labels:write", "reviews:settle", "audits:write"}),
    "admin": frozenset(
        {
            "metrics:read",
            "keys:read",
            "keys:write",
            "webhooks:read",
            "webhooks:write",
            "accounts:read",
            "accounts:write",
            "settings:write",
        }
    ),
}


def scopes_of(role: Role) -> frozenset[Scope]:
    """Everything a role may do."""
    upto = ROLES[: ROLES.index(role) + 1]
    return frozenset[Scope]().union(*(_ADDED[name] for name in upto))


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request: the id and name of the key, and what it may do."""

    id: str
    name: str
    scopes: frozenset[Scope]


# Whoever reaches a service without keys: it listens on loopback only, so that is somebody on this machine.
LOCAL: Final = Caller("local", "this machine", frozenset(SCOPES))
