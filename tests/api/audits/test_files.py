"""The files of audits: every format, the folder for audits, and what is hostile about them."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from service.errors import PROBLEM_PREFIX


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


def test_every_format_gives_the_same_results(client: Any) -> None:
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
    begun = [client.begin(content, name, checks="origin") for name, content in sources.items()]
    found = []
    for made in begun:
        assert client.until(made["id"])["items"]["refused"] == 0, made
        found.append(client.results(made["id"]))
    assert all(other == found[0] for other in found)
    listed = client.get("/v1/audits?limit=4").json()
    assert [audit["id"] for audit in listed["items"]] == [made["id"] for made in reversed(begun)][:4]
    rest = client.get(f"/v1/audits?after={listed['next']}").json()
    assert [audit["id"] for audit in rest["items"]] == [made["id"] for made in reversed(begun)][4:]
    assert rest["next"] is None


def test_files_of_the_folder_for_audits_are_read_by_path_and_no_others(
    serve: Callable[..., Any], tmp_path: Path
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
    assert client.until(made.json()["id"])["items"]["total"] == 4
    for path in (
        "../secret.jsonl", "2026/../../secret.jsonl", str(tmp_path / "secret.jsonl"), "link.jsonl",
        "missing.jsonl", "2026", "a\0.jsonl", "/etc/passwd", "%2e%2e/secret.jsonl", "..\\secret.jsonl",
    ):  # fmt: skip
        answer = client.post("/v1/audits", files={"path": (None, path), "format": (None, "jsonl")})
        assert answer.status_code == 404, (path, answer.text)
        assert "secret" not in answer.json()["detail"]
    for path, reason in (("empty.jsonl", "no items"), ("wrong.csv", "`text`")):
        made = client.post("/v1/audits", files={"path": (None, path)})
        failed = client.until(made.json()["id"], "failed")
        assert reason in failed["error"]
    assert client.post("/v1/audits", files={"path": (None, "notes.txt")}).status_code == 404


def test_without_a_folder_no_path_is_read(client: Any) -> None:
    answer = client.post("/v1/audits", files={"path": (None, "a.jsonl")})
    assert answer.status_code == 404
    assert "TAMGA_AUDIT_FOLDER" in answer.json()["detail"]


CHAT = {"id": 1, "prompt": "Tell me.", "text": TEXTS[1], "model": "m", "country": "KZ"}


REFUSED: list[tuple[bytes, str, dict[str, str], int, str]] = [
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
]


def test_what_is_no_audit_is_refused(client: Any) -> None:
    for content, name, form, status, kind in REFUSED:
        answer = client.upload(content, name, **form)
        found = (answer.status_code, answer.json()["type"])
        assert found == (status, PROBLEM_PREFIX + kind), (name, form, answer.text)
    assert client.get("/v1/audits").json()["items"] == []


def test_bodies_that_are_no_form_are_refused(client: Any) -> None:
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


def test_a_form_on_a_foreign_page_begins_nothing(client: Any) -> None:
    answer = client.upload(jsonl(LINES[0]), headers={"origin": "https://elsewhere.example"})
    assert (answer.status_code, answer.json()["type"]) == (403, PROBLEM_PREFIX + "forbidden")
    assert client.get("/v1/audits").json()["items"] == []


def test_small_files_that_unfold_to_large_ones_are_refused(serve: Callable[..., Any]) -> None:
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
        answer = client.upload(content, name)
        assert (answer.status_code, answer.json()["type"]) == (413, PROBLEM_PREFIX + "too-large"), name
    assert client.get("/v1/audits").json()["items"] == []


def test_hostile_cells_cost_their_row_at_most(client: Any) -> None:
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
    made = client.begin(b"\n".join(rows), "in.csv", checks="origin")
    done = client.until(made["id"])
    kinds = [result.get("error", {}).get("type") for result in client.results(made["id"])]
    assert kinds == [
        None, PROBLEM_PREFIX + "invalid-encoding", PROBLEM_PREFIX + "invalid-input",
        PROBLEM_PREFIX + "nul-character", None, None,
    ]  # fmt: skip
    assert done["items"]["refused"] == 3
    page = client.get(f"/v1/audits/{made['id']}/report")
    assert "script" not in page.text.split("<main>")[1]
    figures = client.get(f"/v1/audits/{made['id']}/report?format=csv").text
    assert "'=cmd|calc" in figures


def test_answers_of_chat_assistants_need_prompt_and_model(client: Any) -> None:
    lines = [CHAT, {"id": 2, "text": "no prompt", "model": "m"}, {**CHAT, "id": 3, "model": ""}]
    made = client.begin(jsonl(*lines), kind="chat_answers")
    done = client.until(made["id"])
    assert (done["kind"], done["items"]["refused"]) == ("chat_answers", 2)
    assert "What chat assistants say" in client.get(f"/v1/audits/{made['id']}/report").text
