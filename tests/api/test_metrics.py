"""What the service counts: complete, bounded, and silent about texts and keys."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from service.app import create_app
from service.samples import sample_articles
from service.serving.worker import WorkerState
from service.settings import Settings

ROOT = Path(__file__).parents[2]
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "tamga.json"
OPERATIONS = ROOT / "docs" / "operations.md"
ARTICLE = next(article for article in sample_articles() if article.language == "kk")


def scraped(client: TestClient) -> dict[str, list[Any]]:
    """Samples by the name of their family."""
    answer = client.get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {family.name: family.samples for family in text_string_to_metric_families(answer.text)}


def value(families: dict[str, list[Any]], sample: str, **labels: str) -> float:
    """The value of the one sample with these labels."""
    found = [
        one.value
        for samples in families.values()
        for one in samples
        if one.name == sample and labels.items() <= one.labels.items()
    ]
    assert len(found) == 1, (sample, labels, found)
    return float(found[0])


def test_an_article_shows_in_queue_phases_batches_and_transactions(client: TestClient) -> None:
    before = scraped(client)
    # Texts seen before are remembered and need no batch: these sentences stand nowhere else.
    text = "\n".join(f"{number}-бөлім. {line}" for number, line in enumerate(ARTICLE.text.splitlines(), 4107))
    body = {"text": text, "title": f"{ARTICLE.title} 4107", "language": "kk"}
    assert client.post("/v1/articles", json=body).status_code == 201
    after = scraped(client)

    def grew(sample: str, **labels: str) -> float:
        try:
            earlier = value(before, sample, **labels)
        except AssertionError:
            earlier = 0.0
        return value(after, sample, **labels) - earlier

    assert grew("tamga_http_requests_total", method="POST", route="/v1/articles", status="201") == 1
    assert grew("tamga_http_request_seconds_count", route="/v1/articles", method="POST") == 1
    assert grew("tamga_queue_seconds_count") == 1
    for phase in ("text", "origin", "embed_sentences", "checkworthy", "match", "embed_article", "store"):
        assert grew("tamga_inference_seconds_count", phase=phase) == 1, phase
        assert grew("tamga_inference_seconds_sum", phase=phase) > 0, phase
    assert grew("tamga_batch_tokens_count") >= 2
    assert grew("tamga_batch_tokens_sum") > len(ARTICLE.text.split())
    assert grew("tamga_database_transaction_seconds_count", kind="write") >= 1
    assert grew("tamga_documents", collection="articles") == 1
    assert value(after, "tamga_ready") == 1
    assert value(after, "tamga_database_up") == 1
    ready = client.get("/readyz").json()
    assert value(after, "tamga_index_generation", collection="records") == ready["index_generation"]
    assert value(after, "tamga_documents", collection="records") == ready["records"]
    models = {one.labels["name"] for one in after["tamga_model_info"]}
    assert models == {"encoder", "search_encoder", "detector", "spotter", "stance", "match_calibration"}


def test_labels_hold_neither_text_nor_keys_nor_paths_of_callers(client: TestClient) -> None:
    client.get("/v1/records/some-very-own-id")
    client.get("/no/such/path/at/all")
    client.request("BREW", "/v1/articles")
    client.post("/v1/claims/match", json={"claims": [{"text": "Көпір 1911 жылы салынды."}]})
    families = scraped(client)
    routes = {one.labels["route"] for one in families["tamga_http_requests"]}
    assert {"/v1/records/{record_id:path}", "unmatched"} <= routes
    assert value(families, "tamga_http_requests_total", method="other", route="/v1/articles") == 1
    known = {"unmatched"} | {getattr(route, "path", "") for route in known_routes(client)}
    assert routes <= known
    names = {name for samples in families.values() for one in samples for name in one.labels}
    assert names <= {"method", "route", "status", "reason", "phase", "kind", "collection"} | {
        "name",
        "version",
        "le",
    }
    values = {text for samples in families.values() for one in samples for text in one.labels.values()}
    assert not [text for text in values if "own-id" in text or "1911" in text or text.startswith("tg_")]


def known_routes(client: TestClient) -> Any:
    from service.api.access import guarded_routes

    return guarded_routes(client.app.routes)  # type: ignore[attr-defined]


def test_a_refusal_is_counted_by_its_reason_wherever_it_comes_from(client: TestClient) -> None:
    before = scraped(client).get("tamga_refusals", [])
    earlier = {one.labels["reason"]: one.value for one in before if one.name == "tamga_refusals_total"}
    client.get("/v1/records", headers={"authorization": "Bearer wrong"})  # by who calls
    client.post("/v1/articles", content=b"x" * 9_000_000)  # by the body's size
    client.post("/v1/articles", json={"text": "..."})  # by the route
    client.get("/nowhere")  # by the router
    now = {one.labels["reason"]: one.value for one in scraped(client)["tamga_refusals"]}
    for reason in ("unauthenticated", "too-large", "empty-text", "not-found"):
        assert now[reason] - earlier.get(reason, 0) == 1, reason


def test_metrics_are_there_while_models_load_and_each_application_counts_for_itself(
    empty_home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.runtime.Runtime.load", lambda self: None)
    here: dict[str, Any] = {"base_url": "http://127.0.0.1", "client": ("127.0.0.1", 50_000)}
    with TestClient(create_app(empty_home), **here) as first:
        first.get("/v1/keys")
        first.app.state.worker.state = WorkerState.LOADING  # type: ignore[attr-defined]
        families = scraped(first)
        assert value(families, "tamga_ready") == 0
        assert "tamga_model_info" not in families
        assert value(families, "tamga_http_requests_total", route="/v1/keys") == 1
    with TestClient(create_app(empty_home), **here) as second:
        families = scraped(second)
        assert "/v1/keys" not in {one.labels["route"] for one in families["tamga_http_requests"]}


def test_openmetrics_is_given_to_whoever_asks_for_it(client: TestClient) -> None:
    answer = client.get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_a_database_that_is_gone_is_told_and_does_not_end_the_scrape(
    empty_home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.runtime.Runtime.load", lambda self: None)
    here: dict[str, Any] = {"base_url": "http://127.0.0.1", "client": ("127.0.0.1", 50_000)}
    with TestClient(create_app(empty_home), **here) as client:
        assert value(scraped(client), "tamga_database_up") == 1
        client.get("/v1/keys")
        store = client.app.state.worker.runtime.store  # type: ignore[attr-defined]
        with store.database.writing() as connection:
            connection.exec_driver_sql("ALTER TABLE records RENAME TO elsewhere")
        assert value(scraped(client), "tamga_database_up") == 0
        assert value(scraped(client), "tamga_database_errors_total", kind="read") >= 1


def test_alerts_dashboard_and_documentation_name_metrics_that_exist(client: TestClient) -> None:
    client.get("/nowhere")
    known = {one.name for samples in scraped(client).values() for one in samples}
    known |= {name.removesuffix("_bucket") for name in known}
    assert len(json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]) == 8
    for file in (ALERTS, DASHBOARD, OPERATIONS):
        named = set(re.findall(r"\btamga_[a-z_]+[a-z]\b", file.read_text(encoding="utf-8")))
        assert named, file
        assert named <= known, (file, named - known)
