"""What callers see while the server that holds the vectors is away."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from index.errors import VectorStoreUnavailable
from index.stores.faiss_flat import FaissFlatStore
from service.errors import PROBLEM_PREFIX


def away(*_arguments: object, **_named: object) -> None:
    raise VectorStoreUnavailable("Milvus at http://milvus:19530: connection refused")


def test_readiness_and_searches_say_so(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(FaissFlatStore, "ping", away)
        patch.setattr(FaissFlatStore, "search", away)
        red = client.get("/readyz")
        assert red.status_code == 503
        assert red.json()["checks"] == {
            "models": {"status": "ok"},
            "database": {"status": "ok"},
            "index": {"status": "failed"},
        }
        answer = client.post("/v1/claims/match", json={"claims": [{"text": "It opened in 2019."}]})
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"] == PROBLEM_PREFIX + "vector-store"
        assert "connection refused" in answer.json()["detail"]
        assert int(answer.headers["retry-after"]) > 0
    assert client.get("/readyz").status_code == 200
