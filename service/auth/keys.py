"""Access keys: `tg_<id>_<secret>`, made here, shown once, and afterwards known only by a hash.

The secret is 192 random bits, so a plain SHA-256 keeps it: there is nothing to guess that a slow hash would
protect. `id` is not secret; it names the key in lists and logs.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import threading
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, TypedDict, cast

from service.auth.scopes import Caller, Role, Scope, scopes_of
from service.errors import Forbidden, InvalidInput, NotFound
from service.store.keys import SqlKeyRepository, StoredKey

TOKEN: Final = re.compile(r"tg_([0-9a-f]{12})_([0-9a-f]{48})")
# What an unknown id is compared with, so that it takes as long as a wrong secret.
_NO_HASH: Final = hashlib.sha256(b"").hexdigest()
# `last_used_at` is for people; a write per request would cost more than many a request.
USE_NOTED_EVERY_SECONDS: Final = 60.0
MAX_GRACE: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class AccessKey:
    """What may be shown of a key. `scopes` is what it may do, be it by its role or narrowed."""

    id: str
    version: int
    name: str
    role: Role
    scopes: tuple[Scope, ...]
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None

    @property
    def state(self) -> Literal["active", "expired", "revoked"]:
        """Whether the key opens anything now."""
        if self.revoked_at is not None:
            return "revoked"
        expired = self.expires_at is not None and self.expires_at <= datetime.now(UTC)
        return "expired" if expired else "active"


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key just made or rotated, with the token that is never shown again."""

    key: AccessKey
    token: str


class KeyChanges(TypedDict, total=False):
    """What may change after a key was made."""

    name: str
    role: Role
    scopes: Collection[Scope] | None
    expires_at: datetime | None


class Keys:
    """The access keys of one store. Safe to use from threads; every method asks the database, so a revoked
    key is refused at once, by every process.
    """

    def __init__(self, repository: SqlKeyRepository) -> None:
        self._repository = repository
        self._closed = False
        self._noted: dict[str, float] = {}
        self._lock = threading.Lock()

    def closed(self) -> bool:
        """Was a key or an account ever made? From then on nobody gets in without one."""
        # It never becomes false again, so a yes need not be asked for twice.
        self._closed = self._closed or self._repository.any()
        return self._closed

    def caller(self, token: str) -> Caller | None:
        """Who holds this token; None where it is not (or no longer) good for anything."""
        parts = TOKEN.fullmatch(token)
        stored = self._repository.get(parts[1]) if parts else None
        given = _hash(parts[2]) if parts else _hash(token)
        if not _matches(stored, given) or stored is None:
            return None
        key = _access_key(stored)
        if key.state != "active":
            return None
        self._note_use(key.id)
        return Caller(key.id, key.name, frozenset(key.scopes))

    def create(
        self,
        name: str,
        role: Role,
        *,
        scopes: Collection[Scope] | None = None,
        expires_at: datetime | None = None,
        by: Caller,
    ) -> IssuedKey:
        """Make a key for `by`. `scopes` narrows what the role may do.

        Raises:
            InvalidInput: scopes that the role does not have, an end in the past, or a first key that could
                not make further ones: it would lock everybody out of the API.
            Forbidden: the key could do what its maker may not.
        """
        issued, stored = _new(name, role, scopes, expires_at, by)
        if not self.closed():
            if role != "admin" or scopes is not None:
                raise InvalidInput("The first key must be an admin key without narrowed scopes.")
            if self._repository.add(stored, only_as_first=True):
                return issued
            raise Forbidden("Another key or an account was made at this moment; use that one.")
        _must_not_exceed(issued.key.scopes, by)
        self._repository.add(stored)
        return issued

    def create_first(self, name: str, *, by: Caller) -> IssuedKey | None:
        """Make an admin key if no key or account was ever made."""
        issued, stored = _new(name, "admin", None, None, by)
        return issued if self._repository.add(stored, only_as_first=True) else None

    def get(self, key_id: str) -> AccessKey:
        """One key. Raises NotFound."""
        stored = self._repository.get(key_id)
        if stored is None:
            raise NotFound("No key has this id.")
        return _access_key(stored)

    def list(self, after: str | None = None, limit: int = 100) -> Sequence[AccessKey]:
        """Keys in order of creation, those made after the key `after`."""
        return [_access_key(stored) for stored in self._repository.list(after, limit)]

    def update(
        self, key_id: str, changes: KeyChanges, *, version: int | None = None, by: Caller
    ) -> AccessKey:
        """Change a key.

        Raises:
            NotFound, PreconditionFailed, Conflict: see `SqlKeyRepository.update`.
            InvalidInput, Forbidden: see `create`.
        """
        known = self.get(key_id)
        role = changes.get("role", known.role)
        values: dict[str, Any] = dict(changes)
        if "role" in changes or "scopes" in changes:
            allowed = _narrowed(role, changes.get("scopes"))
            _must_not_exceed(allowed, by)
            values["scopes"] = None if changes.get("scopes") is None else list(allowed)
        _must_lie_ahead(changes.get("expires_at"))
        # Whoever may not do what a key can do must not change it either: neither keep it alive nor end it.
        _must_not_exceed(known.scopes, by)
        return _access_key(
            _present(self._repository.update(key_id, values, action="key.update", version=version))
        )

    def rotate(self, key_id: str, *, grace: timedelta = timedelta(0), by: Caller) -> IssuedKey:
        """Give a key a new secret; the old one stays good for `grace`.

        Raises:
            InvalidInput: more than `MAX_GRACE`.
            NotFound, Conflict, Forbidden: see `update`.
        """
        if not timedelta(0) <= grace <= MAX_GRACE:
            raise InvalidInput(f"The old secret may stay good for at most {MAX_GRACE.days} days.")
        stored = _present(self._repository.get(key_id))
        _must_not_exceed(_access_key(stored).scopes, by)
        secret = secrets.token_hex(24)
        values = {
            "secret_hash": _hash(secret),
            "previous_hash": stored.secret_hash if grace else None,
            "previous_expires_at": datetime.now(UTC) + grace if grace else None,
        }
        # With the version it was read at: of two rotations at once, one is refused rather than lost.
        updated = _present(
            self._repository.update(key_id, values, action="key.rotate", version=stored.version)
        )
        return IssuedKey(_access_key(updated), _token(key_id, secret))

    def revoke(self, key_id: str, *, by: Caller) -> AccessKey:
        """End a key for good.

        Raises:
            NotFound, Conflict, Forbidden: see `update`.
        """
        known = self.get(key_id)
        _must_not_exceed(known.scopes, by)
        return _access_key(
            _present(self._repository.update(key_id, {"revoked_at": datetime.now(UTC)}, action="key.revoke"))
        )

    def _note_use(self, key_id: str) -> None:
        now = time.monotonic()
        with self._lock:
            if now - self._noted.get(key_id, -USE_NOTED_EVERY_SECONDS) < USE_NOTED_EVERY_SECONDS:
                return
            self._noted[key_id] = now
        self._repository.mark_used(key_id, datetime.now(UTC))


def _new(
    name: str, role: Role, scopes: Collection[Scope] | None, expires_at: datetime | None, by: Caller
) -> tuple[IssuedKey, StoredKey]:
    _must_lie_ahead(expires_at)
    narrowed = None if scopes is None else list(_narrowed(role, scopes))
    key_id, secret = secrets.token_hex(6), secrets.token_hex(24)
    stored = StoredKey(
        id=key_id,
        version=1,
        name=name,
        role=role,
        scopes=cast("list[str] | None", narrowed),
        secret_hash=_hash(secret),
        previous_hash=None,
        previous_expires_at=None,
        created_by=by.id,
        created_at=datetime.now(UTC),
        expires_at=expires_at,
        last_used_at=None,
        revoked_at=None,
    )
    return IssuedKey(_access_key(stored), _token(key_id, secret)), stored


def _narrowed(role: Role, scopes: Collection[Scope] | None) -> tuple[Scope, ...]:
    allowed = scopes_of(role)
    if scopes is None:
        return tuple(sorted(allowed))
    beyond = sorted(set(scopes) - allowed)
    if beyond:
        raise InvalidInput(f"The role {role} does not have {', '.join(beyond)}.", pointer="#/scopes")
    return tuple(sorted(set(scopes)))


def _must_not_exceed(scopes: Collection[Scope], by: Caller) -> None:
    beyond = sorted(set(scopes) - by.scopes)
    if beyond:
        raise Forbidden(f"Your own key lacks {', '.join(beyond)}, which this key has.")


def _must_lie_ahead(moment: datetime | None) -> None:
    if moment is not None and moment <= datetime.now(UTC):
        raise InvalidInput("A key cannot end in the past.", pointer="#/expires_at")


def _matches(stored: StoredKey | None, given: str) -> bool:
    current = stored.secret_hash if stored else _NO_HASH
    good = hmac.compare_digest(given, current)
    if stored and stored.previous_hash and stored.previous_expires_at:
        in_time = datetime.now(UTC) < stored.previous_expires_at
        good |= hmac.compare_digest(given, stored.previous_hash) and in_time
    return good


def _access_key(stored: StoredKey) -> AccessKey:
    role = cast(Role, stored.role)
    return AccessKey(
        id=stored.id,
        version=stored.version,
        name=stored.name,
        role=role,
        # A role may come to mean less with a new version: a key never keeps what its role lost.
        scopes=tuple(sorted(scopes_of(role) & set(stored.scopes)))
        if stored.scopes is not None
        else tuple(sorted(scopes_of(role))),
        created_by=stored.created_by,
        created_at=stored.created_at,
        expires_at=stored.expires_at,
        last_used_at=stored.last_used_at,
        revoked_at=stored.revoked_at,
    )


def _present(stored: StoredKey | None) -> StoredKey:
    if stored is None:
        raise NotFound("No key has this id.")
    return stored


def _token(key_id: str, secret: str) -> str:
    return f"tg_{key_id}_{secret}"


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
