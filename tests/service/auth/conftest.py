from __future__ import annotations

from collections.abc import Iterator

import pytest

from service.auth.keys import Keys
from service.store import Store, open_store


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    opened = open_store(database_url)
    yield opened
    opened.close()


@pytest.fixture
def keys(store: Store) -> Keys:
    return Keys(store.access_keys)
