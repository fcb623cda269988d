"""`tamga label`, `tamga verify`, `tamga keys`, as people type them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

TEXT = "Қала кітапханасы жаңа ғимаратқа көшті. Оқырмандарды бейсенбіден бастап қабылдайды."
PAGE = (
    f"<!doctype html><html><head><title>К</title></head><body><article><p>{TEXT}</p></article></body></html>"
)


@pytest.fixture
def article(tmp_path: Path) -> Path:
    path = tmp_path / "article.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_issue_verify_revoke(tamga, article: Path, tmp_path: Path) -> None:
    issued = tamga("label", "issue", article, "--declared", "generated", "--review", "reviewed")
    assert issued.code == 0
    label = json.loads(issued.out)
    assert (label["state"], label["status"], label["human_review"]) == ("ai_generated", "active", "reviewed")
    token = tmp_path / "label.jws"
    token.write_text(label["jws"])
    assert json.loads(tamga("verify", token).out)["verdict"] == "valid"
    held = tamga("verify", article, "--label", token)
    assert (held.code, json.loads(held.out)["content_match"]) == (0, "exact")
    assert json.loads(tamga("verify", article).out)["label_id"] == label["id"]
    assert tamga("verify", "-", stdin=b"Another text altogether.").code == 1
    assert tamga("label", "revoke", label["id"], "--reason", "wrong").code == 0
    after = tamga("verify", article, "--label", token)
    assert (after.code, json.loads(after.out)["status"]) == (1, "revoked")
    events = tamga("label", "history").lines
    assert [event["kind"] for event in events] == ["issued", "manifest_added", "revoked"]


def test_a_page_is_written_with_its_label(tamga, tmp_path: Path) -> None:
    source, target = tmp_path / "page.html", tmp_path / "labelled.html"
    source.write_text(PAGE, encoding="utf-8")
    assert tamga("label", "issue", source, "--declared", "assisted", "--embed", target).code == 0
    found = tamga("verify", target)
    assert (found.code, json.loads(found.out)["c2pa"]["state"]) == (0, "Trusted")
    target.write_text(target.read_text(encoding="utf-8").replace("жаңа", "ескі"), encoding="utf-8")
    assert tamga("verify", target).code == 1


def test_a_dry_run_stores_nothing(tamga, article: Path) -> None:
    shown = tamga("label", "issue", article, "--declared", "none", "--dry-run")
    assert json.loads(shown.out)["state"] == "human_written"
    assert tamga("label", "history").out == ""


def test_an_archive_with_dry_run_report_and_rerun(tamga, jsonl, tmp_path: Path) -> None:
    disputed = PAGE.replace("<head>", '<head><meta name="ai-disclosure" content="ai-generated">')
    source = jsonl(
        {"id": "a", "text": TEXT, "url": "https://news.example/a", "declared": "assisted"},
        {"id": "b", "html": disputed, "url": "https://news.example/b", "declared": "none"},
        {"id": "=c", "text": TEXT + " Тағы.", "url": "https://news.example/c"},
        {"id": "d", "declared": "none"},
        {"id": "a", "text": TEXT},
    )
    report = tmp_path / "report.csv"
    dry = tamga("label", "archive", source, "--dry-run", "--report", report)
    assert dry.code == 0
    assert [line.get("outcome", "error") for line in dry.lines] == [
        "issued",
        "disputed",
        "draft",
        "error",
        "error",
    ]
    assert {line.get("label_id") for line in dry.lines} == {None}
    assert tamga("label", "history").out == ""
    rows = list(csv.DictReader(report.open(encoding="utf-8")))
    assert [row["outcome"] for row in rows] == ["issued", "disputed", "draft", "error", "error"]
    assert rows[2]["id"] == "'=c"
    assert "Give one of" in rows[3]["detail"]
    done = tamga("label", "archive", source, "--report", report).lines
    assert done[0]["page"].endswith(done[0]["label_id"])
    assert done[1]["page"] is None
    again = tamga("label", "archive", source).lines
    assert (again[0]["outcome"], again[0]["label_id"]) == ("unchanged", done[0]["label_id"])


def test_keys(tamga, article: Path) -> None:
    first = tamga("keys", "list").lines
    assert [key["status"] for key in first] == ["active"]
    label = json.loads(tamga("label", "issue", article, "--declared", "none").out)
    new = tamga("keys", "rotate").out.strip()
    assert [key["status"] for key in tamga("keys", "list").lines] == ["retired", "active"]
    assert [key["kid"] for key in json.loads(tamga("keys", "jwks").out)["keys"]] == [first[0]["kid"], new]
    assert tamga("verify", article).code == 0
    assert tamga("keys", "revoke", first[0]["kid"], "--reason", "leaked").code == 0
    verified = tamga("verify", article)
    assert (verified.code, json.loads(verified.out)["signature"]) == (1, "key_revoked")
    assert json.loads(verified.out)["kid"] != new
    assert label["status"] == "active"
    assert tamga("keys", "anchor").out.startswith("-----BEGIN CERTIFICATE-----")


@pytest.mark.parametrize(
    "arguments",
    [
        ("label", "issue", "missing.txt"),
        ("label", "revoke", "no-such-label", "--reason", "x"),
        ("label", "history", "no-such-label"),
        ("keys", "revoke", "no-such-key", "--reason", "x"),
        ("verify", "missing.jws"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(tamga, arguments: tuple[str, ...]) -> None:
    outcome = tamga(*arguments)
    assert outcome.code == 2
    assert outcome.err.startswith("tamga: ")
    assert len(outcome.err.splitlines()) == 1


def test_unknown_words_are_refused(tamga, article: Path) -> None:
    assert tamga("label", "issue", article, "--declared", "somewhat").code == 2
    assert tamga("label", "issue", article, "--country", "XX").code == 2
    assert tamga("label", "issue", article, "--embed", "x.html", "--declared", "none").code == 2
