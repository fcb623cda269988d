"""Events and what they tell of are in the database together or not at all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from index.articles import Article, EmbeddedArticle
from index.passages import Passage
from index.records import VerifiedRecord
from service.labels.issuing import LabelDesk
from service.labels.opening import LabelOffice
from service.labels.request import LabelRequest
from service.settings import Settings
from service.store import Store
from service.store.outbox import publish
from service.store.records import PreparedRecord
from service.webhooks.endpoints import Webhooks

HOOK = "https://cms.example/hook"


def told(store: Store, webhook_id: str) -> list[str]:
    return [delivery.event for delivery in reversed(store.deliveries.list(webhook_id))]


def test_what_is_undone_is_not_told(store: Store, make: Any) -> None:
    webhook_id = make(HOOK)

    def fail() -> None:
        with store.database.writing() as connection:
            publish(connection, "records.changed", {"added": ["r"], "updated": [], "removed": []})
            raise RuntimeError("the change is undone")

    with pytest.raises(RuntimeError, match="undone"):
        fail()
    assert told(store, webhook_id) == []


def test_data_of_another_form_are_a_mistake_of_ours(store: Store, make: Any) -> None:
    make(HOOK)
    for data in ({"added": []}, {"added": [], "updated": [], "removed": [], "text": "x"}):
        with pytest.raises(ValidationError), store.database.writing() as connection:
            publish(connection, "records.changed", data)


def test_records_and_articles(store: Store, make: Any) -> None:
    webhook_id = make(HOOK)
    record = VerifiedRecord(id="r-1", claim="The bridge was opened in May.", language="en")
    vectors = np.ones((1, 4), dtype=np.float32)
    prepared = PreparedRecord(record, record.content_hash, (Passage("claim", 0, 10),), vectors)
    store.records.write([prepared], "m")
    store.records.write([prepared], "m")
    store.records.delete("r-1")
    article = Article(id="a-1", text="The bridge was opened.", language="en")
    notice = {
        "article_id": "a-1",
        "url": None,
        "outlet": "Desk",
        "language": "en",
        "verdict": "undetermined",
        "abstain_reason": "too_short",
        "p_value": None,
        "claims": {"matched": 1},
    }
    store.articles.save(
        article,
        EmbeddedArticle((Passage("text", 0, 10),), vectors, 1),
        model_id="m",
        analysis={"id": "a-1"},
        versions={},
        index_generation=0,
        notice=notice,
    )
    # Unchanged records are no news.
    assert told(store, webhook_id) == ["records.changed", "records.changed", "article.analysed"]
    bodies = [delivery.body for delivery in store.deliveries.list(webhook_id)]
    assert '"removed":["r-1"]' in bodies[1]
    assert "The bridge" not in "".join(bodies)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_labels(settings: Settings, store: Store, make: Any) -> None:
    webhook_id = make(HOOK)
    desk: LabelDesk = LabelOffice(settings).desk(store)
    text = "The mayor opened the new bridge over the river in the presence of many guests."

    def label(**changes: Any) -> str:
        wanted = {"text": text, "url": "https://news.example/1", "declared": "none", **changes}
        return desk.issue(LabelRequest.model_validate(wanted)).id

    first = label()
    disclosure = '<meta name="ai-disclosure" content="ai-generated">'
    page = f"<html><head>{disclosure}</head><body><article><p>{text}</p></article></body></html>"
    label(text=None, html=page)
    second = label(declared="assisted")
    label(text=text.replace("bridge", "tunnel"), declared=None)
    desk.revoke(second, actor="editor", reason="an error")
    expected = ["issued", "disputed", "issued", "superseded", "superseded", "revoked"]
    heard = told(store, webhook_id)
    kept = [name for name in heard if name.startswith("label.") and name != "label.review_needed"]
    assert kept == [f"label.{name}" for name in expected]
    assert "label.review_needed" in heard
    superseded = [d for d in store.deliveries.list(webhook_id) if d.event == "label.superseded"]
    assert f'"superseded_by":"{second}"' in superseded[-1].body
    assert first in superseded[-1].body


def test_a_disabled_webhook_is_told_nothing(store: Store, webhooks: Webhooks, make: Any, tell: Any) -> None:
    webhook_id = make(HOOK)
    tell(1)
    webhooks.update(webhook_id, {"enabled": False})
    tell(2)
    assert len(told(store, webhook_id)) == 1
    webhooks.remove(webhook_id)
    tell(3)
    assert store.deliveries.list(webhook_id) == []
