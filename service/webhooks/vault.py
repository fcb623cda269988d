"""Secrets of webhooks at rest: encrypted with a key that lies beside the newsroom's signing keys.

Unlike an access key, a signing secret is needed again at every delivery, so no hash can stand in for it. With
the key in a file, the database or a dump of it alone signs nothing.
"""

from __future__ import annotations

import base64
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Final

from service.errors import ConfigurationError

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

PREFIX: Final = "whsec_"
_BYTES: Final = 32
_FILE: Final = "webhooks.key"


class SecretVault:
    """Encrypts secrets with the key in `folder`, which is made on first use. Safe to use from threads."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / _FILE
        self._fernet: Fernet | None = None

    def seal(self, secret: str) -> str:
        """The secret, to be stored. Raises ConfigurationError where the key cannot be read or written."""
        return self._open().encrypt(secret.encode()).decode("ascii")

    def unseal(self, sealed: str) -> str:
        """The secret again. Raises ConfigurationError where it was sealed with another key."""
        from cryptography.fernet import InvalidToken

        try:
            return self._open().decrypt(sealed).decode()
        except InvalidToken as error:
            raise ConfigurationError(
                f"the secret was encrypted with another key than the one in {self._file.name}; rotate it"
            ) from error

    def _open(self) -> Fernet:
        if self._fernet is None:
            from cryptography.fernet import Fernet

            try:
                self._fernet = Fernet(self._key())
            except (OSError, ValueError) as error:
                raise ConfigurationError(f"{self._file} cannot be used: {error}") from error
        return self._fernet

    def _key(self) -> bytes:
        from cryptography.fernet import Fernet

        from service.labels.keys import locked, write_private

        if not self._file.exists():
            with locked(self._file.parent):
                if not self._file.exists():
                    write_private(self._file, Fernet.generate_key())
        return self._file.read_bytes()


def new_secret() -> str:
    """A secret as Standard Webhooks writes it: 32 random bytes in base64 after `whsec_`."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode("ascii")
