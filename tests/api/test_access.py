"""Keys over HTTP: every route says who may call it, and nobody else gets in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.api.access import guarded_routes
from service.app import create_app
from service.auth.scopes import SCOPES
from service.errors import PROBLEM_PREFIX
from service.runtime import Runtime
from service.settings import Settings
from service.store import open_store

Connect = Callable[..., TestClient]
PUBLIC = {"/livez", "/readyz", "/docs", "/docs/static", "/openapi.json"}
# A label is there to be read and checked by everybody.
PUBLIC_LABELS = re.compile(r"/\.well-known/.+|/v1/verify|/v1/labels/\{label_id\}.*|/verify.*|/l/.*")
# So is the way in.
ENTRANCES = re.compile(r"/v1/session|/dashboard/(login|static)")


@pytest.fixture
def connect(empty_home: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connect]:
    """Clients of one service without models: who gets in is decided before they are asked."""
    monkeypatch.setattr(Runtime, "load", lambda self: None)
    app = create_app(empty_home)

    def client(
        token: str | None = None, *, host: str = "127.0.0.1:8000", peer: str = "127.0.0.1", **headers: str
    ) -> TestClient:
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        made = TestClient(app, base_url=f"http://{host}", client=(peer, 50_000), headers=headers)
        # The service started once; this is one more caller of it.
        made.app_state.update(running.app_state)
        return made

    with TestClient(app) as running:
        yield client


def make_key(client: TestClient, **wanted: Any) -> dict[str, Any]:
    answer = client.post("/v1/keys", json={"name": "a key", "role": "admin", **wanted})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def test_every_route_declares_one_guard(empty_home: Settings) -> None:
    routes = list(guarded_routes(create_app(empty_home).routes))
    assert len(routes) >= 15
    assert [route.path for route in routes if not route.mounted and len(route.guards) != 1] == []
    shown = {route.path: route.methods for route in routes if route.is_public}
    assert shown.keys() >= PUBLIC
    for path in shown.keys() - PUBLIC:
        assert PUBLIC_LABELS.fullmatch(path) or ENTRANCES.fullmatch(path), path
        assert shown[path] <= {"GET"} or path.endswith(("/verify", "/session", "/login")), path
    assert {guard.scope for route in routes for guard in route.guards} <= {None, *SCOPES}


def test_without_keys_this_machine_may_do_everything(connect: Connect) -> None:
    assert connect().get("/v1/keys").json() == {"items": [], "next": None}
    assert connect(host="localhost").get("/v1/keys").status_code == 200
    assert connect(host="[::1]:8000", peer="::1").get("/v1/keys").status_code == 200


@pytest.mark.parametrize(
    ("status", "options"),
    [
        (401, {"peer": "192.0.2.7"}),
        (403, {"host": "rebound.example.org"}),
        (403, {"origin": "https://attacker.example.org"}),
        (403, {"origin": "null"}),
    ],
)
def test_without_keys_nobody_else_is_answered(connect: Connect, status: int, options: dict[str, str]) -> None:
    client = connect(**options)
    answer = client.get("/v1/keys")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert client.get("/livez").status_code == 200


def test_the_first_key_closes_the_service(connect: Connect) -> None:
    token = make_key(connect())["token"]
    refused = connect().get("/v1/keys")
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Bearer")
    assert refused.json()["type"] == PROBLEM_PREFIX + "unauthenticated"
    assert connect(token).get("/v1/keys").status_code == 200
    # With a key, the caller may be anywhere and the service have any name.
    assert connect(token, host="tamga.example.org", peer="192.0.2.7").get("/v1/keys").status_code == 200


def test_every_guarded_route_refuses_callers_without_a_key_before_it_reads_their_body(
    connect: Connect,
) -> None:
    make_key(connect())
    client = connect()
    tried = 0
    for route in guarded_routes(client.app.routes):  # type: ignore[attr-defined]
        if route.is_public:
            continue
        for method in route.methods:
            path = route.path.replace("{record_id:path}", "x")
            answer = client.request(method, path, content=b"{not json", follow_redirects=False)
            if path.startswith("/dashboard") and method == "GET":
                # People are led to where they can sign in.
                assert answer.status_code == 303, path
                assert answer.headers["location"].startswith("/dashboard/login?next=/dashboard"), path
                continue
            assert answer.status_code == 401, (method, path)
            assert answer.headers["connection"] == "close"
            tried += 1
    assert tried >= 12


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer tg_0f3a9c2b7d41_00", "Basic dTpw", "tg_", "Bearer \x00"]
)
def test_what_is_no_key_is_refused_even_where_none_is_needed(connect: Connect, header: str) -> None:
    make_key(connect())
    assert connect(authorization=header).get("/v1/records").status_code == 401
    assert connect(authorization=header).get("/livez").status_code == 401


def test_a_key_may_do_what_its_scopes_say_and_no_more(connect: Connect) -> None:
    admin = connect(make_key(connect())["token"])
    reader = connect(make_key(admin, role="reader")["token"])
    assert reader.get("/v1/records").status_code == 200
    for method, path in (("DELETE", "/v1/records/x"), ("GET", "/v1/keys"), ("POST", "/v1/articles")):
        answer = reader.request(method, path, json={"text": "x"} if method == "POST" else None)
        assert answer.status_code == 403, path
        assert answer.json()["type"] == PROBLEM_PREFIX + "forbidden"
    writer = connect(make_key(admin, role="editor", scopes=["records:write"])["token"])
    assert writer.delete("/v1/records/x").status_code == 404
    assert writer.get("/v1/records").status_code == 403


def test_a_key_is_read_changed_rotated_and_revoked(connect: Connect) -> None:
    admin = connect(make_key(connect())["token"])
    made = admin.post("/v1/keys", json={"name": "cms", "role": "reviewer"})
    path, first = made.headers["location"], made.json()
    assert made.headers["cache-control"] == "no-store"
    read = admin.get(path)
    assert "token" not in read.json()
    tag = read.headers["etag"]
    changed = admin.patch(path, json={"name": "cms 2"}, headers={"if-match": tag})
    assert changed.json()["name"] == "cms 2"
    assert changed.json()["scopes"] == first["scopes"]
    assert admin.patch(path, json={"name": "lost"}, headers={"if-match": tag}).status_code == 412
    assert admin.patch(path, json={"name": "x"}, headers={"if-match": "3"}).status_code == 422
    assert admin.patch(path, json={"name": "cms 3"}, headers={"if-match": "*"}).status_code == 200
    rotated = admin.post(f"{path}/rotate").json()
    assert rotated["id"] == first["id"]
    assert connect(first["token"]).get("/v1/records").status_code == 401
    assert connect(rotated["token"]).get("/v1/records").status_code == 200
    assert admin.delete(path).json()["state"] == "revoked"
    assert connect(rotated["token"]).get("/v1/records").status_code == 401
    assert admin.delete(path).status_code == 409
    assert admin.get("/v1/keys/none").status_code == 404


def test_the_audit_log_names_the_key_that_did_it(connect: Connect, empty_home: Settings) -> None:
    first = make_key(connect())
    admin = connect(first["token"])
    second = make_key(admin, role="reader")
    admin.patch(f"/v1/keys/{second['id']}", json={"name": "renamed"})
    admin.delete(f"/v1/keys/{second['id']}")
    store = open_store(empty_home.database)
    entries = store.audit_log.list()
    store.close()
    assert [(entry.action, entry.subject, entry.actor) for entry in entries] == [
        ("key.create", first["id"], "local"),
        ("key.create", second["id"], first["id"]),
        ("key.update", second["id"], first["id"]),
        ("key.revoke", second["id"], first["id"]),
    ]
    assert not any(key["token"][16:] in str(entries) for key in (first, second))


@pytest.mark.parametrize(
    "body",
    [
        {"name": "", "role": "admin"},
        {"name": "a\u0000b", "role": "admin"},
        {"name": "x", "role": "root"},
        {"name": "x", "role": "reader", "scopes": ["keys:write"]},
        {"name": "x", "role": "admin", "scopes": []},
        {"name": "x", "role": "admin", "expires_at": "2020-01-01T00:00:00Z"},
        {"name": "x", "role": "admin", "expires_at": "2030-01-01T00:00:00"},
        {"name": "x", "role": "admin", "secret": "mine"},
    ],
)
def test_impossible_keys_are_refused(connect: Connect, body: dict[str, Any]) -> None:
    assert connect().post("/v1/keys", json=body).status_code == 422
    assert connect().get("/v1/keys").status_code == 200
