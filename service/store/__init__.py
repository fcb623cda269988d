"""The one database layer: tables, migrations and repositories. SQLite by default, written so that PostgreSQL
fits.
"""

from __future__ import annotations

from service.store.errors import StoreError
from service.store.store import Store, open_store

__all__ = ["Store", "StoreError", "open_store"]
