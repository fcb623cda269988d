from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.app import create_app
from service.auth.scopes import ROLES
from service.runtime import Runtime
from service.settings import load_settings

PASSWORD = "seven quiet rivers meet"


@dataclass(frozen=True)
class Site:
    """One running service without models, and browsers of it."""

    browser: Callable[..., TestClient]

    def account(self, login: str, role: str, by: TestClient) -> None:
        body: dict[str, Any] = {"login": login, "name": login.title(), "role": role, "password": PASSWORD}
        answer = by.post("/v1/accounts", json=body)
        assert answer.status_code == 201, answer.text

    def log_in(self, login: str, **form: str) -> tuple[TestClient, Any]:
        """A new browser, and what it was answered."""
        browser = self.browser()
        answer = browser.post("/dashboard/login", data={"login": login, "password": PASSWORD, **form})
        return browser, answer


@contextmanager
def _running(home: Path) -> Iterator[Site]:
    patched = pytest.MonkeyPatch()
    patched.setattr(Runtime, "load", lambda self: None)
    app = create_app(load_settings(home=home))

    def browser(**headers: str) -> TestClient:
        # What browsers say of a request from a page of the service itself.
        sent = {"sec-fetch-site": "same-origin", "accept": "text/html", **headers}
        made = TestClient(
            app,
            base_url="http://127.0.0.1:8000",
            client=("127.0.0.1", 50_000),
            headers=sent,
            follow_redirects=False,
        )
        made.app_state.update(running.app_state)
        return made

    with TestClient(app) as running:
        yield Site(browser)
    patched.undo()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A service that is open to this machine: there is no account."""
    with _running(tmp_path_factory.mktemp("open") / "home") as running:
        yield running


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A service with one account of each role, called like it."""
    with _running(tmp_path_factory.mktemp("closed") / "home") as running:
        running.account("admin", "admin", by=running.browser())
        chief, _ = running.log_in("admin")
        for role in ROLES:
            if role != "admin":
                running.account(role, role, by=chief)
        yield running
