from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.auth.scopes import LOCAL
from service.settings import Settings, load_settings
from service.store import Store, open_store
from service.store.outbox import publish
from service.webhooks.endpoints import Webhooks


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return load_settings(
        home=tmp_path / "home",
        database_url=database_url,
        webhooks=True,
        webhook_networks="127.0.0.0/8",
        webhook_seconds=1,
    )


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    opened = open_store(settings.database)
    yield opened
    opened.close()


@pytest.fixture
def webhooks(settings: Settings, store: Store) -> Webhooks:
    return Webhooks(settings, store)


@pytest.fixture
def make(webhooks: Webhooks) -> Any:
    """Makes a webhook for everything; returns its id."""
    return lambda url: webhooks.create(url, events=None, description=None, by=LOCAL).webhook.id


@pytest.fixture
def tell(store: Store) -> Any:
    """Publishes one event."""

    def told(number: int = 0) -> None:
        with store.database.writing() as connection:
            publish(connection, "records.changed", {"added": [f"r-{number}"], "updated": [], "removed": []})

    return told
