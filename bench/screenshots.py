"""Pictures of every page of the dashboard, to be looked at: docs/screenshots.

    tamga serve --samples --port 8000      # an empty home, so that the samples are loaded
    python -m bench.screenshots --address http://127.0.0.1:8000 --out docs/screenshots

Stores the sample articles first, so that queue and statistics have something to show. Needs the packages of
the tests (Playwright, Pillow) and Chromium.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Page, sync_playwright

LOCALES: Final = ("kk", "en")
MOST_BYTES: Final = 150_000
SAMPLES: Final = Path("service/samples/articles.jsonl")
# Name of the picture -> path.
PAGES: Final = {
    "queue": "/dashboard/queue",
    "check": "/dashboard/check",
    "records": "/dashboard/records",
    "search": "/dashboard/records?q=1997+жылы+астана+Ақмолаға+көшірілді",
    "record-new": "/dashboard/records/new",
    "feeds": "/dashboard/feeds",
    "statistics": "/dashboard/statistics",
    "reviewers": "/dashboard/statistics/reviewers",
    "login": "/dashboard/login",
    "audits": "/dashboard/audits",
    "accounts": "/dashboard/settings/accounts",
    "keys": "/dashboard/settings/keys",
    "thresholds": "/dashboard/settings/thresholds",
    "trust": "/dashboard/settings/trust",
    "countries": "/dashboard/settings/countries",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--address", required=True, help="Of a service that serves to this machine.")
    parser.add_argument("--out", type=Path, required=True, help="Folder of the pictures.")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    articles = [json.loads(line) for line in SAMPLES.read_text(encoding="utf-8").splitlines()]
    with sync_playwright() as playwright:
        chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 860})
        for article in articles:
            _check(page, given.address, article, "en", store=True)
        for locale in LOCALES:
            for name, shown in _shown(page, given.address, articles[0], locale):
                _save(shown, given.out / f"{name}-{locale}.png")
        phone = browser.new_page(viewport={"width": 360, "height": 740}, color_scheme="dark")
        _check(phone, given.address, articles[0], "kk", store=False)
        _save(phone, given.out / "check-result-phone-kk.png")
        browser.close()


def _shown(page: Page, address: str, article: dict[str, str], locale: str) -> Iterator[tuple[str, Page]]:
    for name, path in PAGES.items():
        answer = page.goto(f"{address}{path}{'&' if '?' in path else '?'}lang={locale}")
        if answer is not None and answer.ok:
            yield name, page
    page.goto(f"{address}/dashboard/queue?lang={locale}")
    first = page.locator("main a[href*='/dashboard/articles/'], main a[href*='/dashboard/reviews/']").first
    if first.count():
        first.click()
        page.wait_for_load_state()
        yield "article", page
        page.locator("main a[href*='keys']").first.click()
        page.wait_for_load_state()
        yield "review-keys", page
    page.goto(f"{address}/dashboard/records?lang={locale}")
    page.locator(".items a").first.click()
    page.wait_for_load_state()
    yield "record", page
    _check(page, address, article, locale, store=False)
    yield "check-result", page


def _check(page: Page, address: str, article: dict[str, str], locale: str, *, store: bool) -> None:
    page.goto(f"{address}/dashboard/check?lang={locale}")
    page.fill("#text", article["text"])
    page.locator("details.more summary").click()
    page.fill("#title", article["title"])
    page.fill("#outlet", article["outlet"])
    if store:
        page.check("[name=store]")
    page.locator("main button.main").click()
    page.wait_for_selector(".panes", timeout=120_000)


def _save(page: Page, path: Path) -> None:
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    for colours in (256, 64, 16):
        picture.quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size < MOST_BYTES:
            return
    raise SystemExit(f"{path} does not fit into {MOST_BYTES:,} bytes")


if __name__ == "__main__":
    main()
