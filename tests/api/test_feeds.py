"""Feeds over HTTP: kept, listed, refused while fetching is off, removed."""

from __future__ import annotations

from fastapi.testclient import TestClient

FEED = {
    "url": "https://desk.example/checks.jsonl",
    "kind": "jsonl",
    "publisher": "Desk",
    "every_seconds": 600,
}


def test_a_feed_is_kept_changed_and_removed(client: TestClient) -> None:
    first = client.post("/v1/feeds", json=FEED)
    assert first.status_code == 200, first.text
    feed_id = first.json()["id"]
    again = client.post("/v1/feeds", json={**FEED, "language": "kk"})
    assert again.json()["id"] == feed_id
    (listed,) = [feed for feed in client.get("/v1/feeds").json()["items"] if feed["id"] == feed_id]
    assert (listed["language"], listed["failures"], listed["last_at"]) == ("kk", 0, None)
    refused = client.post(f"/v1/feeds/{feed_id}/refresh")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:tamga:problem:fetching-off")
    assert client.delete(f"/v1/feeds/{feed_id}").status_code == 204
    assert client.delete(f"/v1/feeds/{feed_id}").status_code == 404
    assert client.post(f"/v1/feeds/{feed_id}/refresh").status_code == 404


def test_what_is_no_feed_is_refused(client: TestClient) -> None:
    for change in ({"url": "file:///etc/passwd"}, {"kind": "html"}, {"every_seconds": 5}, {"more": 1}):
        assert client.post("/v1/feeds", json={**FEED, **change}).status_code == 422
