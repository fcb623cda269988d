"""/v1/settings: what an administrator changes while the service runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service.app import create_app
from service.runtime import Runtime
from service.settings import load_settings


@pytest.fixture(scope="module")
def open_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A service without models: settings need none."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Runtime, "load", lambda self: None)
        app = create_app(load_settings(home=tmp_path_factory.mktemp("settings") / "home"))
        with TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 50_000)) as client:
            yield client


def test_settings_are_changed_by_whoever_read_them_last(open_client: TestClient) -> None:
    client = open_client
    first = client.get("/v1/settings")
    assert first.json()["target_fpr"] == 0.01
    assert first.json()["changed"] == []
    tag = {"If-Match": first.headers["etag"]}
    changed = client.patch("/v1/settings", json={"target_fpr": 0.05, "countries": ["UZ", "KZ"]}, headers=tag)
    assert changed.status_code == 200
    assert changed.json()["countries"] == ["KZ", "UZ"]
    assert changed.json()["changed"] == ["countries", "target_fpr"]
    assert changed.json()["changed_by"] == "local"
    late = client.patch("/v1/settings", json={"target_fpr": 0.001}, headers=tag)
    assert late.status_code == 412
    again = client.get("/v1/settings")
    assert again.json() == changed.json()
    assert again.headers["etag"] == changed.headers["etag"]
    kept = client.patch("/v1/settings", json={"target_fpr": None}).json()
    assert (kept["target_fpr"], kept["countries"], kept["changed"]) == (0.01, ["KZ", "UZ"], ["countries"])


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"target_fpr": 0.02}, "#/target_fpr"),
        ({"countries": ["XX"]}, "#/countries"),
        ({"countries": ["kz"]}, "#/countries/0"),
        ({"colour": "red"}, "#/colour"),
    ],
)
def test_an_impossible_change_is_refused_by_its_place(
    open_client: TestClient, body: dict[str, object], pointer: str
) -> None:
    before = open_client.get("/v1/settings").headers["etag"]
    refused = open_client.patch("/v1/settings", json=body)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == pointer
    assert open_client.get("/v1/settings").headers["etag"] == before


def test_certificates_are_added_listed_and_removed(open_client: TestClient) -> None:
    client = open_client
    pem = client.app_state["worker"].runtime.label_office.authority.anchor()
    added = client.post("/v1/settings/trust-anchors", json={"pem": pem})
    assert added.status_code == 200
    (anchor,) = added.json()["items"]
    assert (anchor["source"], anchor["added_by"], len(anchor["fingerprint"])) == ("added", "local", 64)
    assert client.get("/v1/settings/trust-anchors").json() == added.json()
    assert client.post("/v1/settings/trust-anchors", json={"pem": "none"}).status_code == 422
    gone = f"/v1/settings/trust-anchors/{anchor['fingerprint']}"
    assert client.delete(gone).status_code == 204
    assert client.delete(gone).status_code == 404
    assert client.get("/v1/settings/trust-anchors").json() == {"items": []}


def test_only_an_administrator_changes_settings_and_it_is_logged(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Runtime, "load", lambda self: None)
        app = create_app(load_settings(home=tmp_path / "home"))
        with TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 50_000)) as client:
            chief = client.post("/v1/keys", json={"name": "chief", "role": "admin"}).json()
            admin = {"Authorization": f"Bearer {chief['token']}"}
            made = client.post("/v1/keys", json={"name": "desk", "role": "editor"}, headers=admin).json()
            editor = {"Authorization": f"Bearer {made['token']}"}
            assert client.get("/v1/settings", headers=editor).status_code == 200
            refused = client.patch("/v1/settings", json={"target_fpr": 0.05}, headers=editor)
            assert refused.status_code == 403
            assert refused.json()["title"] == "You may not do that"
            assert client.patch("/v1/settings", json={"target_fpr": 0.05}, headers=admin).status_code == 200
            log = client.app_state["worker"].runtime.store.audit_log.list()
            told = [(item.actor, dict(item.detail)) for item in log if item.action == "settings.update"]
            assert told == [(chief["id"], {"target_fpr": 0.05})]
