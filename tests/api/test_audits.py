"""Audits over HTTP, on both databases. The models are stood in for: their answers are not what is tested."""

from __future__ import annotations

import csv
import gzip
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from pyarrow import parquet

from service.analysis import Analyser, AnalysisOptions
from service.analysis_models import Analysis, Origin, Truncated
from service.app import create_app
from service.articles import ArticleInput, read_article
from service.audits.items import AuditArticle, items_of, pack_item
from service.errors import PROBLEM_PREFIX
from service.lines import read_lines
from service.runtime import Runtime
from service.settings import load_settings
from service.store import open_store
from service.store.audit_models import AuditItemRow, AuditRunRow

Begin = Callable[..., dict[str, Any]]


def origin(text: str, options: AnalysisOptions) -> Origin:
    flagged = "robot" in text
    return Origin.model_validate(
        {
            "verdict": "likely_ai_unconfirmed" if flagged else "undetermined",
            "score": 2.5 if flagged else -1.0,
            "p_value": 0.001 if flagged else 0.4,
            "target_fpr": options.target_fpr or 0.01,
            "abstain_reason": "too_short" if len(text) < 10 else None,
            "calibration": None,
            "segments": [],
            "fraction_machine": None,
            "kinds": None,
            "features": [],
            "signals": [],
            "label": {
                "state": "undetermined",
                "involvement": "unknown",
                "human_review": "unknown",
                "basis": "no_evidence",
                "status": "draft",
                "review_reasons": [],
            },
        }
    )


class Models:
    """Stands in for the models: counts what it is asked, and waits while `gate` is closed."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.gate = threading.Event()
        self.gate.set()

    def analyse(
        self, analyser: Analyser, source: ArticleInput, options: AnalysisOptions | None = None
    ) -> Analysis:
        read = read_article(source, max_chars=1_000_000)
        self.asked.append(read.text)
        assert self.gate.wait(60)
        asked = options or AnalysisOptions()
        return Analysis(
            id="art_0",
            created_at=datetime.now(UTC),
            stored=False,
            language="en",
            script="Latn",
            language_confidence=None,
            text=None,
            title=read.title,
            sentences=[],
            origin=origin(read.text, asked) if "origin" in asked.checks else None,
            claims=[],
            claims_status="done" if "claims" in asked.checks else "not_requested",
            related_records=[],
            near_duplicates=[],
            models={},
            index_generation=0,
            timings={},
            truncated=Truncated(sentences=False, windows=False),
        )


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> Models:
    stood_in = Models()
    monkeypatch.setattr(Runtime, "load", lambda self: None)
    monkeypatch.setattr(
        Analyser, "analyse", lambda self, *given, **named: stood_in.analyse(self, *given, **named)
    )
    return stood_in


@pytest.fixture
def serve(database_url: str, tmp_path: Path, models: Models) -> Iterator[Callable[..., TestClient]]:
    """Starts the service over the test's database; a second call is its next start."""
    running: list[TestClient] = []

    def start(**settings: Any) -> TestClient:
        while running:
            running.pop().__exit__(None, None, None)
        chosen = load_settings(home=tmp_path / "home", database_url=database_url, **settings)
        client = TestClient(
            create_app(chosen),
            base_url="http://127.0.0.1",
            client=("127.0.0.1", 50_000),
            raise_server_exceptions=False,
        )
        running.append(client.__enter__())
        return client

    yield start
    models.gate.set()
    while running:
        running.pop().__exit__(None, None, None)


@pytest.fixture
def client(serve: Callable[..., TestClient]) -> TestClient:
    return serve()


def jsonl(*lines: Any) -> bytes:
    parts = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    return b"\n".join(parts) + b"\n"


def post(client: TestClient, content: bytes, name: str = "in.jsonl", **form: Any) -> Any:
    headers = form.pop("headers", None)
    return client.post("/v1/audits", files={"file": (name, content)}, data=form, headers=headers)


def begin(client: TestClient, content: bytes, name: str = "in.jsonl", **form: Any) -> dict[str, Any]:
    answer = post(client, content, name, **form)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/v1/audits/{made['id']}"
    return made


def until(client: TestClient, audit_id: str, *states: str, seconds: float = 60) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while True:
        found: dict[str, Any] = client.get(f"/v1/audits/{audit_id}").json()
        if found["state"] in (states or ("done",)):
            return found
        assert found["state"] in ("queued", "running"), found
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def results(client: TestClient, audit_id: str) -> list[dict[str, Any]]:
    answer = client.get(f"/v1/audits/{audit_id}/results")
    assert answer.status_code == 200
    return [json.loads(line) for line in answer.text.splitlines()]


TEXTS = ["The robot wrote these lines.", "A person wrote these lines.", "Short."]
LINES = [
    {"id": "a", "text": TEXTS[0], "outlet": "Alpha", "published_at": "2026-01-03", "declared": "none"},
    {"id": "b", "text": TEXTS[1], "outlet": "Beta", "published_at": "2026-02-03", "declared": "none"},
    {"id": "c", "text": TEXTS[2], "outlet": "Beta"},
    {"id": "d", "text": TEXTS[1], "outlet": "Gamma", "published_at": "2026-02-03", "declared": "none"},
]


def test_an_audit_goes_through_all_items_in_order_and_repeats_no_work(
    client: TestClient, models: Models
) -> None:
    bad = [b'{"id": "broken', b'{"id": "x", "text": "caf\xe9"}', {"id": "a", "text": "again"}, {"id": "e"}]
    made = begin(client, jsonl(*LINES, *bad), checks="origin")
    assert made["state"] == "queued"
    assert made["items"] == {"total": 8, "done": 0, "refused": 0, "reused": 0}
    done = until(client, made["id"])
    assert done["items"] == {"total": 8, "done": 8, "refused": 4, "reused": 1}
    assert done["items_per_second"] > 0
    assert done["finished_at"] > done["started_at"]
    found = results(client, made["id"])
    assert [result["id"] for result in found] == ["a", "b", "c", "d", None, None, "a", "e"]
    assert [result.get("error", {}).get("type") for result in found[4:]] == [
        PROBLEM_PREFIX + kind
        for kind in ("invalid-json", "invalid-encoding", "duplicate-id", "invalid-input")
    ]
    assert found[0]["origin"]["verdict"] == "likely_ai_unconfirmed"
    assert {**found[3], "id": "b"} == found[1]
    # Agency copy under another outlet was not analysed again.
    assert models.asked == TEXTS


def as_csv(rows: list[dict[str, Any]], **options: Any) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(dict.fromkeys(name for row in rows for name in row)), **options)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def as_parquet(rows: list[dict[str, Any]]) -> bytes:
    out = io.BytesIO()
    names = dict.fromkeys(name for row in rows for name in row)
    parquet.write_table(pa.table({name: [row.get(name) for row in rows] for name in names}), out)
    return out.getvalue()


def test_every_format_gives_the_same_results(client: TestClient) -> None:
    dated = [{**row, "published_at": date(2026, 1, 3)} for row in LINES]
    sources = {
        "a.jsonl": jsonl(*LINES),
        "a.jsonl.gz": gzip.compress(jsonl(*LINES)),
        "a.csv": b"\xef\xbb\xbf" + as_csv(LINES),
        "semicolon.csv": as_csv(LINES, delimiter=";"),
        "a.csv.gz": gzip.compress(as_csv(LINES)),
        "a.parquet": as_parquet(LINES),
        "dates.parquet": as_parquet(dated),
    }
    begun = [begin(client, content, name, checks="origin") for name, content in sources.items()]
    found = []
    for made in begun:
        assert until(client, made["id"])["items"]["refused"] == 0, made
        found.append(results(client, made["id"]))
    assert all(other == found[0] for other in found)
    listed = client.get("/v1/audits?limit=4").json()
    assert [audit["id"] for audit in listed["items"]] == [made["id"] for made in reversed(begun)][:4]
    rest = client.get(f"/v1/audits?after={listed['next']}").json()
    assert [audit["id"] for audit in rest["items"]] == [made["id"] for made in reversed(begun)][4:]
    assert rest["next"] is None


def test_results_come_as_csv_and_parquet_too(client: TestClient) -> None:
    rows = [*LINES[:2], {"id": '=HYPERLINK("http://x")', "text": TEXTS[1]}, {"id": 7, "text": ""}]
    made = begin(client, jsonl(*rows))
    until(client, made["id"])
    answer = client.get(f"/v1/audits/{made['id']}/results?format=csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    read = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert [row["id"] for row in read] == ["a", "b", '\'=HYPERLINK("http://x")', "7"]
    assert [row["verdict"] for row in read] == ["likely_ai_unconfirmed", "undetermined", "undetermined", ""]
    assert read[3]["error"] == PROBLEM_PREFIX + "empty-text"
    answer = client.get(f"/v1/audits/{made['id']}/results?format=parquet")
    table = parquet.read_table(io.BytesIO(answer.content)).to_pylist()
    assert [json.loads(row["result"]) for row in table] == results(client, made["id"])
    assert [row["score"] for row in table] == [2.5, -1.0, -1.0, None]
    # A formula stays what it is where nothing carries it out.
    assert table[2]["id"] == '=HYPERLINK("http://x")'


def test_cancelling_stops_the_work_and_keeps_what_is_done(client: TestClient, models: Models) -> None:
    models.gate.clear()
    first = begin(client, jsonl(*({"id": n, "text": f"text number {n}"} for n in range(50))), checks="origin")
    second = begin(client, jsonl(LINES[0]), checks="origin")
    until(client, first["id"], "running")
    for made in (second, first):
        cancelled = client.post(f"/v1/audits/{made['id']}/cancel")
        assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert client.post(f"/v1/audits/{first['id']}/cancel").status_code == 200
    models.gate.set()
    third = begin(client, jsonl(LINES[1]), checks="origin")
    until(client, third["id"])
    # One item was being analysed; nothing after it was begun.
    assert len(models.asked) <= 3
    assert results(client, second["id"]) == []
    refused = client.post(f"/v1/audits/{third['id']}/cancel")
    assert (refused.status_code, refused.json()["type"]) == (409, PROBLEM_PREFIX + "conflict")
    assert client.post("/v1/audits/aud_000000000000000000000000/cancel").status_code == 404


def test_an_audit_goes_on_after_a_restart(serve: Callable[..., TestClient], models: Models) -> None:
    client = serve()
    lines = [{"id": n, "text": f"text number {n}"} for n in range(30)]
    made = begin(client, jsonl(*lines), checks="origin")
    waiting = begin(client, jsonl(LINES[0]), checks="origin")
    while client.get(f"/v1/audits/{made['id']}").json()["items"]["done"] < 5:
        time.sleep(0.01)
    models.gate.clear()
    time.sleep(0.1)
    threading.Timer(0.5, models.gate.set).start()
    client = serve()
    assert until(client, made["id"])["items"] == {"total": 30, "done": 30, "refused": 0, "reused": 0}
    assert [result["id"] for result in results(client, made["id"])] == list(range(30))
    until(client, waiting["id"])
    # Only the item that was interrupted may have been analysed twice.
    assert len(models.asked) <= 32


def test_a_repeated_request_begins_one_audit(client: TestClient) -> None:
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


def test_files_of_the_folder_for_audits_are_read_by_path_and_no_others(
    serve: Callable[..., TestClient], tmp_path: Path
) -> None:
    folder = tmp_path / "archives"
    (folder / "2026").mkdir(parents=True)
    (folder / "2026" / "march.csv").write_bytes(as_csv(LINES))
    (folder / "empty.jsonl").write_bytes(b"")
    (folder / "wrong.csv").write_bytes(b"a,b\n1,2\n")
    (tmp_path / "secret.jsonl").write_bytes(jsonl(LINES[0]))
    (folder / "link.jsonl").symlink_to(tmp_path / "secret.jsonl")
    client = serve(audit_folder=folder)
    made = client.post("/v1/audits", data={"path": "2026/march.csv", "checks": "origin"}, files={"x": b""})
    assert made.status_code == 422
    form = {"path": (None, "2026/march.csv"), "checks": (None, "origin")}
    made = client.post("/v1/audits", files=form)
    assert made.status_code == 201, made.text
    assert made.json()["items"]["total"] is None
    assert until(client, made.json()["id"])["items"]["total"] == 4
    for path in (
        "../secret.jsonl", "2026/../../secret.jsonl", str(tmp_path / "secret.jsonl"), "link.jsonl",
        "missing.jsonl", "2026", "a\0.jsonl", "/etc/passwd", "%2e%2e/secret.jsonl", "..\\secret.jsonl",
    ):  # fmt: skip
        answer = client.post("/v1/audits", files={"path": (None, path), "format": (None, "jsonl")})
        assert answer.status_code == 404, (path, answer.text)
        assert "secret" not in answer.json()["detail"]
    for path, reason in (("empty.jsonl", "no items"), ("wrong.csv", "`text`")):
        made = client.post("/v1/audits", files={"path": (None, path)})
        failed = until(client, made.json()["id"], "failed")
        assert reason in failed["error"]
    assert client.post("/v1/audits", files={"path": (None, "notes.txt")}).status_code == 404


def test_without_a_folder_no_path_is_read(client: TestClient) -> None:
    answer = client.post("/v1/audits", files={"path": (None, "a.jsonl")})
    assert answer.status_code == 404
    assert "TAMGA_AUDIT_FOLDER" in answer.json()["detail"]


CHAT = {"id": 1, "prompt": "Tell me.", "text": TEXTS[1], "model": "m", "country": "KZ"}


@pytest.mark.parametrize(
    ("content", "name", "form", "status", "kind"),
    [
        (b"", "in.jsonl", {}, 422, "invalid-input"),
        (jsonl(LINES[0]), "in.txt", {}, 415, "unsupported-media-type"),
        (b"title,body\n1,2\n", "in.csv", {}, 422, "invalid-input"),
        (as_csv(LINES), "in.csv", {"kind": "chat_answers"}, 422, "invalid-input"),
        (b'id,text\n1,"unclosed\n', "in.csv", {}, 422, "invalid-input"),
        (b"PAR1 is not Parquet", "in.parquet", {}, 422, "invalid-input"),
        (as_parquet([{"id": 1, "body": "x"}]), "in.parquet", {}, 422, "invalid-input"),
        (gzip.compress(as_parquet(LINES)), "in.parquet", {}, 422, "invalid-input"),
        (gzip.compress(jsonl(LINES[0]))[:-9], "in.jsonl.gz", {}, 400, "invalid-compression"),
        (jsonl(LINES[0]), "in.jsonl", {"checks": "everything"}, 422, "invalid-input"),
        (jsonl(LINES[0]), "in.jsonl", {"target_fpr": "2"}, 422, "invalid-input"),
        (jsonl(LINES[0]), "in.jsonl", {"colour": "red"}, 422, "invalid-input"),
        (jsonl(LINES[0]), "in.jsonl", {"path": "a.jsonl"}, 422, "invalid-input"),
    ],
)
def test_what_is_no_audit_is_refused(
    client: TestClient, content: bytes, name: str, form: dict[str, str], status: int, kind: str
) -> None:
    answer = post(client, content, name, **form)
    assert (answer.status_code, answer.json()["type"]) == (status, PROBLEM_PREFIX + kind), answer.text
    assert client.get("/v1/audits").json()["items"] == []


def test_bodies_that_are_no_form_are_refused(client: TestClient) -> None:
    bounded = {"content-type": "multipart/form-data; boundary=x"}
    for content, headers, status in (
        (b'{"path": "a.jsonl"}', {"content-type": "application/json"}, 422),
        (b"no boundary anywhere", bounded, 400),
        (b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\ntext\r\n--x--\r\n', bounded, 422),
        (b"--x\r\nContent-Disposition: nonsense\r\n\r\ntext\r\n--x--\r\n", bounded, 400),
        (b"path=a.jsonl", {"content-type": "application/x-www-form-urlencoded"}, 404),
    ):
        answer = client.post("/v1/audits", content=content, headers=headers)
        assert answer.status_code == status, (content, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_form_on_a_foreign_page_begins_nothing(client: TestClient) -> None:
    answer = post(client, jsonl(LINES[0]), headers={"origin": "https://elsewhere.example"})
    assert (answer.status_code, answer.json()["type"]) == (403, PROBLEM_PREFIX + "forbidden")
    assert client.get("/v1/audits").json()["items"] == []


def test_small_files_that_unfold_to_large_ones_are_refused(serve: Callable[..., TestClient]) -> None:
    client = serve(audit_max_bytes=3_000_000, audit_max_items=500)
    line = jsonl({"id": "a", "text": "word " * 20_000})
    one_word = pa.array(["word " * 20_000] * 400).dictionary_encode()
    folded = io.BytesIO()
    parquet.write_table(pa.table({"text": one_word}), folded, compression="zstd")
    plain = io.BytesIO()
    parquet.write_table(
        pa.table({"text": ["word " * 1_000_000]}), plain, compression="zstd", use_dictionary=False
    )
    for content, name in (
        (gzip.compress(line * 100), "bomb.jsonl.gz"),
        (gzip.compress(b"text\n" + b"x" * 50_000_000), "bomb.csv.gz"),
        (folded.getvalue(), "dictionary.parquet"),
        (plain.getvalue(), "page.parquet"),
        (jsonl(*({"id": n, "text": "t"} for n in range(501))), "many.jsonl"),
        (as_parquet([{"text": "t"}] * 501), "many.parquet"),
        (b'{"text": "' + b"x" * 3_500_000, "line.jsonl"),
    ):
        answer = post(client, content, name)
        assert (answer.status_code, answer.json()["type"]) == (413, PROBLEM_PREFIX + "too-large"), name
    assert client.get("/v1/audits").json()["items"] == []


def test_hostile_cells_cost_their_row_at_most(client: TestClient) -> None:
    long = "long words " * 1_000
    rows = [
        b"id,text,outlet",
        f'1,"{long}",Alpha'.encode(),
        b"2,caf\xe9,Alpha",
        b"3,text,Alpha,more",
        b"4,nul \x00 inside,Alpha",
        b'5,"{{7*7}} <script>alert(1)</script>",=cmd|calc',
        "6,\u202eright to left,".encode(),
    ]
    made = begin(client, b"\n".join(rows), "in.csv", checks="origin")
    done = until(client, made["id"])
    kinds = [result.get("error", {}).get("type") for result in results(client, made["id"])]
    assert kinds == [
        None, PROBLEM_PREFIX + "invalid-encoding", PROBLEM_PREFIX + "invalid-input",
        PROBLEM_PREFIX + "nul-character", None, None,
    ]  # fmt: skip
    assert done["items"]["refused"] == 3
    page = client.get(f"/v1/audits/{made['id']}/report")
    assert "script" not in page.text.split("<main>")[1]
    figures = client.get(f"/v1/audits/{made['id']}/report?format=csv").text
    assert "'=cmd|calc" in figures


def test_answers_of_chat_assistants_need_prompt_and_model(client: TestClient) -> None:
    lines = [CHAT, {"id": 2, "text": "no prompt", "model": "m"}, {**CHAT, "id": 3, "model": ""}]
    made = begin(client, jsonl(*lines), kind="chat_answers")
    done = until(client, made["id"])
    assert (done["kind"], done["items"]["refused"]) == ("chat_answers", 2)
    assert "What chat assistants say" in client.get(f"/v1/audits/{made['id']}/report").text


def test_who_begins_and_cancels_is_in_the_audit_log_and_scopes_hold(
    serve: Callable[..., TestClient], models: Models
) -> None:
    client = serve()
    admin = client.post("/v1/keys", json={"name": "a", "role": "admin"}).json()
    as_admin = {"authorization": f"Bearer {admin['token']}"}
    reader = client.post("/v1/keys", json={"name": "r", "role": "reader"}, headers=as_admin).json()
    as_reader = {"authorization": f"Bearer {reader['token']}"}
    client.headers.update(as_admin)
    made = begin(client, jsonl(LINES[0]), checks="origin")
    until(client, made["id"])
    models.gate.clear()
    other = begin(client, jsonl(LINES[0]), checks="origin")
    client.post(f"/v1/audits/{other['id']}/cancel")
    models.gate.set()
    assert made["created_by"] == admin["id"]
    assert post(client, jsonl(LINES[0]), headers=as_reader).status_code == 403
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


def test_an_audit_of_a_restored_database_goes_on(serve: Callable[..., TestClient], database_url: str) -> None:
    client = serve()
    lines = [{"id": n, "text": f"text number {n}"} for n in range(5)]
    made = begin(client, jsonl(*lines), checks="origin")
    until(client, made["id"])
    before = results(client, made["id"])
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
    until(client, made["id"])
    assert results(client, made["id"]) == before
