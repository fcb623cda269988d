"""The pages of reviewers, without a script: queue, article, deciding, undoing."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from review_newsroom import EMBEDDED, SENTENCE, analysis_of

from index.articles import Article
from service.app import create_app
from service.labels.wording import LOCALES
from service.reviews.cases import case_of_analysis
from service.runtime import Runtime
from service.settings import load_settings
from service.store.review_changes import open_case

PASSWORD = "seven quiet rivers meet"
HOSTILE = '<script>alert("x")</script> & "quotes" \u202e'


class Newsroom:
    """One service with an account for each role; articles are stored as the analyser stores them."""

    def __init__(self, app: Any, running: TestClient) -> None:
        self.app, self.running = app, running
        self.browsers: dict[str, TestClient] = {}
        for login, role in (
            ("chief", "admin"),
            ("anna", "reviewer"),
            ("bek", "reviewer"),
            ("rita", "reader"),
        ):
            client = self.browsers.get("chief") or self.browser()
            body = {"login": login, "name": login.title(), "role": role, "password": PASSWORD}
            assert client.post("/v1/accounts", json=body).status_code == 201
            self.browsers[login] = self.browser()
            form = {"login": login, "password": PASSWORD}
            assert self.browsers[login].post("/dashboard/login", data=form).status_code == 303

    def browser(self) -> TestClient:
        made = TestClient(
            self.app,
            base_url="http://127.0.0.1:8000",
            client=("127.0.0.1", 50_000),
            headers={"sec-fetch-site": "same-origin", "accept": "text/html"},
            follow_redirects=False,
        )
        made.app_state.update(self.running.app_state)
        return made

    def review(
        self, number: int, *, opinions: int = 1, title: str = "Zavod", language: str = "az", **changes: Any
    ) -> str:
        store = self.running.app_state["worker"].runtime.store
        text = f"{SENTENCE} {HOSTILE} Bu {number} saylı mətndir."
        article = Article(
            id=f"art_{number}", text=text, title=title, language=language, outlet=f"Outlet {number}"
        )
        analysis = analysis_of(article, **changes)
        case = case_of_analysis(article, analysis)
        assert case is not None
        store.articles.save(
            article,
            EMBEDDED,
            model_id="none",
            analysis=analysis.model_dump(mode="json"),
            versions=analysis.models,
            index_generation=4,
            also=lambda connection: open_case(connection, case, opinions_wanted=opinions),
        )
        found: str = store.reviews.of_article(article.id).id
        return found


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsroom]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Runtime, "load", lambda self: None)
        settings = load_settings(home=tmp_path_factory.mktemp("reviews"), review_overlap=0)
        app = create_app(settings)
        with TestClient(app, base_url="http://127.0.0.1:8000", client=("127.0.0.1", 50_000)) as running:
            yield Newsroom(app, running)


def page(client: TestClient, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, answer.text[:2_000]
    return answer.text


def version_on(text: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', text)
    assert found is not None
    return found[1]


def test_a_review_is_found_taken_decided_and_undone(newsroom: Newsroom) -> None:
    review = newsroom.review(1)
    anna = newsroom.browsers["anna"]
    queue = page(anna, "/dashboard/queue?outlet=Outlet+1&lang=en")
    assert f"/dashboard/reviews/{review}" in queue
    assert "Looks machine-written" in queue
    taken = anna.post("/dashboard/queue/next", data={"from": "outlet=Outlet+1"})
    assert taken.headers["location"] == f"/dashboard/reviews/{review}?from=outlet%3DOutlet%2B1"
    shown = page(anna, taken.headers["location"])
    assert HOSTILE.split("&")[0] not in shown
    assert html.escape("<script>alert(", quote=False) in shown
    assert "Example Daily" in shown
    form = {
        "version": version_on(shown), "choice": "assisted", "human_review": "reviewed",
        "note": f"Asked. {HOSTILE}", "match": "0 r1 confirm contradicts", "from": "outlet=Outlet+1",
    }  # fmt: skip
    decided = anna.post(f"/dashboard/reviews/{review}/decide", data=form)
    assert decided.status_code == 303, decided.text
    # The same again, as after a lost answer: nothing is lost, nothing counts twice.
    assert anna.post(f"/dashboard/reviews/{review}/decide", data=form).status_code == 303
    after = page(anna, f"/dashboard/reviews/{review}")
    address = re.search(r'href="(/l/[0-9a-f-]+)"', after)
    assert address is not None
    assert newsroom.browser().get(address[1]).status_code == 200
    assert "qr.svg" in after
    assert "ai-disclosure" in html.unescape(after)
    assert "<script>alert" not in after
    undone = anna.post(f"/dashboard/reviews/{review}/undo", data={})
    assert undone.status_code == 303
    again = page(anna, f"/dashboard/reviews/{review}")
    assert "Undone" in again
    assert 'name="choice"' in again


def test_going_on_to_the_next_one_and_the_way_back(newsroom: Newsroom) -> None:
    first, second = newsroom.review(11, match={"level": "none"}), newsroom.review(12, match={"level": "none"})
    bek = newsroom.browsers["bek"]
    shown = page(bek, f"/dashboard/reviews/{first}")
    form = {"version": version_on(shown), "choice": "dismiss", "advance": "yes", "from": "outlet=Outlet+12"}
    onward = bek.post(f"/dashboard/reviews/{first}/decide", data=form).headers["location"]
    assert onward == f"/dashboard/reviews/{second}?from=outlet%3DOutlet%2B12&done={first}"
    assert f'action="/dashboard/reviews/{first}/undo"' in page(bek, onward)
    shown = page(bek, f"/dashboard/reviews/{second}")
    form |= {"version": version_on(shown)}
    end = bek.post(f"/dashboard/reviews/{second}/decide", data=form).headers["location"]
    assert end == f"/dashboard/queue?outlet=Outlet+12&done={second}"
    assert f'action="/dashboard/reviews/{second}/undo"' in page(bek, end)


def test_what_is_not_decided_is_said_and_what_was_filled_in_kept(newsroom: Newsroom) -> None:
    said = {
        "id": "html_meta-1", "type": "html_meta", "outcome": "ai", "basis": "metadata_unsigned",
        "tool": "html", "at": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    review = newsroom.review(21, evidence=[said])
    anna = newsroom.browsers["anna"]
    path = f"/dashboard/reviews/{review}/decide"
    version = version_on(page(anna, f"/dashboard/reviews/{review}"))
    nothing = anna.post(path, data={"version": version, "note": "kept words"})
    assert (nothing.status_code, "kept words" in nothing.text) == (422, True)
    uncited = anna.post(path, data={"version": version, "choice": "none", "note": "kept words"})
    assert (uncited.status_code, 'value="none" checked' in uncited.text) == (422, True)
    stale = anna.post(path, data={"version": "99", "choice": "none"})
    assert stale.status_code == 412
    newsroom.browsers["bek"].post(f"/dashboard/reviews/{review}/lock", data={})
    taken = anna.post(path, data={"choice": "none", "overrides": "html_meta-1"})
    assert taken.status_code == 409
    assert "Bek works on it" in taken.text
    newsroom.browsers["bek"].post(f"/dashboard/reviews/{review}/unlock", data={})
    assert anna.post(path, data={"choice": "none", "overrides": "html_meta-1"}).status_code == 303


def test_the_second_reviewer_does_not_see_the_first_opinion(newsroom: Newsroom) -> None:
    review = newsroom.review(31, opinions=2)
    anna, bek = newsroom.browsers["anna"], newsroom.browsers["bek"]
    note = "words of the first opinion"
    anna.post(f"/dashboard/reviews/{review}/decide", data={"choice": "generated", "note": note})
    assert note in page(anna, f"/dashboard/reviews/{review}")
    blind = page(bek, f"/dashboard/reviews/{review}")
    assert note not in blind
    assert "Opinions" not in blind
    bek.post(f"/dashboard/reviews/{review}/decide", data={"choice": "none"})
    assert note in page(bek, f"/dashboard/reviews/{review}")
    refused = bek.post(f"/dashboard/reviews/{review}/decide", data={"choice": "none"})
    assert refused.status_code in (303, 403)
    chief = newsroom.browsers["chief"]
    settled = chief.post(f"/dashboard/reviews/{review}/decide", data={"choice": "mixed"})
    assert settled.status_code == 303


def test_many_at_once_are_asked_about_once_more(newsroom: Newsroom) -> None:
    reviews = [newsroom.review(number) for number in (41, 42)]
    anna = newsroom.browsers["anna"]
    form = {"id": reviews, "action": "dismiss", "from": "kind=likely_ai"}
    asked = anna.post("/dashboard/queue/bulk", data=form)
    assert asked.status_code == 200
    assert 'name="confirmed"' in asked.text
    store = newsroom.running.app_state["worker"].runtime.store
    assert {store.reviews.get(review).state for review in reviews} == {"open"}
    done = anna.post("/dashboard/queue/bulk", data={**form, "confirmed": "yes", "note": "a quiz"})
    assert done.status_code == 200
    assert {store.reviews.get(review).state for review in reviews} == {"decided"}
    assert anna.post("/dashboard/queue/bulk", data={"action": "dismiss"}).status_code == 303


def test_views_and_keys_are_ones_own(newsroom: Newsroom) -> None:
    anna, bek = newsroom.browsers["anna"], newsroom.browsers["bek"]
    saved = {"name": "<b>Kazakh</b>", "from": "language=kk&sort=age&evil=1"}
    assert anna.post("/dashboard/queue/views", data=saved).status_code == 303
    mine = page(anna, "/dashboard/queue")
    assert "/dashboard/queue?sort=age" in html.unescape(mine) or "language=kk&sort=age" in html.unescape(mine)
    assert "<b>Kazakh" not in mine
    assert "evil" not in mine
    assert "Kazakh" not in page(bek, "/dashboard/queue")
    anna.post("/dashboard/queue/views", data={**saved, "remove": "yes"})
    assert "Kazakh" not in page(anna, "/dashboard/queue")
    keys = {action: chr(ord("a") + place) for place, action in enumerate(_actions())}
    assert anna.post("/dashboard/keys-of-review", data={**keys, "decide": "a"}).status_code == 422
    assert anna.post("/dashboard/keys-of-review", data={**keys, "decide": "Enter"}).status_code == 422
    assert anna.post("/dashboard/keys-of-review", data={**keys, "decide": "x"}).status_code == 303
    review = newsroom.review(51)
    assert 'data-key="x"' in page(anna, f"/dashboard/reviews/{review}")
    assert 'data-key="x"' not in page(bek, f"/dashboard/reviews/{review}")


def _actions() -> list[str]:
    from service.dashboard.queue_words import ACTIONS

    return list(ACTIONS)


def test_readers_see_and_cannot_act(newsroom: Newsroom) -> None:
    review = newsroom.review(61)
    rita = newsroom.browsers["rita"]
    shown = page(rita, f"/dashboard/reviews/{review}")
    assert 'name="choice"' not in shown
    assert "/dashboard/queue/bulk" in page(rita, "/dashboard/queue")
    for action in ("decide", "undo", "second", "lock", "unlock"):
        assert rita.post(f"/dashboard/reviews/{review}/{action}", data={"choice": "none"}).status_code == 403
    assert rita.post("/dashboard/queue/bulk", data={"id": review, "action": "dismiss"}).status_code == 403
    page(rita, "/dashboard/reviews/rev_none", 404)


def test_a_label_whose_content_is_not_stored(newsroom: Newsroom) -> None:
    chief = newsroom.browsers["chief"]
    made = chief.post("/v1/labels", json={"text": "Мұражай жексенбіде ашылады.", "language": "kk"}).json()
    store = newsroom.running.app_state["worker"].runtime.store
    (review,) = [
        item
        for item in chief.get("/v1/reviews", params={"language": "kk"}).json()["items"]
        if item["label_id"] == made["id"]
    ]
    shown = page(chief, f"/dashboard/reviews/{review['id']}")
    assert 'name="choice"' in shown
    done = chief.post(f"/dashboard/reviews/{review['id']}/decide", data={"choice": "none"})
    assert done.status_code == 303
    assert store.reviews.get(review["id"]).issued_label_id


def rows_of(shown: str, section: str) -> list[list[str]]:
    """The cells of the table in the section that is named by this id, line by line."""
    part = shown.partition(f'id="{section}"')[2].partition("</section>")[0].rpartition("<tbody>")[2]
    lines = (re.findall(r"<t[hd].*?</t[hd]>", line, re.DOTALL) for line in part.split("<tr>")[1:])
    return [[" ".join(html.unescape(re.sub("<[^>]+>", "", cell)).split()) for cell in line] for line in lines]


def test_how_far_reviewers_agree_and_override_the_models(newsroom: Newsroom) -> None:
    anna, bek = newsroom.browsers["anna"], newsroom.browsers["bek"]
    versions = {"models": {"ai_text": "detector <9>", "stance": "stance 4"}}
    said = {
        "hu": (["generated"] * 8 + ["none"] * 2, ["generated"] * 7 + ["none"] * 3),
        "kk": (["none"] * 2, ["generated"] * 2),
    }
    number = 100
    for language, judged in said.items():
        for first, second in zip(*judged, strict=True):
            number += 1
            review = newsroom.review(number, opinions=2, language=language, **versions)
            for browser, choice in ((anna, first), (bek, second)):
                match = "0 r1 reject" if browser is bek and number == 101 else "0 r1 confirm contradicts"
                form = {"choice": choice, "match": match}
                answer = browser.post(f"/dashboard/reviews/{review}/decide", data=form)
                assert answer.status_code == 303, answer.text
    shown = page(newsroom.browsers["rita"], "/dashboard/statistics/reviewers?lang=en&days=30")
    agreement = {row[0]: row[1:] for row in rows_of(shown, "agreement-title")}
    # Nominal alpha, worked out by hand: disagreement 2/20, expected 2*15*5/(20*19); 1 - 0.1/0.3947.
    assert agreement["Hungarian"] == ["10", "9", "90% (59.6% – 98.2%)", "0.75"]
    assert agreement["Kazakh"] == ["2", "0", "Too few for a figure", "Too few for a figure"]
    assert int(agreement["All languages"][0]) >= 12
    detector = {tuple(row[:2]): row[2:] for row in rows_of(shown, "detector-title")}
    assert detector["detector <9>", "Hungarian"] == ["20", "5", "25% (11.2% – 46.9%)"]
    assert detector["detector <9>", "Kazakh"] == ["4", "2", "Too few for a figure"]
    matches = {tuple(row[:2]): row[2:] for row in rows_of(shown, "matches-title")}
    assert matches["stance 4", "Hungarian"] == ["20", "1", "5% (0.9% – 23.6%)"]
    assert "/v1/reviews/export" not in shown
    nothing = page(anna, "/dashboard/statistics?days=30&lang=en")
    assert "/dashboard/statistics/reviewers?days=30" in nothing


def test_editors_are_led_to_the_decisions_to_train_with(newsroom: Newsroom) -> None:
    chief = newsroom.browsers["chief"]
    shown = page(chief, "/dashboard/statistics/reviewers")
    (whole, bare) = re.findall(r'href="(/v1/reviews/export[^"]*)"', shown)
    assert chief.get(whole).headers["content-type"].startswith("application/x-ndjson")
    assert "/v1/reviews/export" not in page(newsroom.browsers["anna"], "/dashboard/statistics/reviewers")
    assert newsroom.browsers["anna"].get(bare).status_code == 403


@pytest.mark.parametrize("locale", LOCALES)
def test_every_page_in_every_language(newsroom: Newsroom, locale: str) -> None:
    anna = newsroom.browsers["anna"]
    review = newsroom.running.app_state["worker"].runtime.store.reviews.of_article("art_51").id
    paths = ("/dashboard/queue", f"/dashboard/reviews/{review}", "/dashboard/keys-of-review")
    for path in (*paths, "/dashboard/statistics/reviewers"):
        answer = anna.get(path, params={"lang": locale})
        assert answer.status_code == 200
        assert f'<html lang="{locale}"' in answer.text
