"""Access keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Unpack

from service.api.keys import CreatedKey, Key, KeyPage
from service.auth.scopes import Role
from service.client.calls import Calls, path
from service.client.fields import KeyChanges, KeyFields


class KeyCalls(Calls):
    """Who may do what."""

    def create_key(self, name: str, role: Role, **narrower: Unpack[KeyFields]) -> CreatedKey:
        """Make a key, narrowed to `scopes` or ending at `expires_at`. The answer holds the token, this once;
        where the answer is lost, the key is found in the list and rotated.
        """
        return self._create(path("keys"), {"name": name, "role": role, **narrower}, CreatedKey)

    def get_key(self, key_id: str) -> Key:
        """One key, without its token."""
        return self._get(path("keys", key_id), Key)

    def list_keys(self) -> Iterator[Key]:
        """All keys, revoked ones too, fetched page by page."""
        return self._pages(path("keys"), KeyPage, lambda page: (page.items, page.next))

    def update_key(self, key_id: str, *, if_match: str | None = None, **changes: Unpack[KeyChanges]) -> Key:
        """Change what is named; the rest stays."""
        return self._change(path("keys", key_id), changes, Key, if_match)

    def rotate_key(self, key_id: str, *, grace_seconds: int = 0) -> CreatedKey:
        """Give a key a new token; the old one stays good for `grace_seconds`."""
        return self._create(path("keys", key_id, "rotate"), {"grace_seconds": grace_seconds}, CreatedKey)

    def revoke_key(self, key_id: str) -> Key:
        """Revoke a key for good. It stays in the list."""
        return Key.model_validate_json(self._send("DELETE", path("keys", key_id)))
