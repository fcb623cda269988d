from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.auth.keys import Keys
from service.store import Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'tamga.db'}")
    yield opened
    opened.close()


@pytest.fixture
def keys(store: Store) -> Keys:
    return Keys(store.access_keys)
