"""Sessions under attack: fixation, tampering, guessing, and pages of other sites that act with the cookie."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from argon2 import PasswordHasher
from fastapi.testclient import TestClient

from service.app import create_app
from service.auth import passwords
from service.auth import sessions as module
from service.errors import PROBLEM_PREFIX
from service.runtime import Runtime
from service.settings import load_settings

PASSWORD = "a bridge, a river, a town"
COOKIE = "tamga-session"
SECURE_COOKIE = "__Host-tamga-session"
HERE = {"Sec-Fetch-Site": "same-origin"}
Connect = Callable[..., TestClient]


def service(home: Any, **settings: Any) -> Iterator[Connect]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Runtime, "load", lambda self: None)
        patch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        app = create_app(load_settings(home=home, **settings))

        def connect(token: str | None = None, *, peer: str = "127.0.0.1", **headers: str) -> TestClient:
            made = TestClient(
                app, base_url="http://127.0.0.1:8000", client=(peer, 50_000), headers=headers,
                raise_server_exceptions=False, follow_redirects=False,
            )  # fmt: skip
            made.app_state.update(running.app_state)
            if token is not None:
                made.cookies.set(COOKIE, token)
            return made

        with TestClient(app) as running:
            made = connect().post("/v1/accounts", json=account("chief", "admin"))
            assert made.status_code == 201, made.text
            yield connect


def account(login: str, role: str) -> dict[str, str]:
    return {"login": login, "name": login.title(), "role": role, "password": PASSWORD}


@pytest.fixture(scope="module")
def connect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connect]:
    """Browsers of one service, which an admin's account has closed."""
    yield from service(tmp_path_factory.mktemp("sessions"))


def sign_in(client: TestClient, login: str = "chief", password: str = PASSWORD, **headers: str) -> Any:
    return client.post("/v1/session", json={"login": login, "password": password}, headers=headers)


def token_of(client: TestClient) -> str:
    answer = sign_in(client)
    assert answer.status_code == 200, answer.text
    token: str = answer.cookies[COOKIE]
    return token


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(connect: Connect) -> None:
    answer = sign_in(connect())
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie
    assert "Secure" not in cookie
    assert answer.headers["cache-control"] == "no-store"
    assert answer.cookies[COOKIE] not in answer.text


def test_over_https_the_cookie_is_for_this_host_alone(tmp_path: Any) -> None:
    for connect in service(tmp_path / "home", public_url="https://news.example"):
        client = connect()
        cookie = sign_in(client).headers["set-cookie"]
        assert cookie.startswith(SECURE_COOKIE + "=")
        assert "Secure" in cookie
        token = cookie.partition("=")[2].partition(";")[0]
        good = connect(Cookie=f"{SECURE_COOKIE}={token}").get("/v1/session")
        assert good.json()["name"] == "Chief"
        # One that a page over plain HTTP could have set is not taken.
        assert connect(Cookie=f"{COOKIE}={token}").get("/v1/session").status_code == 401


def test_a_planted_session_is_worth_nothing_after_signing_in(connect: Connect) -> None:
    """Fixation: the attacker knows a token, and has the victim sign in with it."""
    for planted in (token_of(connect()), secrets.token_urlsafe(32)):
        victim = connect(planted)
        answer = sign_in(victim, **HERE)
        assert answer.cookies[COOKIE] != planted
        assert connect(planted).get("/v1/session").status_code == 401
        assert connect(answer.cookies[COOKIE]).get("/v1/session").status_code == 200


def tampered(token: str) -> list[str]:
    other = "A" if token[0] != "A" else "B"
    return [
        other + token[1:],
        token[:-1],
        token + "A",
        token.swapcase(),
        "",
        "null",
        "acc_1:admin",
        "eyJhbGciOiJub25lIn0.eyJyb2xlIjoiYWRtaW4ifQ.",
        "' OR 1=1 --",
        "A" * 43,
        "../../etc/passwd",
        "%00" * 14 + "a",
    ]


def test_tampered_cookies_open_nothing(connect: Connect) -> None:
    token = token_of(connect())
    for value in tampered(token):
        answer = connect(Cookie=f"{COOKIE}={value}").get("/v1/keys")
        assert answer.status_code == 401, value
        assert answer.headers["content-type"] == "application/problem+json"
    for header in (
        f"{COOKIE}={token[:-1]}x; {COOKIE}={token}",
        f"{COOKIE.upper()}={token}",
        f"x{COOKIE}={token}",
    ):
        assert connect(Cookie=header).get("/v1/keys").status_code == 401, header
    assert connect(Cookie=f"a=b; {COOKIE}={token}; c=d").get("/v1/keys").status_code == 200


def test_signing_out_ends_the_session_for_whoever_copied_it(connect: Connect) -> None:
    token = token_of(connect())
    client = connect(token)
    answer = client.delete("/v1/session", headers=HERE)
    assert answer.status_code == 204
    assert f'{COOKIE}=""' in answer.headers["set-cookie"]
    assert connect(token).get("/v1/session").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:8000"},
        {"Sec-Fetch-Site": "Same-Origin "},
        {"Origin": "https://attacker.example"},
        {"Origin": "http://127.0.0.1:8001"},
        {"Origin": "http://127.0.0.1.attacker.example:8000"},
        {"Origin": "http://127.0.0.1:8000@attacker.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:99999"},
        {"Origin": ""},
        {},
        {"Authorization": "Bearer tg_0f3a9c2b7d41_" + "0" * 48},
    ],
)
def test_other_sites_cannot_act_with_the_cookie(connect: Connect, headers: dict[str, str]) -> None:
    token = token_of(connect())
    client = connect(token)
    for method, path in (("POST", "/v1/accounts"), ("DELETE", "/v1/session"), ("PATCH", "/v1/accounts/x")):
        answer = client.request(method, path, json={}, headers=headers)
        assert answer.status_code == 403, (method, headers)
        assert answer.json()["type"] == PROBLEM_PREFIX + "cross-site"
        assert answer.headers["connection"] == "close"
    assert client.get("/v1/session").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://127.0.0.1:8000"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
    ],
)
def test_pages_of_the_service_can(connect: Connect, headers: dict[str, str]) -> None:
    client = connect(token_of(connect()))
    login = f"p{secrets.token_hex(4)}"
    assert client.post("/v1/accounts", json=account(login, "reader"), headers=headers).status_code == 201


def test_reading_needs_no_such_header(connect: Connect) -> None:
    client = connect(token_of(connect()))
    assert client.get("/v1/accounts", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_another_site_cannot_sign_a_browser_in(connect: Connect) -> None:
    """Login CSRF: the victim would work under the attacker's account."""
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://attacker.example"}):
        assert sign_in(connect(), **headers).status_code == 403
    form = {"login": "chief", "password": PASSWORD}
    assert connect().post("/v1/session", data=form).status_code == 415


def test_a_key_needs_no_such_header_as_long_as_no_cookie_comes_with_it(connect: Connect) -> None:
    admin = connect(token_of(connect()))
    made = admin.post("/v1/keys", json={"name": "cms", "role": "admin"}, headers=HERE).json()
    bearer = {"Authorization": f"Bearer {made['token']}"}
    assert connect(**bearer).post("/v1/keys", json={"name": "b", "role": "reader"}).status_code == 201
    both = connect(token_of(connect()), **bearer)
    assert both.post("/v1/keys", json={"name": "c", "role": "reader"}).status_code == 403


def test_guessing_passwords_over_http(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    guesser = connect(peer="203.0.113.9")
    answers = [sign_in(guesser, password=f"guess number {n}") for n in range(module.ATTEMPTS_PER_PAIR + 1)]
    assert [answer.status_code for answer in answers] == [401] * module.ATTEMPTS_PER_PAIR + [429]
    assert int(answers[-1].headers["retry-after"]) > 600
    # Not even with the right one, but elsewhere it opens.
    assert sign_in(guesser).status_code == 429
    assert sign_in(connect(peer="203.0.113.10")).status_code == 200
    strangers = [
        sign_in(connect(peer="203.0.113.11"), login="nobody", password="guess number 1") for _ in range(6)
    ]
    assert [answer.status_code for answer in strangers] == [401] * module.ATTEMPTS_PER_PAIR + [429]
    known, unknown = answers[0].json(), strangers[0].json()
    assert known == unknown
    assert known["type"] == PROBLEM_PREFIX + "sign-in-failed"


def test_a_disabled_account_and_a_stolen_session(connect: Connect) -> None:
    admin = connect(token_of(connect()), **HERE)
    login = f"p{secrets.token_hex(4)}"
    path = admin.post("/v1/accounts", json=account(login, "editor")).headers["location"]
    stolen = connect(sign_in(connect(), login).cookies[COOKIE])
    assert stolen.get("/v1/records").status_code == 200
    assert stolen.get("/v1/accounts").status_code == 403
    assert admin.delete(f"{path}/sessions").json() == {"ended": 1}
    assert stolen.get("/v1/records").status_code == 401
    tag = admin.get(path).headers["etag"]
    assert admin.patch(path, json={"disabled": True}, headers={"if-match": tag}).json()["state"] == "disabled"
    assert admin.patch(path, json={"name": "x"}, headers={"if-match": tag}).status_code == 412
    assert sign_in(connect(), login).status_code == 401


def test_changing_the_password_signs_out_everybody_else(connect: Connect) -> None:
    admin = connect(token_of(connect()), **HERE)
    login = f"p{secrets.token_hex(4)}"
    admin.post("/v1/accounts", json=account(login, "reviewer"))
    mine, other = (connect(sign_in(connect(), login).cookies[COOKIE], **HERE) for _ in range(2))
    new = "two bridges, two rivers"
    wrong = mine.post("/v1/session/password", json={"current": "not this one", "password": new})
    assert wrong.status_code == 403
    short = mine.post("/v1/session/password", json={"current": PASSWORD, "password": "short"})
    assert short.status_code == 422
    assert "short" not in short.text
    changed = mine.post("/v1/session/password", json={"current": PASSWORD, "password": new})
    assert changed.status_code == 200
    assert connect(changed.cookies[COOKIE]).get("/v1/session").json()["account"]["login"] == login
    assert other.get("/v1/session").status_code == 401
    assert sign_in(connect(), login).status_code == 401
    key = admin.post("/v1/keys", json={"name": "cms", "role": "reader"}).json()["token"]
    no_session = connect(Authorization=f"Bearer {key}")
    body = {"current": PASSWORD, "password": new}
    assert no_session.post("/v1/session/password", json=body).status_code == 401


def test_pages_lead_who_must_sign_in_to_the_login_and_back(connect: Connect) -> None:
    answer = connect(Accept="text/html").get("/dashboard/records?sort=age&kind=likely_ai")
    assert answer.status_code == 303
    assert (
        answer.headers["location"]
        == "/dashboard/login?next=/dashboard/records%3Fsort%3Dage%26kind%3Dlikely_ai"
    )
    evil = connect(Accept="text/html").get("/dashboard/records?x=%0d%0aSet-Cookie:a=b")
    assert "set-cookie" not in evil.headers
