"""Records over HTTP: what is acknowledged is stored and found."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

RECORD = {
    "id": "bridge-2019",
    "claim": "Новый мост через реку Сырдарью открыли 14 сентября 2019 года.",
    "publisher": "Местная газета",
    "url": "https://example.org/bridge",
    "published_at": "2019-09-15",
    "rating": "Верно",
    "language": "ru",
}


def put(client: TestClient, body: Any) -> list[dict[str, Any]]:
    answer = client.post("/v1/records", json=body)
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


@pytest.fixture
def record(client: TestClient) -> Any:
    put(client, RECORD)
    yield RECORD
    client.delete(f"/v1/records/{RECORD['id']}")


def matches(client: TestClient, text: str) -> list[str]:
    answer = client.post("/v1/claims/match", json={"claims": [{"text": text}], "top_k": 3})
    return [match["record_id"] for match in answer.json()["results"][0]["matches"]]


def test_a_record_is_added_then_unchanged_then_updated(client: TestClient) -> None:
    assert put(client, RECORD) == [{"record_id": "bridge-2019", "status": "added"}]
    assert put(client, RECORD) == [{"record_id": "bridge-2019", "status": "unchanged"}]
    assert put(client, {**RECORD, "rating": "Частично верно"}) == [
        {"record_id": "bridge-2019", "status": "updated"}
    ]
    assert client.get("/v1/records/bridge-2019").json()["rating"] == "Частично верно"
    assert client.delete("/v1/records/bridge-2019").status_code == 204
    assert client.get("/v1/records/bridge-2019").status_code == 404


def test_an_acknowledged_record_is_found_at_once_and_a_deleted_one_no_more(client: TestClient) -> None:
    question = "The new bridge over the Syr Darya opened on 14 September 2019."
    assert "bridge-2019" not in matches(client, question)
    put(client, RECORD)
    assert matches(client, question)[0] == "bridge-2019"
    client.delete("/v1/records/bridge-2019")
    assert "bridge-2019" not in matches(client, question)


def test_an_updated_claim_is_found_by_its_new_words_only(client: TestClient, record: dict[str, Any]) -> None:
    put(client, {**record, "claim": "Школа в посёлке получила новую библиотеку в 2021 году."})
    assert matches(client, "The village school got a new library in 2021.")[0] == "bridge-2019"


def test_a_list_is_answered_in_order_and_duplicate_ids_within_it_are_updates(client: TestClient) -> None:
    sent = [{"id": f"list-{number}", "claim": f"Заявление номер {number}."} for number in (3, 1, 2)]
    sent.append({"id": "list-1", "claim": "Совсем другое заявление."})
    assert [(result["record_id"], result["status"]) for result in put(client, sent)] == [
        ("list-3", "added"),
        ("list-1", "added"),
        ("list-2", "added"),
        ("list-1", "updated"),
    ]
    for number in (1, 2, 3):
        assert client.delete(f"/v1/records/list-{number}").status_code == 204


def test_one_malformed_record_refuses_the_whole_list(client: TestClient) -> None:
    answer = client.post("/v1/records", json=[{"id": "whole-1", "claim": "x y"}, {"id": "whole-2"}])
    assert answer.status_code == 422
    assert client.get("/v1/records/whole-1").status_code == 404


def test_ids_may_be_addresses(client: TestClient) -> None:
    address = "https://example.org/checks/17?page=2"
    put(client, {"id": address, "claim": "Утверждение с адресом вместо номера."})
    found = client.get("/v1/records/https%3A%2F%2Fexample.org%2Fchecks%2F17%3Fpage%3D2")
    assert found.json()["id"] == address
    assert client.delete("/v1/records/https%3A%2F%2Fexample.org%2Fchecks%2F17%3Fpage%3D2").status_code == 204


def test_pages_hold_every_record_once(client: TestClient) -> None:
    seen: list[str] = []
    after = None
    while True:
        page = client.get("/v1/records", params={"limit": 40, **({"after": after} if after else {})}).json()
        seen += [item["id"] for item in page["items"]]
        after = page["next"]
        if after is None:
            break
        assert len(page["items"]) == 40
    assert len(seen) == len(set(seen)) == client.get("/readyz").json()["records"]


def test_a_change_is_made_only_to_what_was_read(client: TestClient) -> None:
    path = "/v1/records/bridge-2019"
    added = client.put(path, json=RECORD)
    assert (added.status_code, added.json()["status"]) == (201, "added")
    read = client.get(path).headers["etag"]
    assert added.headers["etag"] == read
    changed = client.put(path, json={**RECORD, "rating": "Частично верно"}, headers={"if-match": read})
    assert (changed.status_code, changed.json()["status"]) == (200, "updated")
    assert changed.headers["etag"] != read
    for late in (
        client.put(path, json={**RECORD, "rating": "Неверно"}, headers={"if-match": read}),
        client.delete(path, headers={"if-match": read}),
    ):
        assert (late.status_code, late.json()["type"]) == (412, "urn:tamga:problem:precondition-failed")
    assert client.get(path).json()["rating"] == "Частично верно"
    assert client.put(path, json=RECORD, headers={"if-match": "*"}).status_code == 200
    assert client.delete(path, headers={"if-match": client.get(path).headers["etag"]}).status_code == 204
    assert client.put(path, json=RECORD, headers={"if-match": read}).status_code == 412
    assert client.get(path).status_code == 404


def test_a_record_is_put_under_its_own_id(client: TestClient) -> None:
    refused = client.put("/v1/records/another", json=RECORD)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "#/id")
    assert client.put("/v1/records/bridge-2019", json=RECORD, headers={"if-match": "1"}).status_code == 422
