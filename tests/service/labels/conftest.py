"""A label desk over a home of the test's own; no models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.labels.issuing import LabelDesk
from service.labels.opening import LabelOffice
from service.settings import Settings, load_settings
from service.store import open_store

ADDRESS = "https://news.example"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path / "home", public_url=ADDRESS, issuer_name="Example News")


@pytest.fixture
def desk(settings: Settings) -> Iterator[LabelDesk]:
    store = open_store(settings.database)
    yield LabelOffice(settings).desk(store)
    store.close()
