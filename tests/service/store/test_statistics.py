"""Counts for the statistics page, on every database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from index.articles import Article, EmbeddedArticle
from service.store import Store, open_store
from service.store.statistics import origin_counts, waiting_since

NOW = datetime.now(UTC)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    opened = open_store(database_url)
    yield opened
    opened.close()


def save(store: Store, name: str, origin: dict[str, Any] | None, **fields: str | None) -> None:
    store.articles.save(
        Article(id=name, text=f"text {name}", **{"language": "kk", "outlet": "Example", **fields}),
        EmbeddedArticle((), np.zeros((0, 4), np.float32), 0),
        model_id="none",
        analysis={"origin": origin, "claims": []},
        versions={},
        index_generation=1,
    )


def said(verdict: str, reason: str | None = None) -> dict[str, Any]:
    return {"verdict": verdict, "abstain_reason": reason}


def test_articles_are_counted_by_their_latest_analysis(store: Store) -> None:
    save(store, "a", said("undetermined"))
    save(store, "a", said("likely_ai_unconfirmed"))
    save(store, "b", said("undetermined"))
    save(store, "c", said("undetermined", "too_short"))
    save(store, "d", said("undetermined"), outlet=None, language=None)
    save(store, "not asked", None)
    counts = origin_counts(store.database, NOW - timedelta(days=1))
    assert [(item.outlet, item.language, item.judged, item.flagged, item.reasons) for item in counts] == [
        (None, "other", 1, 0, {}),
        ("Example", "kk", 2, 1, {"too_short": 1}),
    ]
    assert {item.month for item in counts} <= {NOW.strftime("%Y-%m"), datetime.now(UTC).strftime("%Y-%m")}
    assert counts[1].abstained == 1
    assert origin_counts(store.database, NOW + timedelta(days=1)) == []


def test_without_reviews_nothing_waits(store: Store) -> None:
    limits = [NOW - timedelta(hours=1), NOW - timedelta(days=1)]
    assert waiting_since(store.database, limits) == [0, 0, 0]
