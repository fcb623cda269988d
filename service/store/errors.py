"""What can go wrong with the database, in words for the person who runs it."""

from __future__ import annotations

from service.errors import TamgaError


class StoreError(TamgaError):
    """The database cannot be opened, read or written."""

    status = 503
    slug = "database"
    title = "The database cannot be used"

    @property
    def headers(self) -> dict[str, str]:
        """A server that is away may come back."""
        return {"Retry-After": "5"}


class StaleReadError(Exception):
    """A record changed between preparing a write and writing it: prepare it again."""
