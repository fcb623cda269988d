"""Every page in headless Chromium against a real server process: accessible in light and dark and two
languages, inert whatever it shows, fit for a phone, and usable without a script.

Models are stood in for (`stand_in.py`). Needs Debian's chromium (or CHROMIUM=path of one).
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from hostile import PAYLOADS  # noqa: E402

from bench.screenshots import certificate  # noqa: E402
from service.api.access import guarded_routes  # noqa: E402
from service.app import create_app  # noqa: E402
from service.settings import load_settings  # noqa: E402

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
ARTICLE = (
    "The town library moved into its new house in 1911. It holds 40,000 books, the machine says. "
    "Readers come from Thursday on, and the river is 12 km away from the market square of the old town."
)
RECORD = "lake <&> 1/2"
# Where people come without knowing an id; filled in below with one of each.
PATHS = [
    "/dashboard/login",
    "/dashboard/account",
    "/dashboard/queue",
    "/dashboard/keys-of-review",
    "/dashboard/check",
    "/dashboard/records",
    "/dashboard/records?q=library",
    f"/dashboard/records/view?id={quote(RECORD, safe='')}",
    f"/dashboard/records/edit?id={quote(RECORD, safe='')}",
    "/dashboard/records/new",
    f"/dashboard/records/delete?id={quote(RECORD, safe='')}",
    "/dashboard/feeds",
    "/dashboard/statistics",
    "/dashboard/statistics/reviewers",
    "/dashboard/audits",
    "/dashboard/settings/accounts",
    "/dashboard/settings/keys",
    "/dashboard/settings/thresholds",
    "/dashboard/settings/trust",
    "/dashboard/settings/countries",
    "/dashboard/nowhere",
]
# They only lead on to a page.
ONWARD = {"/dashboard", "/dashboard/", "/dashboard/settings"}


@dataclass(frozen=True)
class Site:
    """A running server, and a client that sends forms as its own pages do."""

    address: str
    client: httpx2.Client
    audit: str
    anchor: str

    @property
    def review(self) -> str:
        """The page of the review that was opened first."""
        return f"/dashboard/reviews/{self.client.get('/v1/reviews').json()['items'][-1]['id']}"

    @property
    def paths(self) -> list[str]:
        feed = self.client.get("/v1/feeds").json()["items"][0]["id"]
        return [
            *PATHS,
            f"/dashboard/audits/view?id={self.audit}",
            f"/dashboard/feeds/remove?id={feed}",
            f"/dashboard/settings/trust/remove?fingerprint={self.anchor}",
            self.review,
        ]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("pages")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "TAMGA_HOME": str(home / "home")}
    with (home / "log").open("wb") as log:
        command = [sys.executable, str(HERE / "stand_in.py"), str(port)]
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        with httpx2.Client(base_url=address, headers={"sec-fetch-site": "same-origin"}, timeout=60) as client:
            wait_until_ready(client, server, home / "log")
            yield Site(address, client, fill(client), trust(client))
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) in (0, -signal.SIGTERM), (home / "log").read_text()


def wait_until_ready(client: httpx2.Client, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text()
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def fill(client: httpx2.Client) -> str:
    """One of everything that pages show; returns the id of an audit."""
    record = {"id": RECORD, "claim": "The lake is 40 km long.", "publisher": "Example", "language": "en"}
    save_record(client, record)
    save_record(client, {**record, "claim": "The lake is 42 km long.", "text": "It was measured again."})
    feed = {"url": "https://feeds.example/all.json", "kind": "claimreview", "publisher": "Example"}
    assert client.post("/dashboard/feeds", data=feed).status_code == 303
    article = {"text": ARTICLE, "language": "en", "outlet": "Example", "store": "yes"}
    assert client.post("/dashboard/check", data=article).status_code == 200
    begun = client.post(
        "/dashboard/audits",
        data={"kind": "archive", "origin": "yes"},
        files={"file": ("archive.jsonl", json.dumps({"id": "1", "text": ARTICLE}).encode())},
    )
    assert begun.status_code == 303, begun.text
    return str(begun.headers["location"].partition("id=")[2])


def trust(client: httpx2.Client) -> str:
    """Trust a certificate; returns its fingerprint."""
    assert client.post("/dashboard/settings/trust", data={"pem": certificate("Archive")}).status_code == 303
    return str(client.get("/v1/settings/trust-anchors").json()["items"][-1]["fingerprint"])


def save_record(client: httpx2.Client, record: dict[str, Any]) -> None:
    form = client.get("/dashboard/records/edit", params={"id": record["id"]}).text
    seen = form.partition('name="seen" value="')[2].partition('"')[0]
    saved = client.post("/dashboard/records/save", data={**record, "seen": seen})
    assert saved.status_code == 303, saved.text


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM, "pages are tested in Chromium: install Debian's package chromium"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@contextmanager
def visitor(browser: Browser, **options: Any) -> Iterator[tuple[BrowserContext, Page]]:
    """A page in a context of its own, watched: nothing but the site is asked, no policy is broken."""
    context = browser.new_context(**options)
    page = context.new_page()
    faults: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    yield context, page
    context.close()
    assert {url for url in asked if not url.startswith(("http://127.0.0.1:", "data:"))} == set()
    # Statuses of 400 and more are what some pages are asked for here.
    assert [fault for fault in faults if "the server responded with a status of" not in fault] == []


def violations(page: Page) -> list[str]:
    found = Axe().run(page)
    return [f"{item['id']}: {item['nodes'][0]['html'][:120]}" for item in found.response["violations"]]


def check_text(page: Page, site: Site, text: str, **fields: str) -> None:
    page.goto(f"{site.address}/dashboard/check")
    page.fill("#text", text)
    if fields:
        page.locator("details.more summary").click()
    for name, value in fields.items():
        page.fill(f"#{name}", value)
    page.locator("main button.main").click()
    page.wait_for_url("**/dashboard/check")
    page.wait_for_selector(".panes")


def test_every_page_is_walked(site: Site, tmp_path: Path) -> None:
    walked = [path.partition("?")[0] for path in site.paths]
    routes = guarded_routes(create_app(load_settings(home=tmp_path / "home")).routes)
    pages = [item for item in routes if item.path.startswith("/dashboard") and "GET" in item.methods]
    assert len(pages) > 20
    left = [item.path for item in pages if not any(map(item.pattern.match, walked))]
    assert sorted(set(left) - ONWARD) == []


@pytest.mark.parametrize(("scheme", "locale"), [("light", "en"), ("dark", "kk")])
def test_every_page_is_accessible(browser: Browser, site: Site, scheme: str, locale: str) -> None:
    with visitor(browser, color_scheme=scheme, viewport={"width": 1280, "height": 900}) as (_, page):
        found = {}
        for path in site.paths:
            answer = page.goto(f"{site.address}{path}{'&' if '?' in path else '?'}lang={locale}")
            assert answer is not None
            assert answer.status == (404 if path == "/dashboard/nowhere" else 200), path
            assert page.locator("html").get_attribute("lang") == locale
            found[path] = violations(page)
        check_text(page, site, ARTICLE)
        for summary in page.locator("main summary").all():
            summary.click()
        found["result"] = violations(page)
        assert {path: told for path, told in found.items() if told} == {}


@pytest.mark.parametrize("locale", ["tk", "hu"])
def test_every_page_fits_a_phone(browser: Browser, site: Site, locale: str) -> None:
    with visitor(browser, viewport={"width": 360, "height": 740}) as (_, page):
        wide = {}
        for path in site.paths:
            page.goto(f"{site.address}{path}{'&' if '?' in path else '?'}lang={locale}")
            wide[path] = page.evaluate("document.documentElement.scrollWidth")
        check_text(page, site, ARTICLE + " " + "unbroken" * 40)
        wide["result"] = page.evaluate("document.documentElement.scrollWidth")
        assert {path: width for path, width in wide.items() if width > 360} == {}


def hostile_id(number: int) -> str:
    # A sign that sorts before letters: the stand-in takes the first records for matches.
    return f"!{number} {PAYLOADS[number]}"[:200]


def struck(page: Page) -> bool:
    return bool(page.evaluate("window.struck === 1 || !!document.querySelector('main script, main iframe')"))


def test_hostile_texts_are_inert_on_every_page_that_shows_them(browser: Browser, site: Site) -> None:
    everything = "\n".join(PAYLOADS)
    assert len(PAYLOADS) >= 40
    for number, payload in enumerate(PAYLOADS):
        record = {
            "id": hostile_id(number),
            "claim": f"{payload} 7",
            "title": payload,
            "text": payload,
            "publisher": payload,
            "rating": payload,
        }
        save_record(site.client, record)
    save_record(site.client, {"id": "!0 all", "claim": everything, "text": everything})
    save_record(site.client, {"id": "!0 all", "claim": everything[::-1], "text": everything})
    for payload in PAYLOADS:
        refused = site.client.post(
            "/dashboard/records/save", data={"id": "y", "claim": "c", "url": payload, "language": payload}
        )
        assert refused.status_code == 422
        assert f'href="{payload}"' not in refused.text
    feed = {
        "kind": "claimreview",
        "publisher": everything[:480],
        "url": "https://x.example/<script>1</script>",
    }
    assert site.client.post("/dashboard/feeds", data=feed).status_code == 303
    with visitor(browser) as (_, page):
        # With hostile records first in the store, the stand-in matches them with every claim.
        check_text(page, site, f"{everything}\n{ARTICLE}", title=everything[:1_900], outlet=PAYLOADS[0])
        assert not struck(page)
        assert page.locator("main").inner_text().count("window.struck=1") > len(PAYLOADS) / 2
        shown = page.locator(".text").inner_text()
        assert "U+202E" in shown
        hostile = {"text": f"{everything}\n{ARTICLE}", "title": everything[:1_900], "store": "yes"}
        stored = site.client.post("/dashboard/check", data={**hostile, "outlet": PAYLOADS[2]})
        assert stored.status_code == 200
        reviews = site.client.get("/v1/reviews").json()["items"]
        (review,) = [item["id"] for item in reviews if (item["title"] or "").startswith(PAYLOADS[0])]
        noted = {"choice": "mixed", "human_review": "unknown", "note": everything[:1_900]}
        site.client.post(f"/dashboard/reviews/{review}/decide", data=noted)
        assert PAYLOADS[0] in site.client.get(f"/v1/reviews/{review}").text.replace("\\", "")
        for path in (
            "/dashboard/records",
            "/dashboard/records?q=" + quote(PAYLOADS[0]),
            "/dashboard/records?publisher=" + quote(PAYLOADS[28]) + "&as_of=" + quote('"><svg'),
            "/dashboard/records/view?id=!0+all",
            "/dashboard/records/edit?id=!0+all",
            "/dashboard/records/delete?id=!0+all",
            "/dashboard/feeds",
            "/dashboard/statistics",
            "/dashboard/queue",
            "/dashboard/queue?state=decided",
            f"/dashboard/reviews/{review}",
            "/dashboard/login?next=" + quote(PAYLOADS[0]),
            "/dashboard/" + quote(PAYLOADS[6], safe=""),
        ):
            page.goto(site.address + path)
            page.wait_for_load_state()
            assert not struck(page), path
        for number in (0, 8, 30, 40):
            page.goto(f"{site.address}/dashboard/records/view?id={quote(hostile_id(number), safe='')}")
            assert page.locator("dl.facts").first.inner_text().count(PAYLOADS[number].split()[0]) >= 2
            assert not struck(page)


def test_a_text_is_checked_without_being_stored(browser: Browser, site: Site) -> None:
    with visitor(browser, java_script_enabled=False) as (_, page):
        check_text(page, site, ARTICLE)
        assert page.get_by_text("Not stored").count() == 1
        # A claim leads to its evidence and back.
        claim = page.locator("a.claim").first
        target = claim.get_attribute("href") or ""
        assert page.locator(f"[id='{target[1:]}']").count() == 1
        assert page.locator(f"[id='{target[1:]}-text']").count() == 1
        assert "1911" in page.locator(".differs").first.inner_text()


def test_an_uploaded_page_is_read_as_html(browser: Browser, site: Site) -> None:
    with visitor(browser) as (_, page):
        page.goto(f"{site.address}/dashboard/check")
        content = f"<html><body><article><h1>News</h1><p>{ARTICLE}</p></article></body></html>".encode()
        page.set_input_files("#file", {"name": "page.html", "mimeType": "text/html", "buffer": content})
        page.locator("main button.main").click()
        page.wait_for_selector(".panes")
        assert "The town library" in page.locator(".text").inner_text()
        page.goto(f"{site.address}/dashboard/check")
        page.set_input_files("#file", {"name": "a.txt", "mimeType": "text/plain", "buffer": b"\xff\xfe\xfa"})
        page.locator("main button.main").click()
        page.wait_for_selector("#file-wrong")
        assert "UTF-8" in page.locator("#file-wrong").inner_text()


def test_a_search_replaces_the_results_in_place(browser: Browser, site: Site) -> None:
    with visitor(browser) as (_, page):
        page.goto(f"{site.address}/dashboard/records")
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.id") == "q"
        page.keyboard.type("The lake is long")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Nearest records").wait_for()
        assert "q=The+lake" in page.url
        assert page.locator("#results").count() == 1


def test_a_correction_is_not_lost_to_another(browser: Browser, site: Site) -> None:
    with visitor(browser) as (context, page):
        address = f"{site.address}/dashboard/records/edit?id={quote(RECORD, safe='')}"
        page.goto(address)
        other = context.new_page()
        other.goto(address)
        for tab, words in ((page, "The lake is 43 km long."), (other, "The lake is 44 km long.")):
            tab.fill("#claim", words)
            tab.locator("main form button.main").click()
            tab.wait_for_load_state()
        assert "The record is saved" in page.locator("[role=status]").inner_text()
        assert "42" in page.locator("del").first.inner_text()
        assert "Somebody changed this record" in other.locator("main").inner_text()
        assert other.locator("#claim").input_value() == "The lake is 44 km long."


def test_menus_open_without_a_script_and_close_with_one(browser: Browser, site: Site) -> None:
    with visitor(browser) as (_, page):
        page.goto(f"{site.address}/dashboard/records")
        page.locator("details.menu summary").first.click()
        page.get_by_role("link", name="Magyar").click()
        assert page.locator("html").get_attribute("lang") == "hu"
        page.locator("details.menu summary").first.click()
        page.keyboard.press("Escape")
        assert page.locator("details.menu[open]").count() == 0
    with visitor(browser) as (_, page):
        page.goto(f"{site.address}/dashboard/check")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"


def test_no_other_site_can_frame_a_page(browser: Browser, site: Site, tmp_path: Path) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.route(
        "http://attacker.example/",
        lambda route: route.fulfill(
            content_type="text/html", body=f'<iframe src="{site.address}/dashboard/check"></iframe>'
        ),
    )
    page.goto("http://attacker.example/")
    page.wait_for_timeout(300)
    assert "Check a text" not in (page.frames[-1].content() if len(page.frames) > 1 else "")
    context.close()
