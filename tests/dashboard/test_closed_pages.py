"""The pages that need people: accounts, refusals, one's own account, statistics of several reviewers; and
those that answer a form. Accessible in light and dark and two languages, fit for a phone, in one's own zone.

Runs the server of `test_pages`, with an account for each role.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, Page

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from test_pages import ARTICLE, browser, violations, visitor, wait_until_ready  # noqa: E402, F401

PASSWORD = "seven quiet rivers meet"
PEOPLE = {"chief": "admin", "first": "reviewer", "second": "reviewer", "guest": "reader"}
REVIEWS = 11


@dataclass(frozen=True)
class ClosedSite:
    """A running server that everybody logs in to."""

    address: str


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClosedSite]:
    home = tmp_path_factory.mktemp("closed-pages")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "TAMGA_HOME": str(home / "home"), "TAMGA_REVIEW_OVERLAP": "1"}
    environment["TAMGA_TIME_ZONE"] = "Asia/Almaty"
    with (home / "log").open("wb") as log:
        command = [sys.executable, str(HERE / "stand_in.py"), str(port)]
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        with caller(address) as client:
            wait_until_ready(client, server, home / "log")
            fill(client, address)
        yield ClosedSite(address)
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) in (0, -signal.SIGTERM), (home / "log").read_text()


def caller(address: str) -> httpx2.Client:
    return httpx2.Client(base_url=address, headers={"sec-fetch-site": "same-origin"}, timeout=60)


def fill(client: httpx2.Client, address: str) -> None:
    """Articles that two reviewers judge without seeing each other's opinion; they differ on two."""
    for number in range(REVIEWS):
        article = {"text": f"{ARTICLE} Part {number}.", "language": "en", "outlet": "Example", "store": "yes"}
        assert client.post("/dashboard/check", data=article).status_code == 200
    for login, role in PEOPLE.items():
        account = {"login": login, "name": login.title(), "role": role, "password": PASSWORD}
        assert client.post("/v1/accounts", json=account).status_code == 201
        if role == "admin":
            log_in(client, login)
    for login in ("first", "second"):
        with caller(address) as reviewer:
            log_in(reviewer, login)
            for place, review in enumerate(sorted(reviews(reviewer))[: REVIEWS - 1]):
                choice = "assisted" if login == "second" and place < 2 else "dismiss"
                form = {"choice": choice, "human_review": "reviewed", "note": "Seen."}
                answer = reviewer.post(f"/dashboard/reviews/{review}/decide", data=form)
                assert answer.status_code == 303, answer.text


def log_in(client: httpx2.Client, login: str) -> None:
    answer = client.post("/dashboard/login", data={"login": login, "password": PASSWORD})
    assert answer.status_code == 303


def reviews(client: httpx2.Client) -> list[str]:
    return [item["id"] for item in client.get("/v1/reviews").json()["items"]]


def enter(page: Page, site: ClosedSite, login: str) -> None:
    page.goto(f"{site.address}/dashboard/login")
    page.fill("#login", login)
    page.fill("#password", PASSWORD)
    page.locator("main button.main").click()
    page.wait_for_url("**/dashboard/queue")


def walk(page: Page, site: ClosedSite, locale: str) -> Iterator[str]:
    """Every page in turn; yields its name while it shows."""

    def show(path: str, status: int = 200) -> None:
        answer = page.goto(f"{site.address}{path}?lang={locale}")
        assert answer is not None
        assert answer.status == status, path
        assert page.locator("html").get_attribute("lang") == locale

    show("/dashboard/login")
    yield "login"
    page.fill("#login", "guest")
    page.fill("#password", "something else entirely")
    page.locator("main button.main").click()
    yield "wrong password"
    enter(page, site, "guest")
    show("/dashboard/settings/accounts", 403)
    yield "refused"
    page.context.clear_cookies()
    enter(page, site, "chief")
    for path in ("account", "settings/accounts", "settings/keys", "statistics/reviewers", "queue"):
        show(f"/dashboard/{path}")
        yield path
    page.locator("main input[name=id]").first.check()
    page.locator("form[action='/dashboard/queue/bulk'] button").last.click()
    page.wait_for_url("**/queue/bulk")
    yield "bulk"
    page.locator("main button.main").click()
    page.wait_for_load_state()
    yield "bulk done"
    show("/dashboard/settings/keys")
    page.fill("#name", "A program")
    page.locator("main form button.main").click()
    page.wait_for_selector(".token")
    yield "new key"
    show("/dashboard/settings/trust")
    page.fill("#pem", "no certificate")
    page.locator("main form button.main").click()
    page.wait_for_selector("#pem-wrong")
    yield "no certificate"
    show("/dashboard/account")
    page.fill("#current", PASSWORD)
    page.fill("#new", "four words at least")
    page.fill("#again", "five other words at least")
    page.locator("main form[action$='/account'] button").click()
    page.wait_for_selector("#again-wrong")
    yield "new passwords differ"


@pytest.mark.parametrize(("scheme", "locale"), [("light", "kk"), ("dark", "en")])
def test_every_page_is_accessible(browser: Browser, site: ClosedSite, scheme: str, locale: str) -> None:  # noqa: F811
    with visitor(browser, color_scheme=scheme, viewport={"width": 1280, "height": 900}) as (_, page):
        found = {name: violations(page) for name in walk(page, site, locale)}
    assert len(found) >= 12
    assert {name: told for name, told in found.items() if told} == {}


def test_every_page_fits_a_phone(browser: Browser, site: ClosedSite) -> None:  # noqa: F811
    with visitor(browser, viewport={"width": 360, "height": 740}) as (_, page):
        wide = {
            name: page.evaluate("document.documentElement.scrollWidth")
            for name in walk(page, site, "uz-Cyrl")
        }
    assert {name: width for name, width in wide.items() if width > 360} == {}


def test_agreement_of_reviewers_is_shown_by_language(site: ClosedSite) -> None:
    with caller(site.address) as client:
        log_in(client, "chief")
        page = client.get("/dashboard/statistics/reviewers?lang=en").text
    rows = page.partition('id="agreement-title"')[2].partition("</table>")[0]
    assert "English" in rows
    assert rows.count(f"{REVIEWS - 1}</td>") == 2
    assert "80%" in rows
    assert "Too few for a figure" not in rows


def test_times_are_the_newsrooms_until_somebody_chooses_another_zone(
    browser: Browser,  # noqa: F811
    site: ClosedSite,
) -> None:
    with visitor(browser, java_script_enabled=False) as (context, page):
        enter(page, site, "guest")
        page.goto(f"{site.address}/dashboard/queue?lang=en")
        page.locator("main a[href*='/dashboard/reviews/']").first.click()
        assert "UTC+5" in page.locator("main").inner_text()
        page.goto(f"{site.address}/dashboard/account")
        page.select_option("#zone", "Asia/Kathmandu")
        page.locator("form[action$='/time-zone'] button").click()
        assert page.locator("[role=status]").inner_text() == "Times are shown in the zone you chose."
        # Kept with the account: another browser knows it.
        context.clear_cookies()
        enter(page, site, "guest")
        page.locator("main a[href*='/dashboard/reviews/']").first.click()
        assert "UTC+5:45" in page.locator("main").inner_text()
        page.goto(f"{site.address}/dashboard/account")
        page.select_option("#zone", "")
        page.locator("form[action$='/time-zone'] button").click()
        page.goto(f"{site.address}/dashboard/queue")
        page.locator("main a[href*='/dashboard/reviews/']").first.click()
        assert "UTC+5:45" not in page.locator("main").inner_text()
