"""The report of an audit in headless Chromium: by axe-core, on a small screen, in the dark, printed; it asks
the network for nothing.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from service.audits.report import ReportHead, Tally, report_page

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


def facts() -> Iterator[dict[str, Any]]:
    """Facts of 600 articles and 200 answers, some of everything."""
    draw = random.Random(5)
    outlets = [
        "Дала хабаршысы",
        "Şəhər xəbərləri",
        "The Long-Winded Provincial Gazette and Advertiser",
        "Hír",
    ]
    for number in range(600):
        flagged = draw.random() < 0.06
        month = f"{2024 + number // 300}-{1 + number // 25 % 12:02}"
        told = {"outlet": draw.choice(outlets), "month": month, "language": draw.choice(["kk", "az", "hu"])}
        if draw.random() < 0.5:
            told["declared"] = draw.choice(["none", "assisted", "generated"])
        if draw.random() < 0.1:
            yield {**told, "verdict": "undetermined", "abstained": "too_short"}
        else:
            yield {**told, "verdict": "likely_ai_unconfirmed" if flagged else "undetermined"}
    yield {"error": "urn:tamga:problem:invalid-json"}
    for number in range(200):
        told = {
            "language": "ru", "claims": 2, "model": f"assistant-{number % 3}",
            "country": ["KZ", "UZ", "TR", "AZ", "HU", "KG", "TM"][number % 7],
        }  # fmt: skip
        if draw.random() < 0.5:
            told["agreeing"] = 1
        if draw.random() < 0.15:
            conflict = {
                "claim": f"The line has {number} stations.", "evidence": "The line has 11 stations.",
                "record": f"r{number}", "publisher": "Agency", "url": "https://agency.example/1",
                "stance": "contradicts", "probability": draw.random(), "mismatches": [f"{number} ≠ 11"],
            }  # fmt: skip
            told |= {"conflicting": 1, "conflicts": [conflict], "prompt": "How many stations are there?"}
        yield told


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    tally = Tally()
    for fact in facts():
        tally.add(fact)
    head = ReportHead(
        "Archive audit", "archive.jsonl", datetime(2026, 3, 1, tzinfo=UTC), ("origin", "claims"), 0.01
    )
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(report_page(tally, head), encoding="utf-8")
    return file.as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM, "the report is tested in Chromium: install Debian's package chromium"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1_000, 360])
def test_the_report_is_accessible_and_asks_for_nothing(
    browser: Browser, report: str, scheme: Any, width: int
) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    page: Page = context.new_page()
    asked: list[str] = []
    faults: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.goto(report)
    for summary in page.locator("summary").all():
        summary.click()
    assert page.locator("svg[role=img]").count() == 5
    assert page.locator("table.chart-data:visible").count() == 5
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert [item["id"] for item in Axe().run(page).response["violations"]] == []
    assert asked == [report]
    assert faults == []
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"report-{scheme}-{width}.png", full_page=True)
    context.close()


def test_the_report_can_be_printed(browser: Browser, report: str) -> None:
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto(report)
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf().startswith(b"%PDF")
    context.close()
