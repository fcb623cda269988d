"""Reviews over HTTP, on both databases, without models: labels that wait are reviews."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.app import create_app
from service.errors import PROBLEM_PREFIX
from service.runtime import Runtime
from service.settings import load_settings

TEXT = "Қалалық мұражай жаңа көрмесін жексенбіде ашады."
numbers = itertools.count()
LABEL = {"action": "change", "involvement": "assisted", "human_review": "reviewed"}


class Service:
    """One service with a key for each role."""

    def __init__(self, app: Any, running: TestClient) -> None:
        self.app, self.running = app, running
        self.tokens: dict[str, str] = {}
        self.tokens["admin"] = self._key(self.of(), "admin")
        for role in ("reader", "reviewer", "editor"):
            self.tokens[role] = self._key(self.of("admin"), role)
        self.tokens["second"] = self._key(self.of("admin"), "reviewer")

    @staticmethod
    def _key(client: TestClient, role: str) -> str:
        token: str = client.post("/v1/keys", json={"name": role, "role": role}).json()["token"]
        return token

    def of(self, role: str | None = None) -> TestClient:
        headers = {"authorization": f"Bearer {self.tokens[role]}"} if role else {}
        made = TestClient(
            self.app,
            base_url="http://127.0.0.1:8000",
            client=("127.0.0.1", 50_000),
            headers=headers,
            raise_server_exceptions=False,
        )
        made.app_state.update(self.running.app_state)
        return made

    def waiting(self, **fields: Any) -> dict[str, Any]:
        """A review of a label that waits."""
        body = {"text": f"{TEXT} {next(numbers)}", "language": "kk", **fields}
        label = self.of("editor").post("/v1/labels", json=body).json()
        items = self.of("reader").get("/v1/reviews", params={"limit": 200}).json()["items"]
        (review,) = [item for item in items if item["label_id"] == label["id"]]
        found: dict[str, Any] = review
        return found


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    given: dict[str, Any] = {"home": tmp_path_factory.mktemp("reviews"), "review_overlap": 0}
    if request.param == "postgresql":
        given["database_url"] = request.getfixturevalue("postgres_server").empty_database()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Runtime, "load", lambda runtime: None)
        app = create_app(load_settings(**given))
        with TestClient(app, base_url="http://127.0.0.1:8000", client=("127.0.0.1", 50_000)) as running:
            yield Service(app, running)


def test_a_review_from_the_queue_to_the_reader_page_and_back(service: Service) -> None:
    review = service.waiting()
    reviewer = service.of("reviewer")
    path = f"/v1/reviews/{review['id']}"
    assert (review["state"], review["stage"], review["kinds"]) == ("open", "first", ["unknown_origin"])
    taken = reviewer.post(f"{path}/lock")
    assert taken.json()["lock"]["name"] == "reviewer"
    refused = service.of("second").post(f"{path}/decision", json={"label": LABEL})
    assert (refused.status_code, refused.json()["type"]) == (409, PROBLEM_PREFIX + "conflict")
    tag = taken.headers["etag"]
    body = {"label": LABEL, "note": "The desk was asked."}
    stale = reviewer.post(f"{path}/decision", json=body, headers={"if-match": '"1"'})
    assert stale.status_code == 412
    once = {"if-match": tag, "idempotency-key": f"decide {review['id']}"}
    decided = reviewer.post(f"{path}/decision", json=body, headers=once)
    assert decided.status_code == 200, decided.text
    again = reviewer.post(f"{path}/decision", json=body, headers=once)
    assert (again.json(), again.headers["idempotency-replayed"]) == (decided.json(), "true")
    label_id = decided.json()["issued_label_id"]
    assert service.of().get(f"/l/{label_id}").status_code == 200
    label = reviewer.get(f"/v1/labels/{label_id}").json()
    assert (label["state"], label["human_review"]) == ("ai_assisted", "reviewed")
    verified = service.of().post("/v1/verify", json={"jws": label["jws"]}).json()
    assert verified["verdict"] == "valid"
    detail = reviewer.get(path).json()
    assert detail["opinions"][0]["decision"]["note"] == "The desk was asked."
    undone = reviewer.post(f"{path}/undo", json={"note": "wrong page"}).json()
    assert (undone["state"], undone["issued_label_id"]) == ("open", None)
    gone = service.of().post("/v1/verify", json={"jws": label["jws"]}).json()
    assert gone["status"] == "revoked"
    history = reviewer.get(f"{path}/history").json()
    assert [entry["kind"] for entry in history] == ["opened", "locked", "decided", "undone"]


def test_two_opinions_and_an_editor(service: Service) -> None:
    review = service.waiting()
    path = f"/v1/reviews/{review['id']}"
    asked = service.of("reviewer").post(f"{path}/second-opinion", json={"note": "odd tone"})
    assert asked.json()["opinions_wanted"] == 2
    service.of("reviewer").post(f"{path}/decision", json={"label": LABEL})
    blind = service.of("second").get(path).json()
    assert (blind["opinions"], blind["hidden_opinions"], blind["stage"]) == ([], 1, "second")
    assert all(
        not entry["detail"]
        for entry in service.of("second").get(f"{path}/history").json()
        if entry["kind"] == "decided"
    )
    service.of("second").post(f"{path}/decision", json={"label": {"action": "dismiss"}})
    settled = service.of("second").post(f"{path}/decision", json={"label": LABEL})
    assert settled.status_code == 403
    assert service.of("editor").post(f"{path}/decision", json={"label": LABEL}).json()["stage"] == "done"
    report = service.of("reader").get("/v1/reviews/agreement").json()
    assert report["all"] == {"reviews": 1, "agreeing": 0, "alpha": None}
    assert set(report["by_language"]) == {"kk"}


def test_many_at_once(service: Service) -> None:
    ids = [service.waiting()["id"] for _ in range(3)]
    service.of("second").post(f"/v1/reviews/{ids[1]}/lock")
    body = {"ids": [*ids, "rev_none"], "action": "decide", "label": {"action": "dismiss"}, "note": "quiz"}
    results = service.of("reviewer").post("/v1/reviews/bulk", json=body).json()
    assert [item["state"] for item in results] == ["decided", None, "decided", None]
    assert [item["error"] and item["error"]["type"].rsplit(":")[-1] for item in results] == [
        None, "conflict", None, "not-found",
    ]  # fmt: skip
    for wrong in (
        {"ids": []},
        {"ids": ids},
        {"ids": ids, "action": "decide"},
        {"ids": [ids[0]] * 2, "action": "lock"},
    ):
        assert service.of("reviewer").post("/v1/reviews/bulk", json=wrong).status_code == 422


def test_counts_pages_and_filters(service: Service) -> None:
    made = [service.waiting()["id"] for _ in range(3)]
    reader = service.of("reader")
    counts = reader.get("/v1/reviews/counts").json()
    assert counts["undecided"] >= 3
    assert counts["by_language"]["kk"] == counts["by_kind"]["unknown_origin"] == counts["undecided"]
    seen, after = [], None
    while True:
        params = {"sort": "age", "limit": 2, **({"after": after} if after else {})}
        page = reader.get("/v1/reviews", params=params).json()
        seen += [item["id"] for item in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert seen[-3:] == made
    assert len(seen) == counts["undecided"]
    assert reader.get("/v1/reviews", params={"language": "tr"}).json()["items"] == []
    for wrong in ({"after": "x"}, {"kind": "none"}, {"limit": 0}, {"sort": "id"}, {"after": "1-" + "9" * 30}):
        assert reader.get("/v1/reviews", params=wrong).status_code == 422, wrong


def test_what_is_exported_is_json_lines_and_for_editors(service: Service) -> None:
    review = service.waiting()
    service.of("reviewer").post(f"/v1/reviews/{review['id']}/decision", json={"label": LABEL})
    assert service.of("reviewer").get("/v1/reviews/export").status_code == 403
    answer = service.of("editor").get("/v1/reviews/export")
    assert answer.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert review["id"] in {line["review_id"] for line in lines}


def test_readers_look_and_touch_nothing(service: Service) -> None:
    review = service.waiting()
    path = f"/v1/reviews/{review['id']}"
    reader = service.of("reader")
    assert reader.get(path).status_code == 200
    for method, rest in (
        ("POST", "/lock"),
        ("DELETE", "/lock"),
        ("POST", "/undo"),
        ("POST", "/second-opinion"),
    ):
        assert reader.request(method, path + rest).status_code == 403
    assert reader.post(f"{path}/decision", json={"label": LABEL}).status_code == 403
    assert service.of("reviewer").post("/v1/reviews/rev_none/lock").status_code == 404
