"""Audits over HTTP, from their beginning to their end, on both databases."""

from __future__ import annotations

import csv
import io
import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from pyarrow import parquet

from service.audits.items import AuditArticle, items_of, pack_item
from service.errors import PROBLEM_PREFIX
from service.lines import read_lines
from service.store import open_store
from service.store.audit_models import AuditItemRow, AuditRunRow


def jsonl(*lines: Any) -> bytes:
    parts = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    return b"\n".join(parts) + b"\n"


TEXTS = ["The robot wrote these lines.", "A person wrote these lines.", "Short."]
LINES = [
    {"id": "a", "text": TEXTS[0], "outlet": "Alpha", "published_at": "2026-01-03", "declared": "none"},
    {"id": "b", "text": TEXTS[1], "outlet": "Beta", "published_at": "2026-02-03", "declared": "none"},
    {"id": "c", "text": TEXTS[2], "outlet": "Beta"},
    {"id": "d", "text": TEXTS[1], "outlet": "Gamma", "published_at": "2026-02-03", "declared": "none"},
]


def test_an_audit_goes_through_all_items_in_order_and_repeats_no_work(client: Any, models: Any) -> None:
    bad = [b'{"id": "broken', b'{"id": "x", "text": "caf\xe9"}', {"id": "a", "text": "again"}, {"id": "e"}]
    made = client.begin(jsonl(*LINES, *bad), checks="origin")
    assert made["state"] == "queued"
    assert made["items"] == {"total": 8, "done": 0, "refused": 0, "reused": 0}
    done = client.until(made["id"])
    assert done["items"] == {"total": 8, "done": 8, "refused": 4, "reused": 1}
    assert done["items_per_second"] > 0
    assert done["finished_at"] > done["started_at"]
    found = client.results(made["id"])
    assert [result["id"] for result in found] == ["a", "b", "c", "d", None, None, "a", "e"]
    assert [result.get("error", {}).get("type") for result in found[4:]] == [
        PROBLEM_PREFIX + kind
        for kind in ("invalid-json", "invalid-encoding", "duplicate-id", "invalid-input")
    ]
    assert found[0]["origin"]["verdict"] == "likely_ai_unconfirmed"
    assert {**found[3], "id": "b"} == found[1]
    # Agency copy under another outlet was not analysed again.
    assert models.asked == TEXTS


def test_results_come_as_csv_and_parquet_too(client: Any) -> None:
    rows = [*LINES[:2], {"id": '=HYPERLINK("http://x")', "text": TEXTS[1]}, {"id": 7, "text": ""}]
    made = client.begin(jsonl(*rows))
    client.until(made["id"])
    answer = client.get(f"/v1/audits/{made['id']}/results?format=csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    read = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert [row["id"] for row in read] == ["a", "b", '\'=HYPERLINK("http://x")', "7"]
    assert [row["verdict"] for row in read] == ["likely_ai_unconfirmed", "undetermined", "undetermined", ""]
    assert read[3]["error"] == PROBLEM_PREFIX + "empty-text"
    answer = client.get(f"/v1/audits/{made['id']}/results?format=parquet")
    table = parquet.read_table(io.BytesIO(answer.content)).to_pylist()
    assert [json.loads(row["result"]) for row in table] == client.results(made["id"])
    assert [row["score"] for row in table] == [2.5, -1.0, -1.0, None]
    # A formula stays what it is where nothing carries it out.
    assert table[2]["id"] == '=HYPERLINK("http://x")'


def test_cancelling_stops_the_work_and_keeps_what_is_done(client: Any, models: Any) -> None:
    models.gate.clear()
    first = client.begin(jsonl(*({"id": n, "text": f"text number {n}"} for n in range(50))), checks="origin")
    second = client.begin(jsonl(LINES[0]), checks="origin")
    client.until(first["id"], "running")
    for made in (second, first):
        cancelled = client.post(f"/v1/audits/{made['id']}/cancel")
        assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert client.post(f"/v1/audits/{first['id']}/cancel").status_code == 200
    models.gate.set()
    third = client.begin(jsonl(LINES[1]), checks="origin")
    client.until(third["id"])
    # One item was being analysed; nothing after it was begun.
    assert len(models.asked) <= 3
    assert client.results(second["id"]) == []
    refused = client.post(f"/v1/audits/{third['id']}/cancel")
    assert (refused.status_code, refused.json()["type"]) == (409, PROBLEM_PREFIX + "conflict")
    assert client.post("/v1/audits/aud_000000000000000000000000/cancel").status_code == 404


def test_an_audit_goes_on_after_a_restart(serve: Callable[..., Any], models: Any) -> None:
    client = serve()
    lines = [{"id": n, "text": f"text number {n}"} for n in range(30)]
    made = client.begin(jsonl(*lines), checks="origin")
    waiting = client.begin(jsonl(LINES[0]), checks="origin")
    while client.get(f"/v1/audits/{made['id']}").json()["items"]["done"] < 5:
        time.sleep(0.01)
    models.gate.clear()
    time.sleep(0.1)
    threading.Timer(0.5, models.gate.set).start()
    client = serve()
    assert client.until(made["id"])["items"] == {"total": 30, "done": 30, "refused": 0, "reused": 0}
    assert [result["id"] for result in client.results(made["id"])] == list(range(30))
    client.until(waiting["id"])
    # Only the item that was interrupted may have been analysed twice.
    assert len(models.asked) <= 32


def test_a_repeated_request_begins_one_audit(client: Any) -> None:
    content = jsonl({"id": "big", "text": "many words " * 200_000})
    request = client.build_request("POST", "/v1/audits", files={"file": ("in.jsonl", content)})
    body = request.read()
    headers = {"content-type": request.headers["content-type"], "idempotency-key": "k1"}
    first = client.post("/v1/audits", content=body, headers=headers)
    again = client.post("/v1/audits", content=body, headers=headers)
    assert first.status_code == again.status_code == 201
    assert again.headers["idempotency-replayed"] == "true"
    assert first.json() == again.json()
    other = client.post("/v1/audits", content=body.replace(b"big", b"bag"), headers=headers)
    assert other.json()["type"] == PROBLEM_PREFIX + "idempotency-key-reused"
    assert len(client.get("/v1/audits").json()["items"]) == 1


def test_who_begins_and_cancels_is_in_the_audit_log_and_scopes_hold(
    serve: Callable[..., Any], models: Any
) -> None:
    client = serve()
    admin = client.post("/v1/keys", json={"name": "a", "role": "admin"}).json()
    as_admin = {"authorization": f"Bearer {admin['token']}"}
    reader = client.post("/v1/keys", json={"name": "r", "role": "reader"}, headers=as_admin).json()
    as_reader = {"authorization": f"Bearer {reader['token']}"}
    client.headers.update(as_admin)
    made = client.begin(jsonl(LINES[0]), checks="origin")
    client.until(made["id"])
    models.gate.clear()
    other = client.begin(jsonl(LINES[0]), checks="origin")
    client.post(f"/v1/audits/{other['id']}/cancel")
    models.gate.set()
    assert made["created_by"] == admin["id"]
    assert client.upload(jsonl(LINES[0]), headers=as_reader).status_code == 403
    assert client.post(f"/v1/audits/{made['id']}/cancel", headers=as_reader).status_code == 403
    assert client.get(f"/v1/audits/{made['id']}/results", headers=as_reader).status_code == 200
    store = client.app_state["worker"].runtime.store
    entries = [(entry.action, entry.subject, entry.actor) for entry in store.audit_log.list()]
    assert [entry for entry in entries if entry[0].startswith("audit.")] == [
        ("audit.create", made["id"], admin["id"]),
        ("audit.end", made["id"], "audits"),
        ("audit.create", other["id"], admin["id"]),
        ("audit.cancel", other["id"], admin["id"]),
    ]
    assert store.audit_log.verify().broken_at is None


def test_an_audit_of_a_restored_database_goes_on(serve: Callable[..., Any], database_url: str) -> None:
    client = serve()
    lines = [{"id": n, "text": f"text number {n}"} for n in range(5)]
    made = client.begin(jsonl(*lines), checks="origin")
    client.until(made["id"])
    before = client.results(made["id"])
    store = open_store(database_url)
    with store.database.writing() as connection:
        # As it was before the last three results, while the workflow has ended long ago.
        connection.execute(
            sa.update(AuditRunRow).values(
                state="running", done=2, finished_at=None, seen_at=datetime(2026, 1, 1, tzinfo=UTC)
            )
        )
        for item in items_of(read_lines(jsonl(*lines).splitlines(), AuditArticle)):
            if item.number >= 2:
                connection.execute(
                    sa.update(AuditItemRow)
                    .where(AuditItemRow.number == item.number)
                    .values(input=pack_item(item), result=None, facts=None)
                )
    store.close()
    client = serve()
    client.until(made["id"])
    assert client.results(made["id"]) == before
