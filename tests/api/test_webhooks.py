"""Webhooks over HTTP, delivered to a receiver on the loopback address; signatures are checked by the library
of Standard Webhooks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from standardwebhooks import Webhook, WebhookVerificationError

from service.app import create_app
from service.runtime import Runtime
from service.settings import Settings, load_settings
from service.store import Store
from service.store.outbox import publish
from service.webhooks import dispatch, schedule

LABEL = {"text": "The museum opened a new wing for the town's carpets.", "declared": "none"}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """One home on each database for all tests here: each makes webhooks of its own."""
    home = tmp_path_factory.mktemp("webhooks") / "home"
    url = f"sqlite:///{home / 'tamga.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_server").empty_database()
    return load_settings(
        home=home, database_url=url, webhooks=True, webhook_networks="127.0.0.0/8", webhook_seconds=2
    )


def running(settings: Settings) -> Iterator[TestClient]:
    """The service without models, which webhooks do not need; a day of retries passes in a second."""
    here: dict[str, Any] = {"base_url": "http://127.0.0.1", "client": ("127.0.0.1", 50_000)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Runtime, "load", lambda self: None)
        patch.setattr(schedule, "WAITS", (timedelta(seconds=0.05),) * 3)
        patch.setattr(dispatch, "LOOK_EVERY_SECONDS", 0.02)
        with TestClient(create_app(settings), raise_server_exceptions=False, **here) as client:
            yield client


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[TestClient]:
    yield from running(settings)


@pytest.fixture
def made(client: TestClient) -> Iterator[Callable[..., dict[str, Any]]]:
    """Makes webhooks for the time of a test."""
    ids = []

    def make(url: str, **wanted: Any) -> dict[str, Any]:
        answer = client.post("/v1/webhooks", json={"url": url, **wanted})
        assert answer.status_code == 201, answer.text
        created: dict[str, Any] = answer.json()
        ids.append(created["id"])
        return created

    yield make
    for webhook_id in ids:
        client.delete(f"/v1/webhooks/{webhook_id}")


Made = Callable[..., dict[str, Any]]


def happened(client: TestClient, number: int = 0) -> str:
    """Something that webhooks hear of as `records.changed`; returns its id."""
    record_id = f"record-{number}"
    with store_of(client).database.writing() as connection:
        publish(connection, "records.changed", {"added": [record_id], "updated": [], "removed": []})
    return record_id


def store_of(client: TestClient) -> Store:
    store: Store = client.app.state.worker.runtime.store  # type: ignore[attr-defined]
    return store


def labelled(client: TestClient) -> str:
    answer = client.post("/v1/labels", json=LABEL)
    assert answer.status_code == 201, answer.text
    label_id: str = answer.json()["id"]
    return label_id


def settled(client: TestClient, webhook_id: str, count: int = 1) -> list[dict[str, Any]]:
    """The deliveries of a webhook, once there are so many and none is pending."""
    deadline = time.monotonic() + 30
    while True:
        items: list[dict[str, Any]] = client.get(f"/v1/webhooks/{webhook_id}/deliveries").json()["items"]
        if len(items) >= count and all(item["state"] != "pending" for item in items):
            return items
        assert time.monotonic() < deadline, items
        time.sleep(0.02)


def test_a_label_is_told_signed_and_logged(client: TestClient, made: Made, receiver: Any) -> None:
    mine = made(f"{receiver.url}/ok", events=["label.issued"], description="CMS")
    other = made(f"{receiver.url}/status/200/other", events=["label.revoked", "records.changed"])
    assert mine["secret"].startswith("whsec_")
    label_id = labelled(client)
    (told,) = receiver.wait_for("/ok")
    event = Webhook(mine["secret"]).verify(told.body, told.headers)
    assert (event["type"], event["data"]["label_id"]) == ("label.issued", label_id)
    assert event["data"]["status"] == "active"
    assert LABEL["text"] not in told.body.decode()
    with pytest.raises(WebhookVerificationError):
        Webhook(other["secret"]).verify(told.body, told.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(mine["secret"]).verify(told.body.replace(b"active", b"passed"), told.headers)
    (delivery,) = settled(client, mine["id"])
    assert (delivery["state"], delivery["event_id"], delivery["attempts"]) == ("delivered", told.id, 1)
    assert (delivery["last_attempt"]["status"], delivery["last_attempt"]["error"]) == (204, None)
    assert delivery["next_attempt_at"] is None
    details = client.get(f"/v1/webhooks/{mine['id']}/deliveries/{delivery['id']}").json()
    assert details["body"].encode() == told.body
    assert client.post(f"/v1/labels/{label_id}/revoke", json={"reason": "an error"}).status_code == 200
    (revoked,) = receiver.wait_for("/status/200/other")
    assert Webhook(other["secret"]).verify(revoked.body, revoked.headers)["type"] == "label.revoked"
    assert len(receiver.at("/ok")) == 1


def test_the_secret_is_shown_once_and_lies_nowhere_in_the_open(
    client: TestClient, receiver: Any, settings: Settings
) -> None:
    wanted = {"url": f"{receiver.url}/ok"}
    first = client.post("/v1/webhooks", json=wanted, headers={"Idempotency-Key": "k1"})
    secret, webhook_id = first.json()["secret"], first.json()["id"]
    assert first.headers["cache-control"] == "no-store"
    assert first.headers["location"] == f"/v1/webhooks/{webhook_id}"
    again = client.post("/v1/webhooks", json=wanted, headers={"Idempotency-Key": "k1"})
    assert again.status_code == 409
    assert webhook_id in again.json()["detail"]
    assert [item["id"] for item in client.get("/v1/webhooks").json()["items"]] == [webhook_id]
    assert "secret" not in client.get(f"/v1/webhooks/{webhook_id}").json()
    assert (settings.home / "keys" / "webhooks.key").stat().st_mode & 0o077 == 0
    files = [path for path in settings.home.rglob("*") if path.is_file()]
    assert not [path for path in files if secret.removeprefix("whsec_").encode() in path.read_bytes()]
    assert client.delete(f"/v1/webhooks/{webhook_id}").status_code == 204


def test_a_receiver_that_fails_is_tried_again_with_the_same_message(
    client: TestClient, made: Made, receiver: Any
) -> None:
    webhook = made(f"{receiver.url}/fail/2", events=["records.changed"])
    happened(client)
    told = receiver.wait_for("/fail/2", 3)
    assert len({one.id for one in told}) == len({one.body for one in told}) == 1
    for one in told:
        Webhook(webhook["secret"]).verify(one.body, one.headers)
    (delivery,) = settled(client, webhook["id"])
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 3)
    details = client.get(f"/v1/webhooks/{webhook['id']}/deliveries/{delivery['id']}").json()
    assert [attempt["status"] for attempt in details["history"]] == [500, 500, 204]
    assert details["history"][0]["body"] == "not yet"
    assert client.get(f"/v1/webhooks/{webhook['id']}").json()["failing_since"] is None


def test_after_all_tries_it_failed_and_can_be_sent_again(
    client: TestClient, made: Made, receiver: Any
) -> None:
    webhook = made(f"{receiver.url}/large", events=["records.changed"])
    happened(client)
    (delivery,) = settled(client, webhook["id"])
    assert (delivery["state"], delivery["attempts"]) == ("failed", 1 + len(schedule.WAITS))
    assert delivery["last_attempt"]["error"] == "answered 500"
    body = delivery["last_attempt"]["body"]
    assert len(body) == 2_048
    assert body.startswith("дж\ufffdдж")
    assert client.get(f"/v1/webhooks/{webhook['id']}").json()["failing_since"] is not None
    receiver.healed = True
    address = f"/v1/webhooks/{webhook['id']}/deliveries/{delivery['id']}/redeliver"
    answer = client.post(address)
    assert (answer.status_code, answer.json()["state"]) == (202, "pending")
    told = receiver.wait_for("/large", 2 + len(schedule.WAITS))
    assert len({one.id for one in told}) == 1
    (delivery,) = settled(client, webhook["id"])
    assert delivery["state"] == "delivered"
    assert client.post(address.replace(delivery["id"], "dlv_0")).status_code == 404


def test_while_a_secret_is_rotated_both_are_signed_with(
    client: TestClient, made: Made, receiver: Any
) -> None:
    webhook = made(f"{receiver.url}/ok")
    address = f"/v1/webhooks/{webhook['id']}"
    rotated = client.post(f"{address}/rotate", json={"grace_seconds": 60})
    assert rotated.status_code == 200
    assert rotated.headers["cache-control"] == "no-store"
    new = rotated.json()["secret"]
    assert rotated.json()["previous_secret_until"] is not None
    ping = client.post(f"{address}/ping")
    assert ping.status_code == 202
    (told,) = receiver.wait_for("/ok")
    for secret in (webhook["secret"], new):
        event = Webhook(secret).verify(told.body, told.headers)
        assert (event["type"], event["data"]["webhook_id"]) == ("webhook.ping", webhook["id"])
    settled(client, webhook["id"])
    assert client.get(ping.headers["location"]).json()["state"] == "delivered"
    # Without a grace the old ones end at once.
    newest = client.post(f"{address}/rotate", json={"grace_seconds": 0}).json()["secret"]
    client.post(f"{address}/ping")
    told = receiver.wait_for("/ok", 2)[1]
    Webhook(newest).verify(told.body, told.headers)
    for secret in (webhook["secret"], new):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(told.body, told.headers)
    assert client.post(f"{address}/rotate", json={"grace_seconds": 10**9}).status_code == 422


def test_gone_disables(client: TestClient, made: Made, receiver: Any) -> None:
    webhook = made(f"{receiver.url}/status/410")
    address = f"/v1/webhooks/{webhook['id']}"
    client.post(f"{address}/ping")
    receiver.wait_for("/status/410")
    deadline = time.monotonic() + 10
    while (shown := client.get(address).json())["enabled"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert shown["disabled_reason"] == "gone"
    log = store_of(client).audit_log
    (entry,) = [entry for entry in log.list(limit=1_000) if entry.action == "webhook.disable"]
    assert (entry.actor, entry.subject, entry.detail["disabled_reason"]) == (
        "webhooks",
        webhook["id"],
        "gone",
    )
    assert log.verify().broken_at is None
    happened(client)
    assert client.post(f"{address}/ping").status_code == 409
    receiver.healed = True
    enabled = client.patch(address, json={"enabled": True})
    assert (enabled.json()["disabled_reason"], enabled.json()["failing_since"]) == (None, None)
    # What waited is sent; what happened meanwhile was not kept.
    told = [one.event["type"] for one in receiver.wait_for("/status/410", 2)]
    settled(client, webhook["id"])
    assert told == ["webhook.ping", "webhook.ping"]


def test_a_slow_receiver_keeps_nobody_waiting(client: TestClient, made: Made, receiver: Any) -> None:
    slow = made(f"{receiver.url}/slow/0.8", events=["records.changed"])
    made(f"{receiver.url}/ok", events=["records.changed"])
    started = time.monotonic()
    with store_of(client).database.writing() as connection:
        for number in range(12):
            publish(connection, "records.changed", {"added": [str(number)], "updated": [], "removed": []})
    receiver.wait_for("/ok", 12)
    # Four at a time, each for most of a second.
    assert len(receiver.at("/slow")) <= min(11, 4 * (1 + (time.monotonic() - started) // 0.8))
    assert client.get("/livez").status_code == 200
    settled(client, slow["id"], 12)


def test_changed_listed_and_removed(client: TestClient, made: Made, receiver: Any) -> None:
    ids = [made(f"{receiver.url}/ok/{number}")["id"] for number in range(3)]
    first = client.get("/v1/webhooks", params={"limit": 2}).json()
    assert [item["id"] for item in first["items"]] == ids[:2]
    rest = client.get("/v1/webhooks", params={"after": first["next"]}).json()
    assert ([item["id"] for item in rest["items"]], rest["next"]) == (ids[2:], None)
    address = f"/v1/webhooks/{ids[0]}"
    read = client.get(address)
    tag = {"If-Match": read.headers["etag"]}
    changed = client.patch(address, json={"description": "first", "events": ["records.changed"]}, headers=tag)
    assert (changed.status_code, changed.json()["description"]) == (200, "first")
    assert client.patch(address, json={"enabled": False}, headers=tag).status_code == 412
    assert client.delete(address, headers=tag).status_code == 412
    off = client.patch(address, json={"enabled": False, "events": None})
    assert (off.json()["disabled_reason"], off.json()["events"]) == ("by_request", None)
    happened(client)
    settled(client, ids[1])
    assert client.get(f"{address}/deliveries").json() == {"items": [], "next": None}
    listed = client.get(f"/v1/webhooks/{ids[1]}/deliveries", params={"state": "failed"})
    assert listed.json()["items"] == []
    assert client.delete(f"/v1/webhooks/{ids[1]}").status_code == 204
    for gone in (client.get, client.delete):
        assert gone(f"/v1/webhooks/{ids[1]}").status_code == 404
    assert client.get(f"/v1/webhooks/{ids[1]}/deliveries").status_code == 404


def test_the_log_is_read_page_by_page_from_its_end(client: TestClient, made: Made, receiver: Any) -> None:
    webhook = made(f"{receiver.url}/ok", events=["records.changed"])
    labels = [happened(client, number) for number in range(5)]
    settled(client, webhook["id"], 5)
    address, seen, after = f"/v1/webhooks/{webhook['id']}/deliveries", [], None
    while True:
        page = client.get(address, params={"limit": 2, **({"after": after} if after else {})}).json()
        assert len(page["items"]) <= 2
        seen += [client.get(f"{address}/{item['id']}").json()["body"] for item in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert [label for label, body in zip(reversed(labels), seen, strict=True) if label not in body] == []


@pytest.mark.parametrize(
    "change",
    [{"url": "ftp://x.example"}, {"url": "https://u:p@x.example/"}, {"url": "https://10.0.0.1/"},
     {"url": "http://93.184.215.14/"}, {"url": "https://[::1]/"}, {"url": "https://x.example:99999/"},
     {"url": "https://x.example/\r\nX: 1"},
     {"events": []}, {"events": ["label.invented"]}, {"secret": "whsec_mine"}, {"description": "x" * 501}],
)  # fmt: skip
def test_what_is_no_webhook_is_refused(client: TestClient, change: dict[str, Any]) -> None:
    answer = client.post("/v1/webhooks", json={"url": "https://cms.example/hook", **change})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("name", ["%00", "%E2%80%AEx", "a%27%20OR%201=1--", "..%2f..", "x" * 41])
def test_what_is_no_id_is_refused(client: TestClient, name: str) -> None:
    for path in (f"/{name}", f"/{name}/deliveries", f"/wh_1/deliveries/{name}", f"?after={name}"):
        assert client.get(f"/v1/webhooks{path}").status_code in (404, 422), path


def test_switched_off_they_can_be_looked_at_and_removed(
    settings: Settings, client: TestClient, made: Made, receiver: Any
) -> None:
    webhook = made(f"{receiver.url}/ok")
    for off in running(settings.model_copy(update={"webhooks": False})):
        refused = [
            off.post("/v1/webhooks", json={"url": "https://cms.example/hook"}),
            off.post(f"/v1/webhooks/{webhook['id']}/ping"),
            off.patch(f"/v1/webhooks/{webhook['id']}", json={"url": "https://cms.example/hook"}),
        ]
        for answer in refused:
            assert (answer.status_code, answer.json()["type"]) == (409, "urn:tamga:problem:webhooks-off")
        assert "TAMGA_WEBHOOKS" in refused[0].json()["detail"]
        assert off.get(f"/v1/webhooks/{webhook['id']}").status_code == 200
        assert off.delete(f"/v1/webhooks/{webhook['id']}").status_code == 204
