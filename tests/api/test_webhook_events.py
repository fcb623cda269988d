"""What webhooks hear of an article and of records that are sent over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from service.store import Store
from service.store.webhooks import StoredWebhook

TEXT = "The town's library moved to Harbour Street in 2019. It lends 40,000 books. Everybody likes it."


@pytest.fixture
def store(client: TestClient) -> Store:
    store: Store = client.app.state.worker.runtime.store  # type: ignore[attr-defined]
    return store


@pytest.fixture
def webhook_id(store: Store) -> Iterator[str]:
    """A webhook for everything. Nothing is sent: the service of these tests has webhooks switched off."""
    webhook = StoredWebhook(
        id="wh_of_a_test",
        version=1,
        url="https://cms.example/hook",
        description=None,
        events=None,
        enabled=True,
        disabled_reason=None,
        failing_since=None,
        secret="sealed",
        previous_secret=None,
        previous_expires_at=None,
        created_by="local",
        created_at=datetime.now(UTC),
    )
    store.webhooks.add(webhook)
    yield webhook.id
    store.webhooks.remove(webhook.id)


def test_an_article_and_a_record(client: TestClient, store: Store, webhook_id: str) -> None:
    article = {"text": TEXT, "outlet": "Harbour Post", "url": "https://news.example/library"}
    assert client.post("/v1/articles", json={**article, "store": False}).status_code == 200
    analysis = client.post("/v1/articles", json=article).json()
    record = {"id": "hook-1", "claim": "The library lends 40,000 books."}
    assert client.post("/v1/records", json=record).status_code in (200, 201)
    told = [json.loads(delivery.body) for delivery in store.deliveries.list(webhook_id)]
    changed, analysed = [event for event in told if not event["type"].startswith("review.")]
    assert (analysed["type"], changed["type"]) == ("article.analysed", "records.changed")
    assert changed["data"] == {"added": ["hook-1"], "updated": [], "removed": []}
    data = analysed["data"]
    assert (data["article_id"], data["outlet"], data["url"], data["language"]) == (
        analysis["id"],
        article["outlet"],
        article["url"],
        "en",
    )
    assert data["verdict"] == analysis["origin"]["verdict"]
    statuses = [claim["status"] for claim in analysis["claims"]]
    assert data["claims"] == {status: statuses.count(status) for status in statuses}
    assert "Harbour Street" not in json.dumps(told)
    assert client.delete("/v1/records/hook-1").status_code in (200, 204)
