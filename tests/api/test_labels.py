"""Labels over HTTP: issued, read in every form, verified, withdrawn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.app import create_app
from service.runtime import Runtime
from service.settings import load_settings

TEXT = "Қала кітапханасы жаңа ғимаратқа көшті. Оқырмандарды бейсенбіден бастап қабылдайды."
PAGE = (
    f"<!doctype html><html><head><title>К</title></head><body><article><p>{TEXT}</p></article></body></html>"
)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The whole service with models that never load: labels need none."""
    settings = load_settings(home=tmp_path_factory.mktemp("labels"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Runtime, "load", lambda runtime: None)
        with TestClient(
            create_app(settings),
            raise_server_exceptions=False,
            client=("127.0.0.1", 50_000),
            base_url="http://127.0.0.1:8000",
        ) as opened:
            yield opened


def issue(client: TestClient, **fields: Any) -> dict[str, Any]:
    values = {
        "text": TEXT,
        "url": "https://news.example/a",
        "language": "kk",
        "declared": "assisted",
        **fields,
    }
    answer = client.post("/v1/labels", json=values)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/v1/labels/{found['id']}"
    return found


def test_a_label_from_issue_to_revocation(client: TestClient) -> None:
    label = issue(client, human_review="reviewed", jurisdictions=["KZ"])
    path = f"/v1/labels/{label['id']}"
    assert (label["state"], label["status"]) == ("ai_assisted", "active")
    assert label["display"]["language"] == "kk"
    assert label["encodings"]["headers"]["AI-Disclosure"].startswith("mode=ai-modified")
    assert label["document"]["obligations"][0]["required"] == "required"
    assert client.get(f"{path}.jws").text == label["jws"]
    assert client.get(f"{path}.c2pa").headers["content-type"] == "application/c2pa"
    assert client.get(f"{path}/badge.svg").headers["content-type"].startswith("image/svg+xml")
    assert client.get(f"{path}/qr.svg").text.startswith("<svg")
    assert client.get(f"/l/{label['id']}?lang=tr").status_code == 200
    kids = [key["kid"] for key in client.get("/.well-known/jwks.json").json()["keys"]]
    assert label["kid"] in kids
    verified = client.post("/v1/verify", json={"jws": label["jws"], "text": TEXT}).json()
    assert (verified["verdict"], verified["content_match"]) == ("valid", "exact")
    revoked = client.post(f"{path}/revoke", json={"reason": "wrong", "by": "A. Editor"}).json()
    assert (revoked["status"], revoked["encodings"]) == ("revoked", None)
    again = client.post("/v1/verify", json={"jws": label["jws"]}).json()
    assert (again["verdict"], again["status"], again["status_reason"]) == ("not_valid", "revoked", "wrong")
    kinds = [event["kind"] for event in client.get(f"{path}/history").json()]
    assert kinds == ["issued", "manifest_added", "revoked"]
    assert client.get(f"{path}/badge.svg").status_code == 404


def test_a_page_is_embedded_and_verified(client: TestClient) -> None:
    label = issue(client, text=None, html=PAGE, url="https://news.example/b")
    page = client.post(f"/v1/labels/{label['id']}/embed", json={"html": PAGE}).json()["html"]
    found = client.post("/v1/verify", json={"html": page}).json()
    assert (found["verdict"], found["label_id"], found["c2pa"]["state"]) == ("valid", label["id"], "Trusted")


def test_what_is_not_confirmed_is_not_public(client: TestClient) -> None:
    draft = issue(client, declared=None, url="https://news.example/c")
    assert (draft["status"], draft["jws"], draft["encodings"], draft["page"]) == ("draft", None, None, None)
    for path in (f"/v1/labels/{draft['id']}.jws", f"/v1/labels/{draft['id']}.c2pa", f"/l/{draft['id']}"):
        assert client.get(path).status_code == 404
    refused = client.post(f"/v1/labels/{draft['id']}/embed", json={"html": PAGE})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:tamga:problem:label-state")
    waiting = client.get("/v1/labels", params={"status": "draft", "limit": 200}).json()["items"]
    assert draft["id"] in {item["id"] for item in waiting}


def test_proposals_and_mistakes(client: TestClient) -> None:
    html = PAGE.replace("<head>", '<head><meta name="ai-disclosure" content="ai-generated">')
    proposed = client.post("/v1/labels/propose", json={"html": html, "declared": "none"}).json()
    assert (proposed["status"], proposed["review_reasons"][0]) == ("disputed", "conflict")
    decision = {"by": "A. Editor", "involvement": "none", "reason": "asked"}
    refused = client.post("/v1/labels", json={"html": html, "declared": "none", "decision": decision})
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:tamga:problem:uncited-evidence")
    for body in (
        {},
        {"text": TEXT, "html": PAGE},
        {"file": "no base64"},
        {"text": TEXT, "jurisdictions": ["XX"]},
    ):
        assert client.post("/v1/labels", json=body).status_code == 422
    assert client.post("/v1/verify", json={}).status_code == 422
    assert client.post("/v1/verify", json={"jws": "a.b.c"}).json()["verdict"] == "not_valid"
    assert client.get("/v1/labels/nothing").status_code == 404
