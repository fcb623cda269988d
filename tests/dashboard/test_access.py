"""Who gets into the dashboard, how they log in and out, and what keeps other sites out."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from service.api.access import GuardedRoute, guarded_routes
from service.auth.scopes import ROLES, scopes_of
from service.dashboard.answers import HEADERS
from service.dashboard.pages import HOME, local_path

SITE = Any
ELSEWHERE = [
    "https://attacker.example",
    "//attacker.example",
    "/\\attacker.example",
    "\\\\attacker.example",
    "/dashboard//attacker.example",
    "/dashboard/../l/static/x",
    "/dashboardx",
    "/dashboard@attacker.example",
    "javascript:alert(1)",
    "/dashboard\r\nSet-Cookie: a=b",
    " /dashboard",
    "/v1/keys",
    "",
]


def pages(site: SITE) -> list[GuardedRoute]:
    found = guarded_routes(site.browser().app.routes)
    return [route for route in found if route.path.startswith(HOME) and not route.mounted]


def test_every_page_declares_who_may_see_it(site: SITE) -> None:
    found = pages(site)
    assert len(found) >= 20
    assert all(len(route.guards) == 1 for route in found)
    assert {route.path for route in found if route.is_public} <= {HOME + "/login"}


def test_an_open_service_shows_every_page_to_this_machine(site: SITE) -> None:
    browser = site.browser()
    for route in pages(site):
        if "GET" in route.methods:
            answer = browser.get(route.path)
            # Pages of one thing want its id; none of them asks for a login.
            assert answer.status_code in (200, 303, 404, 422), route.path
            assert "/login" not in answer.headers.get("location", ""), route.path


@pytest.mark.parametrize("role", ROLES)
def test_each_role_sees_what_its_scopes_allow_and_nothing_else(closed: SITE, role: str) -> None:
    browser, answer = closed.log_in(role)
    assert answer.status_code == 303
    refused = seen = 0
    for route in pages(closed):
        if route.path.endswith("/logout"):
            continue
        (guard,) = route.guards
        if guard.scope is None:
            continue
        for method in route.methods - {"HEAD"}:
            answer = browser.request(method, route.path)
            assert answer.headers.get("content-type", "text/html").startswith("text/html")
            if guard.scope in scopes_of(role):
                seen += 1
                assert answer.status_code not in (401, 403), (method, route.path)
            else:
                refused += 1
                assert answer.status_code == 403, (method, route.path)
                assert 'href="/dashboard"' in answer.text
    assert seen >= 4
    assert refused or role == "admin"


def test_nobody_is_let_in_without_an_account_once_there_is_one(closed: SITE) -> None:
    browser = closed.browser()
    for route in pages(closed):
        if route.is_public:
            continue
        for method in route.methods - {"HEAD"}:
            answer = browser.request(method, route.path + "?x=1")
            if method == "GET":
                assert answer.status_code == 303
                assert urlsplit(answer.headers["location"]).path == "/dashboard/login"
            else:
                assert answer.status_code == 401
                assert "/dashboard/login" in answer.text


def test_logging_in_leads_on_and_out_again(closed: SITE) -> None:
    browser = closed.browser()
    asked = browser.get("/dashboard/records?q=lake&lang=kk")
    form = browser.get(asked.headers["location"]).text
    assert "/dashboard/records?q=lake&amp;lang=kk" in form
    browser, answer = closed.log_in("admin", next="/dashboard/records?q=lake")
    assert answer.headers["location"] == "/dashboard/records?q=lake"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert browser.get("/dashboard/settings/accounts").status_code == 200
    out = browser.post("/dashboard/logout")
    assert out.headers["location"] == "/dashboard/login"
    assert browser.get("/dashboard/settings/accounts").status_code == 303


def test_a_session_that_was_planted_before_is_not_the_one_after(closed: SITE) -> None:
    planted = "A" * 43
    browser = closed.browser()
    browser.cookies.set("tamga-session", planted)
    browser.post("/dashboard/login", data={"login": "admin", "password": "seven quiet rivers meet"})
    assert browser.cookies.get("tamga-session", domain="127.0.0.1") != planted
    attacker = closed.browser()
    attacker.cookies.set("tamga-session", planted)
    assert attacker.get("/dashboard/settings/accounts").status_code == 303


def test_a_wrong_password_says_no_more_than_that(closed: SITE) -> None:
    told = []
    for login in ("admin", "nobody"):
        answer = closed.browser().post(
            "/dashboard/login", data={"login": login, "password": "wrong <b>words</b> here"}
        )
        assert answer.status_code == 422
        told.append(answer.text.replace(login, "…"))
    assert told[0] == told[1]
    assert "words" not in told[0]


def test_a_login_leads_nowhere_else(closed: SITE) -> None:
    for onward in ELSEWHERE:
        assert local_path(onward) == HOME
    for onward in ELSEWHERE[:3]:
        _, answer = closed.log_in("admin", next=onward)
        assert answer.headers["location"] == HOME


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "", "origin": "https://attacker.example"},
    ],
)
def test_forms_of_other_sites_are_refused(closed: SITE, headers: dict[str, str]) -> None:
    browser, _ = closed.log_in("admin")
    browser.headers.update(headers)
    for route in pages(closed):
        if "POST" in route.methods:
            answer = browser.post(route.path, data={"id": "x"})
            assert answer.status_code == 403, route.path


@pytest.mark.parametrize("path", ["/dashboard/check", "/dashboard/login", "/dashboard/nowhere", "/dashboard"])
def test_every_answer_keeps_scripts_and_frames_out(site: SITE, path: str) -> None:
    answer = site.browser().get(path)
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    policy = answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "<script>" not in answer.text
    assert " style=" not in answer.text
    assert " onclick" not in answer.text


def test_static_files_are_kept_for_good_under_their_hashes_alone(site: SITE) -> None:
    browser = site.browser()
    page = browser.get("/dashboard/check").text
    addresses = [part.split('"')[0] for part in page.split('="') if part.startswith("/dashboard/static/")]
    assert len(addresses) >= 4
    for address in addresses:
        answer = browser.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    for wrong in ("dashboard.css", "../pages.py", "dashboard.000000000000.css", "htmx.LICENSE.txt"):
        assert browser.get(f"/dashboard/static/{wrong}").status_code == 404


def test_the_first_page_weighs_less_than_150_kilobytes(site: SITE) -> None:
    browser = site.browser()
    page = browser.get("/dashboard/check").text
    addresses = {part.split('"')[0] for part in page.split('="') if part.startswith("/dashboard/static/")}
    assert len(page.encode()) + sum(len(browser.get(address).content) for address in addresses) < 150_000


def test_errors_are_pages_in_the_language_of_the_reader(site: SITE) -> None:
    browser = site.browser(**{"accept-language": "hu"})
    answer = browser.get("/dashboard/nowhere")
    assert answer.status_code == 404
    assert "Nincs ilyen oldal" in answer.text
    assert answer.headers["content-language"] == "hu"
    assert site.browser().put("/dashboard/check").status_code == 405


def test_what_is_said_after_a_redirect_comes_from_a_list(site: SITE) -> None:
    browser = site.browser()
    browser.cookies.set("tamga_said", "<script>alert(1)</script>")
    assert "alert(1)" not in browser.get("/dashboard/check").text
    browser.cookies.set("tamga_said", "record-saved")
    shown = browser.get("/dashboard/check")
    assert 'role="status"' in shown.text
    assert 'tamga_said=""' in shown.headers["set-cookie"]


def test_the_language_is_chosen_in_the_address_and_remembered(site: SITE) -> None:
    browser = site.browser(**{"accept-language": "ky"})
    assert '<html lang="ky"' in browser.get("/dashboard/check").text
    assert '<html lang="tk"' in browser.get("/dashboard/check?lang=tk").text
    assert '<html lang="tk"' in browser.get("/dashboard/check").text
    assert '<html lang="tk"' in browser.get("/dashboard/check?lang=xx").text
    # The switch keeps what the page was asked for.
    assert "lang=kk" in browser.get("/dashboard/records?publisher=a%26b").text
    assert "publisher=a%26b&amp;lang=kk" in browser.get("/dashboard/records?publisher=a%26b").text


def test_accounts_and_keys_are_managed_by_their_page(closed: SITE) -> None:
    chief, _ = closed.log_in("admin")
    added = {
        "login": "new.person",
        "name": "<b>New</b>",
        "role": "reader",
        "password": "four plain words here",
    }
    assert chief.post("/dashboard/settings/accounts", data=added).status_code == 303
    again = chief.post("/dashboard/settings/accounts", data=added)
    assert again.status_code == 422
    assert "Another account has this name." in again.text
    page = chief.get("/dashboard/settings/accounts").text
    assert "&lt;b&gt;New&lt;/b&gt;" in page
    (account,) = [
        item for item in chief.get("/v1/accounts").json()["items"] if item["login"] == added["login"]
    ]
    weak = chief.post("/dashboard/settings/accounts/password", data={"id": account["id"], "password": "a"})
    assert weak.status_code == 422
    assert f'id="password-{account["id"]}-wrong"' in weak.text
    for path, data in (
        ("password", {"id": account["id"], "password": "five other plain words here"}),
        ("change", {"id": account["id"], "role": "editor", "disabled": "yes"}),
    ):
        done = chief.post(f"/dashboard/settings/accounts/{path}", data=data)
        assert done.status_code == 303
    changed = chief.get(f"/v1/accounts/{account['id']}").json()
    assert (changed["role"], changed["state"]) == ("editor", "disabled")
    made = chief.post("/dashboard/settings/keys", data={"name": "a program", "role": "reader"})
    token = made.text.partition('class="token">')[2].partition("<")[0]
    assert token.startswith("tg_")
    reader = {"authorization": f"Bearer {token}"}
    assert closed.browser(**reader).get("/v1/records").status_code in (200, 503)
    key_id = token.split("_")[1]
    assert token not in chief.get("/dashboard/settings/keys").text
    assert chief.post("/dashboard/settings/keys/revoke", data={"id": key_id}).status_code == 303
    assert closed.browser(**reader).get("/v1/records").status_code == 401


def test_the_last_admin_does_not_lock_everybody_out(closed: SITE) -> None:
    chief, _ = closed.log_in("admin")
    me = next(item for item in chief.get("/v1/accounts").json()["items"] if item["login"] == "admin")
    refused = chief.post(
        "/dashboard/settings/accounts/change", data={"id": me["id"], "role": "reader"}, follow_redirects=True
    )
    assert "This change was refused" in refused.text
    assert chief.get("/dashboard/settings/accounts").status_code == 200
