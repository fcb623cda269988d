from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.app import create_app
from service.commands.samples import load_samples_if_empty
from service.settings import Settings, load_settings


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return load_settings(home=tmp_path_factory.mktemp("home"))


def wait_until_ready(client: TestClient, seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while (answer := client.get("/readyz")).status_code != 200:
        assert answer.json()["checks"]["models"]["status"] == "loading", answer.json()
        assert time.monotonic() < deadline, answer.json()
        time.sleep(0.1)


@pytest.fixture(scope="session")
def client(settings: Settings) -> Iterator[TestClient]:
    """The whole service in this process, with the sample records, over real models."""
    app = create_app(settings, prepare=load_samples_if_empty)
    # Unexpected errors must reach the tests as the answer a caller would get, not as exceptions.
    # It comes from this machine and asks this machine, as long as there is no key.
    here: dict[str, Any] = {"base_url": "http://127.0.0.1", "client": ("127.0.0.1", 50_000)}
    with TestClient(app, raise_server_exceptions=False, **here) as client:
        wait_until_ready(client)
        yield client


@pytest.fixture
def empty_home(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path / "home")
