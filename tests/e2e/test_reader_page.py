"""The reader page in headless Chromium: every locale, by axe-core; on a small screen, in the dark, printed.

Needs Debian's chromium (or CHROMIUM=path of one).
"""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, Request, sync_playwright

from service.api import labels, problems, reader_page, verify
from service.labels.issuing import LabelDesk
from service.labels.opening import LabelOffice
from service.labels.request import LabelRequest
from service.labels.wording import LOCALES, wording
from service.settings import load_settings
from service.store import open_store

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
TEXT = "Қала кітапханасы жаңа ғимаратқа көшті. Оқырмандарды бейсенбіден бастап қабылдайды."


@dataclass
class Site:
    """A running site with one label of each kind, by name."""

    address: str
    desk: LabelDesk
    ids: dict[str, str]


def _labels(desk: LabelDesk) -> dict[str, str]:
    def issue(**fields: Any) -> str:
        values = {
            "text": TEXT,
            "title": "Кітапхана көшті",
            "language": "kk",
            "declared": "assisted",
            **fields,
        }
        return desk.issue(LabelRequest(**values)).id

    full = {
        "human_review": "reviewed",
        "ai_system": {"name": "Example LM", "provider": "Example", "version": "3"},
        "editorial_responsibility": {"name": "A. Editor", "role": "desk"},
    }
    original = issue(url="https://news.example/0", declared="none")
    ids = {
        "human_written": original,
        "ai_assisted": issue(url="https://news.example/1", translation_of=original, **full),
        "ai_generated": issue(url="https://news.example/2", declared="generated"),
        "mixed": issue(url="https://news.example/3", declared="mixed"),
        "replaced": issue(url="https://news.example/4"),
        "revoked": issue(url="https://news.example/5"),
        "expired": issue(url="https://news.example/6", valid_to=datetime.now(UTC) - timedelta(days=1)),
        "draft": issue(url="https://news.example/7", declared=None),
    }
    ids["newer"] = issue(url="https://news.example/4", declared="generated")
    desk.revoke(ids["revoked"], actor="A. Editor", reason="internal reason")
    return ids


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    settings = load_settings(
        home=tmp_path_factory.mktemp("home"), public_url=address, issuer_name="Example News"
    )
    store = open_store(settings.database)
    desk = LabelOffice(settings).desk(store)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        # Labels need no model: of the worker, these routes use the label desk alone.
        yield {"worker": SimpleNamespace(runtime=SimpleNamespace(labels=desk))}

    app = FastAPI(lifespan=lifespan)
    for router in (labels.router, verify.router):
        app.include_router(router)
    reader_page.install(app)
    problems.install(app)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield Site(address, desk, _labels(desk))
    server.should_exit = True
    thread.join(timeout=20)
    store.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM, "the reader page is tested in Chromium: install Debian's package chromium"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


def failed(request: Request) -> list[str]:
    # The icon is fetched beside the page: who leaves before it is there aborts it, which is no fault.
    return [] if request.failure == "net::ERR_ABORTED" else [f"{request.url}: {request.failure}"]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 360, "height": 740})
    found = context.new_page()
    faults: list[str] = []
    found.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    found.on("requestfailed", lambda request: faults.extend(failed(request)))
    yield found
    context.close()
    # 404 is what a page that was never published answers; anything else on the console is a fault.
    assert [fault for fault in faults if "404" not in fault] == []


def violations(page: Page) -> list[str]:
    # The page's own policy forbids scripts; axe comes in beside it.
    found = Axe().run(page)
    return [item["id"] for item in found.response["violations"]]


def look_at(page: Page, name: str, locale: str, badge: str) -> None:
    """One line first, details on tap, nothing wider than the phone; SCREENSHOTS=folder keeps pictures."""
    assert page.locator("h1").inner_text() == badge
    assert page.locator("html").get_attribute("lang") == locale
    # Nothing but the one line and what is unknown until somebody asks.
    assert page.locator("dl").count() == 0 or not page.locator("dl").is_visible()
    for summary in page.locator("summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}-{locale}.png", full_page=True)


def open_page(page: Page, site: Site, name: str, locale: str, **expected: Any) -> None:
    answer = page.goto(f"{site.address}/l/{site.ids[name]}?lang={locale}")
    assert answer is not None
    assert answer.status == expected.get("status", 200)
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("locale", LOCALES)
def test_every_locale_is_accessible_and_fits_a_phone(page: Page, site: Site, locale: str) -> None:
    words = wording(locale)
    open_page(page, site, "ai_assisted", locale)
    look_at(page, "ai_assisted", locale, words.badge["ai_assisted_reviewed"])
    # Titles, of the article and of its original, are in their own language.
    assert page.locator("dd[lang=kk]").all_inner_texts() == ["Кітапхана көшті"] * 2
    assert violations(page) == []


@pytest.mark.parametrize("locale", ["kk", "tk"])
def test_the_rarer_pages_have_the_same_layout(page: Page, site: Site, locale: str) -> None:
    words = wording(locale)
    open_page(page, site, "replaced", locale)
    look_at(page, "replaced", locale, words.badge["ai_assisted"])
    open_page(page, site, "draft", locale, status=404)
    look_at(page, "draft", locale, words.page["no_label"])
    assert site.ids["draft"] not in page.locator("main").inner_text()


def test_what_is_not_known_is_said(page: Page, site: Site) -> None:
    words = wording("en").page
    open_page(page, site, "ai_generated", "en")
    body = page.locator("main").inner_text()
    assert words["unknown_system"] in body
    assert words["unknown_review"] in body
    assert words["not_truth"] in body
    open_page(page, site, "ai_assisted", "en")
    assert words["unknown_system"] not in page.locator("main").inner_text()


def test_ended_labels_say_so_and_keep_internal_reasons_internal(page: Page, site: Site) -> None:
    words = wording("en").page
    for name, status in (("replaced", "superseded"), ("revoked", "revoked"), ("expired", "expired")):
        open_page(page, site, name, "en")
        assert words[f"status_{status}"] in page.locator("[role=status]").inner_text()
    assert "internal reason" not in page.content()
    open_page(page, site, "replaced", "en")
    page.get_by_text(words["newer"]).click()
    assert site.ids["newer"] in page.url


def test_the_language_follows_the_browser_and_can_be_changed(browser: Browser, site: Site) -> None:
    for accepted, locale in (("ky-KG,ky;q=0.9,en;q=0.5", "ky"), ("uz-Cyrl,ru", "uz-Cyrl"), ("ja", "en")):
        context = browser.new_context(extra_http_headers={"Accept-Language": accepted})
        page = context.new_page()
        page.goto(f"{site.address}/l/{site.ids['ai_assisted']}")
        assert page.locator("html").get_attribute("lang") == locale
        page.get_by_role("link", name="Magyar").click()
        assert page.locator("html").get_attribute("lang") == "hu"
        context.close()


def test_the_qr_code_and_the_signed_label_are_there(page: Page, site: Site) -> None:
    open_page(page, site, "ai_assisted", "en")
    assert page.evaluate("document.querySelector('.qr img').naturalWidth") > 50
    links = [link.get_attribute("href") for link in page.locator("main a").all()]
    for link in links:
        if link and link.startswith("/"):
            assert page.request.get(site.address + link).status == 200
    badge = page.request.get(f"{site.address}/v1/labels/{site.ids['ai_assisted']}/badge.svg?lang=kk")
    assert wording("kk").badge["ai_assisted_reviewed"] in badge.text()
    for kind in ("", ".jws", ".c2pa", "/badge.svg", "/qr.svg"):
        if kind:
            assert page.request.get(f"{site.address}/v1/labels/{site.ids['draft']}{kind}").status == 404


def test_dark_mode_is_accessible_and_paper_shows_the_details(browser: Browser, site: Site) -> None:
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    open_page(page, site, "replaced", "tk")
    for summary in page.locator("summary").all():
        summary.click()
    assert violations(page) == []
    open_page(page, site, "ai_assisted", "en")
    page.emulate_media(media="print")
    assert page.evaluate("document.querySelector('dl').getBoundingClientRect().height") > 100
    assert page.pdf().startswith(b"%PDF")
    context.close()
