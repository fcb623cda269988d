"""Pictures of every page of the dashboard, to be looked at: docs/screenshots.

    tamga serve --samples --port 8000      # an empty home, so that the samples are loaded
    python -m bench.screenshots --address http://127.0.0.1:8000 --out docs/screenshots

Fills the home first, so that the pages have something to show, and ends by making accounts, which closes it:
every run takes a new home. A test compares what is listed here with the routes and with the pictures that
there are. Needs the packages of the tests (Playwright, Pillow, httpx2) and Chromium.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from PIL import Image, ImageChops
from playwright.sync_api import Browser, Page, sync_playwright

LOCALES: Final = ("kk", "en")
MOST_BYTES: Final = 150_000
SAMPLES: Final = Path("service/samples/articles.jsonl")
PASSWORD: Final = "seven quiet rivers meet"
# Shown to whoever sits at the machine while there is no account. Name of the picture -> path.
PAGES: Final = {
    "queue": "/dashboard/queue",
    "article": "/dashboard/reviews/{review}",
    "article-decided": "/dashboard/reviews/{decided}",
    "review-keys": "/dashboard/keys-of-review",
    "check": "/dashboard/check",
    "records": "/dashboard/records",
    "search": "/dashboard/records?q=1997+жылы+астана+Ақмолаға+көшірілді",
    "record": "/dashboard/records/view?id={record}",
    "record-new": "/dashboard/records/new",
    "record-edit": "/dashboard/records/edit?id={record}",
    "record-delete": "/dashboard/records/delete?id={record}",
    "feeds": "/dashboard/feeds",
    "feed-remove": "/dashboard/feeds/remove?id={feed}",
    "statistics": "/dashboard/statistics",
    "audits": "/dashboard/audits",
    "audit": "/dashboard/audits/view?id={audit}",
    "thresholds": "/dashboard/settings/thresholds",
    "trust": "/dashboard/settings/trust",
    "anchor-remove": "/dashboard/settings/trust/remove?fingerprint={anchor}",
    "countries": "/dashboard/settings/countries",
    "reader-page": "/l/{label}",
    "error-404": "/dashboard/nowhere",
}
# Shown to an administrator who logged in, once two reviewers have judged the same reviews.
CLOSED_PAGES: Final = {
    "reviewers": "/dashboard/statistics/reviewers",
    "account": "/dashboard/account",
    "accounts": "/dashboard/settings/accounts",
    "keys": "/dashboard/settings/keys",
}
# To others: somebody without a login, and a reader where only an administrator may look.
STRANGER_PAGES: Final = {"login": "/dashboard/login"}
READER_PAGES: Final = {"error-403": "/dashboard/settings/accounts"}
# What forms are answered with.
FORMED: Final = ("check-result", "queue-bulk", "queue-bulk-done")
PHONE: Final = "check-result-phone-kk"
# A file to be kept and sent on, in one language.
REPORT: Final = "audit-report"


def names() -> set[str]:
    """The names of all pictures, without `.png`."""
    shown = [*PAGES, *CLOSED_PAGES, *STRANGER_PAGES, *READER_PAGES, *FORMED]
    return {f"{name}-{locale}" for name in shown for locale in LOCALES} | {REPORT, PHONE}


def paths() -> list[str]:
    """The paths of all pages that are asked for by an address, with places for ids."""
    return [*PAGES.values(), *CLOSED_PAGES.values(), *STRANGER_PAGES.values(), *READER_PAGES.values()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--address", required=True, help="Of a service that serves to this machine.")
    parser.add_argument("--out", type=Path, required=True, help="Folder of the pictures.")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    articles = [json.loads(line) for line in SAMPLES.read_text(encoding="utf-8").splitlines()]
    headers = {"sec-fetch-site": "same-origin"}
    with (
        httpx2.Client(base_url=given.address, headers=headers, timeout=300) as client,
        sync_playwright() as playwright,
    ):
        chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        ids = fill(client, articles)
        taken = set()
        for name, page in _shown(browser, given.address, articles[0], ids):
            _save(page, given.out / f"{name}.png")
            taken.add(name)
        close(client, given.address)
        for name, page in _shown_closed(browser, given.address):
            _save(page, given.out / f"{name}.png")
            taken.add(name)
        browser.close()
    assert taken == names(), taken ^ names()


def fill(client: httpx2.Client, articles: list[dict[str, str]]) -> dict[str, str]:
    """One of everything that pages show; returns the ids by the places that `PAGES` has for them."""
    for article in articles:
        form = {name: article.get(name, "") for name in ("text", "title", "outlet", "language")}
        _done(client.post("/dashboard/check", data={**form, "store": "yes"}), 200)
    feed = {"url": "https://feeds.example/claims.json", "kind": "claimreview", "publisher": "Example"}
    _done(client.post("/dashboard/feeds", data=feed), 303)
    archive = "\n".join(json.dumps(article, ensure_ascii=False) for article in articles[:4]).encode()
    begun = client.post(
        "/dashboard/audits",
        data={"kind": "archive", "origin": "yes", "claims": "yes"},
        files={"file": ("archive.jsonl", archive)},
    )
    audit = _done(begun, 303).headers["location"].partition("id=")[2]
    while client.get(f"/v1/audits/{audit}").json()["state"] not in ("done", "failed", "cancelled"):
        time.sleep(0.5)
    _done(client.post("/v1/settings/trust-anchors", json={"pem": certificate("Example Press Archive")}), 200)
    _done(client.patch("/v1/settings", json={"countries": ["KZ", "UZ"]}), 200)
    reviews = [item["id"] for item in client.get("/v1/reviews").json()["items"]]
    form = {"choice": "assisted", "human_review": "reviewed", "note": "The author told us how it was made."}
    # Some are drawn for two people: one opinion does not decide them.
    for decided in reversed(reviews):
        _done(client.post(f"/dashboard/reviews/{decided}/decide", data=form), 303)
        if (label := client.get(f"/v1/reviews/{decided}").json()["issued_label_id"]) is not None:
            break
    return {
        "review": next(review for review in reviews if review != decided),
        "decided": decided,
        "label": label,
        "anchor": client.get("/v1/settings/trust-anchors").json()["items"][0]["fingerprint"],
        "record": quote(client.get("/v1/records").json()["items"][0]["id"], safe=""),
        "feed": client.get("/v1/feeds").json()["items"][0]["id"],
        "audit": audit,
    }


def certificate(name: str) -> str:
    """A certificate of an authority, to be trusted (PEM)."""
    key = ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(named, named, key.public_key(), 7, now, now + timedelta(days=3_650))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def close(client: httpx2.Client, address: str) -> None:
    """Make accounts, and have two reviewers judge the same reviews without seeing each other's opinion."""
    people = {"admin": "admin", "reviewer-1": "reviewer", "reviewer-2": "reviewer", "reader": "reader"}
    waiting = [item["id"] for item in client.get("/v1/reviews").json()["items"]]
    for review in waiting:
        # Refused where two people are wanted already.
        client.post(f"/dashboard/reviews/{review}/second", data={})
    for login, role in people.items():
        body = {"login": login, "name": login.replace("-", " ").title(), "role": role, "password": PASSWORD}
        _done(client.post("/v1/accounts", json=body), 201)
        if role == "admin":
            _done(client.post("/dashboard/login", data={"login": login, "password": PASSWORD}), 303)
    for login in ("reviewer-1", "reviewer-2"):
        headers = {"sec-fetch-site": "same-origin"}
        with httpx2.Client(base_url=address, headers=headers, timeout=60) as reviewer:
            _done(reviewer.post("/dashboard/login", data={"login": login, "password": PASSWORD}), 303)
            for place, review in enumerate(waiting):
                choice = "dismiss" if place % 4 or login == "reviewer-1" else "assisted"
                form = {"choice": choice, "human_review": "reviewed", "note": "Seen with the editor."}
                reviewer.post(f"/dashboard/reviews/{review}/decide", data=form)


def _done(answer: Any, status: int) -> Any:
    assert answer.status_code == status, (answer.request.url, answer.status_code, answer.text[:500])
    return answer


def _shown(
    browser: Browser, address: str, article: dict[str, str], ids: dict[str, str]
) -> Iterator[tuple[str, Page]]:
    page = browser.new_page(viewport={"width": 1280, "height": 860})
    for locale in LOCALES:
        for name, path in PAGES.items():
            _open(page, f"{address}{path.format(**ids)}", locale, 404 if name == "error-404" else 200)
            yield f"{name}-{locale}", page
        _check(page, address, article, locale)
        yield f"check-result-{locale}", page
        page.goto(f"{address}/dashboard/queue?lang={locale}")
        for box in page.locator("main input[name=id]").all()[:3]:
            box.check()
        page.locator("form[action='/dashboard/queue/bulk'] button").last.click()
        page.wait_for_url("**/queue/bulk")
        yield f"queue-bulk-{locale}", page
        page.locator("main button.main").click()
        page.wait_for_load_state()
        yield f"queue-bulk-done-{locale}", page
    _open(page, f"{address}/v1/audits/{ids['audit']}/report", "en", 200)
    yield REPORT, page
    phone = browser.new_page(viewport={"width": 360, "height": 740}, color_scheme="dark")
    _check(phone, address, article, "kk")
    yield PHONE, phone


def _shown_closed(browser: Browser, address: str) -> Iterator[tuple[str, Page]]:
    for login, shown, status in (
        ("admin", CLOSED_PAGES, 200),
        (None, STRANGER_PAGES, 200),
        ("reader", READER_PAGES, 403),
    ):
        page = browser.new_page(viewport={"width": 1280, "height": 860})
        if login is not None:
            page.goto(f"{address}/dashboard/login")
            page.fill("#login", login)
            page.fill("#password", PASSWORD)
            page.locator("main button.main").click()
            page.wait_for_load_state()
        for locale in LOCALES:
            for name, path in shown.items():
                _open(page, f"{address}{path}", locale, status)
                yield f"{name}-{locale}", page
        page.close()


def _open(page: Page, address: str, locale: str, status: int) -> None:
    answer = page.goto(f"{address}{'&' if '?' in address else '?'}lang={locale}")
    assert answer is not None
    assert answer.status == status, (address, answer.status)


def _check(page: Page, address: str, article: dict[str, str], locale: str) -> None:
    page.goto(f"{address}/dashboard/check?lang={locale}")
    page.fill("#text", article["text"])
    page.locator("details.more summary").click()
    page.fill("#title", article["title"])
    page.fill("#outlet", article["outlet"])
    page.locator("main button.main").click()
    page.wait_for_selector(".panes", timeout=120_000)


def _save(page: Page, path: Path) -> None:
    """Write the picture, unless the one that is there shows the same."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    for colours in (256, 64, 16):
        small = picture.quantize(colours, dither=Image.Dither.NONE)
        if path.exists() and _same(small, path):
            return
        small.save(path, optimize=True)
        if path.stat().st_size < MOST_BYTES:
            return
    raise SystemExit(f"{path} does not fit into {MOST_BYTES:,} bytes")


def _same(picture: Image.Image, path: Path) -> bool:
    with Image.open(path) as known:
        there, here = known.convert("RGB"), picture.convert("RGB")
        return there.size == here.size and ImageChops.difference(there, here).getbbox() is None


if __name__ == "__main__":
    main()
