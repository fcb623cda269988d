"""A reviewer in headless Chromium against a real server process: log in, take an article, decide by keyboard,
undo, decide again, open the readers' page, verify the label.

Models are stood in for (`tests/dashboard/stand_in.py`). Needs Debian's chromium (or CHROMIUM=path of one).
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

STAND_IN = Path(__file__).parents[1] / "dashboard" / "stand_in.py"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
PASSWORD = "a bridge, a river, a town"
ARTICLE = (
    "The town library moved into its new house in 1911. It holds 40,000 books, the machine says. "
    "Readers come from Thursday on, and the river is 12 km away from the market square of the old town."
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server whose first account is made on the command line."""
    home = tmp_path_factory.mktemp("flow")
    environment = {**os.environ, "TAMGA_HOME": str(home / "home"), "TAMGA_REVIEW_OVERLAP": "0"}
    add = ["account", "add", "anna", "--name", "Anna", "--role", "admin", "--password-stdin"]
    subprocess.run(
        [sys.executable, "-c", "from service.cli import main; main()", *add],
        input=PASSWORD.encode(), env=environment, check=True, timeout=120,
    )  # fmt: skip
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment["TAMGA_PUBLIC_URL"] = address = f"http://127.0.0.1:{port}"
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, str(STAND_IN), str(port)], env=environment, stdout=log, stderr=log
        )
    try:
        _wait(server, address, home / "log")
        yield address
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)


def _wait(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + 200
    while True:
        try:
            if httpx2.get(f"{address}/readyz").status_code == 200:
                return
        except httpx2.TransportError:
            pass
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM, "the review flow is tested in Chromium: install Debian's package chromium"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


def log_in(page: Page, address: str) -> None:
    page.goto(f"{address}/dashboard/queue?lang=en")
    assert page.url.startswith(f"{address}/dashboard/login?next=")
    page.fill("input[name=login]", "anna")
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/dashboard/queue**")


def send_article(page: Page, address: str, title: str) -> None:
    page.goto(f"{address}/dashboard/check")
    page.fill("#text", ARTICLE)
    page.locator("details.more summary").click()
    page.fill("#title", title)
    page.check("input[name=store]")
    page.click("main form button.main")
    page.wait_for_selector(".panes")


def test_a_review_from_login_to_the_verified_label(browser: Browser, address: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    log_in(page, address)
    send_article(page, address, "The library")

    page.goto(f"{address}/dashboard/queue")
    page.keyboard.press("j")
    page.wait_for_url("**/dashboard/reviews/rev_*")
    review = page.url.partition("?")[0]
    assert page.locator("h1").inner_text() == "The library"
    assert page.locator(".text .machine").count() > 0
    assert "contradicts" in page.locator(".card").first.inner_text()
    page.select_option("select[name=match] >> nth=0", index=1)
    # Decide by keyboard alone: assisted, a note, and on.
    page.keyboard.press("Escape")
    page.locator("body").click(position={"x": 2, "y": 2})
    page.keyboard.press("2")
    assert page.is_checked("input[value=assisted]")
    page.keyboard.press("n")
    page.keyboard.type("The desk was asked 2 times.")
    assert page.input_value("#note").endswith("2 times.")
    page.locator("body").click(position={"x": 2, "y": 2})
    page.keyboard.press("d")
    page.wait_for_url("**/dashboard/queue?**")
    # Nothing else waits; the decision can be taken back from here.
    page.click("main .notice form button")
    page.wait_for_url(review)
    assert page.is_visible("#decide")
    page.keyboard.press("1")
    page.keyboard.press("d")
    page.wait_for_url("**/dashboard/queue?**")
    page.click("main .notice a")
    page.wait_for_url(review)
    assert "AI-generated" in page.locator("section", has_text="The issued label").first.inner_text()
    snippet = page.input_value("#snippet")
    assert page.input_value("#label-address") in snippet
    assert page.evaluate("document.querySelector('img[src$=\"qr.svg\"]').naturalWidth") > 0

    page.click("main a[href^='/l/']")
    page.wait_for_url(f"{address}/l/*")
    label_id = page.url.rpartition("/")[2]
    jws = httpx2.get(f"{address}/v1/labels/{label_id}.jws").text
    verified: dict[str, Any] = httpx2.post(f"{address}/v1/verify", json={"jws": jws, "text": ARTICLE}).json()
    assert (verified["verdict"], verified["content_match"]) == ("valid", "exact")
    assert complaints == []
    context.close()


def test_pages_of_reviews_are_accessible_and_fit_for_a_phone(browser: Browser, address: str) -> None:
    axe = Axe()
    for locale, scheme in (("en", "light"), ("kk", "dark")):
        context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]
        page = context.new_page()
        log_in(page, address)
        send_article(page, address, f"The library, {locale}")
        page.goto(f"{address}/dashboard/queue?lang={locale}")
        found = page.locator("#results a[href^='/dashboard/reviews/rev_']").first.get_attribute("href")
        for path in ("/dashboard/queue", found, "/dashboard/keys-of-review"):
            page.goto(f"{address}{path}")
            results = axe.run(page)
            assert results.violations_count == 0, f"{locale} {path}\n{results.generate_report()}"
            page.set_viewport_size({"width": 360, "height": 780})
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= 360, (locale, path, wide)
            page.set_viewport_size({"width": 1280, "height": 800})
        context.close()


def test_deciding_without_a_script(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    log_in(page, address)
    send_article(page, address, "Without a script")
    page.goto(f"{address}/dashboard/queue?sort=age")
    page.click("#results a:has-text('Without a script')")
    page.check("input[value=none]")
    page.uncheck("input[name=advance]")
    page.click("#decide button.main")
    assert page.is_visible("text=Decided.")
    assert page.is_visible("text=The issued label")
    context.close()
