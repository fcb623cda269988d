"""The newsroom's signing keys: Ed25519, one in use, the retired ones kept for verifying.

Every key is a file of its own, readable by its owner alone. Rotation destroys the private part of the key it
retires: only the public part is needed from then on. A key that leaked is revoked, and what it signed is no
longer trusted.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

from joserfc.jwk import OKPKey

from service.errors import ConfigurationError, NotFound

CURVE: Final = "Ed25519"
KeyStatus = Literal["active", "retired", "revoked"]
_SUFFIX: Final = ".key.json"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key. Moments are aware; `jwk` holds the private part only while the key is active."""

    kid: str
    status: KeyStatus
    created_at: datetime
    retired_at: datetime | None
    revoked_at: datetime | None
    reason: str | None
    jwk: OKPKey

    @property
    def public_jwk(self) -> dict[str, Any]:
        """The key as others may see it (RFC 8037, RFC 9864)."""
        public: dict[str, Any] = dict(self.jwk.as_dict(private=False))
        return {**public, "kid": self.kid, "alg": CURVE, "use": "sig"}


class KeyRing:
    """The keys in a folder. Changes by another process (`tamga keys rotate`) are seen at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seen: tuple[tuple[int, int], ...] | None = None
        self._keys: dict[str, SigningKey] = {}

    def all(self) -> list[SigningKey]:
        """Every key, oldest first; makes the first one where there is none.

        Raises ConfigurationError where the folder cannot be used.
        """
        self._refresh()
        if not self._keys:
            with locked(self.folder):
                self._refresh()
                if not self._keys:
                    self._create()
            self._refresh()
        return sorted(self._keys.values(), key=lambda key: (key.created_at, key.kid))

    def active(self) -> SigningKey:
        """The key to sign with; a new one where the last was revoked."""
        active = [key for key in self.all() if key.status == "active"]
        return active[-1] if active else self.rotate()

    def find(self, kid: str) -> SigningKey | None:
        """The key of this id, whatever became of it."""
        return next((key for key in self.all() if key.kid == kid), None)

    def rotate(self) -> SigningKey:
        """Make a new key and retire the one in use. What was signed before still verifies."""
        with locked(self.folder):
            self._refresh()
            new = self._create()
            for key in list(self._keys.values()):
                if key.status == "active":
                    self._write(key, status="retired", retired_at=datetime.now(UTC))
        self._refresh()
        return self._keys[new]

    def revoke(self, kid: str, reason: str) -> SigningKey:
        """Withdraw a key that others may have; a new one takes its place.

        Raises NotFound where there is no such key.
        """
        with locked(self.folder):
            self._refresh()
            key = self._keys.get(kid)
            if key is None:
                raise NotFound(f"There is no key {kid}.")
            now = datetime.now(UTC)
            self._write(
                key, status="revoked", retired_at=key.retired_at or now, revoked_at=now, reason=reason
            )
        self._refresh()
        self.active()
        return self._keys[kid]

    def jwks(self) -> dict[str, list[dict[str, Any]]]:
        """The public keys, retired and revoked ones with their moments, as a JWK set."""
        keys = []
        for key in self.all():
            entry = key.public_jwk
            for name in ("retired_at", "revoked_at"):
                moment = getattr(key, name)
                if moment is not None:
                    entry[name] = moment.isoformat()
            keys.append(entry)
        return {"keys": keys}

    def _refresh(self) -> None:
        """Read the files again where one changed."""
        try:
            files = sorted(self.folder.glob(f"*{_SUFFIX}"))
            # A file is replaced, never written over: a change is another inode.
            facts = [file.stat() for file in files]
            seen = tuple((fact.st_ino, fact.st_mtime_ns) for fact in facts)
            if seen == self._seen:
                return
            self._keys = {key.kid: key for key in map(_read, files)}
            self._seen = seen
        except OSError as error:
            raise ConfigurationError(f"the signing keys cannot be read: {error}") from error

    def _create(self) -> str:
        jwk = OKPKey.generate_key(CURVE)
        kid = jwk.thumbprint()
        key = SigningKey(kid, "active", datetime.now(UTC), None, None, None, jwk)
        self._write(key, status="active")
        return kid

    def _write(self, key: SigningKey, *, status: KeyStatus, **changes: Any) -> None:
        values: dict[str, Any] = {
            "kid": key.kid,
            "status": status,
            "created_at": key.created_at,
            "retired_at": key.retired_at,
            "revoked_at": key.revoked_at,
            "reason": key.reason,
            **changes,
            "jwk": key.jwk.as_dict(private=status == "active"),
        }
        target = self.folder / f"{key.kid}{_SUFFIX}"
        content = json.dumps(values, default=datetime.isoformat, indent=1)
        write_private(target, content.encode())


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Have a folder of secrets alone among all processes; makes it, for its owner only.

    Raises ConfigurationError where it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        with (folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise ConfigurationError(f"the keys in {folder} cannot be written: {error}") from error


def write_private(target: Path, content: bytes) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(descriptor)
    draft.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read(file: Path) -> SigningKey:
    try:
        values = json.loads(file.read_bytes())
        moments = {
            name: datetime.fromisoformat(values[name]) if values[name] else None
            for name in ("created_at", "retired_at", "revoked_at")
        }
        created = moments["created_at"]
        if created is None:
            raise ValueError("it has no created_at")
        return SigningKey(
            kid=values["kid"],
            status=values["status"],
            created_at=created,
            retired_at=moments["retired_at"],
            revoked_at=moments["revoked_at"],
            reason=values["reason"],
            jwk=OKPKey.import_key(values["jwk"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{file.name} is not a signing key: {error}") from error
