"""`tamga audit`: one line out per line in, in order, and no bad line stops the run."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.analysis import Analyser
from service.app import create_app
from service.errors import PROBLEM_PREFIX
from service.samples import sample_articles
from service.settings import load_settings

ARTICLES = sample_articles()


@pytest.mark.usefixtures("samples")
def test_lines_come_out_in_order_with_the_fields_of_the_design(tamga, jsonl, tmp_path: Path) -> None:
    lines = [
        {"id": article.id, "text": article.text, "title": article.title, "extra": 1}
        for article in ARTICLES[:3]
    ]
    out = tmp_path / "out.jsonl"
    outcome = tamga("audit", jsonl(*lines), "--out", out)
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    answers = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [answer["id"] for answer in answers] == [line["id"] for line in lines]
    for article, answer in zip(ARTICLES, answers, strict=False):
        assert answer["language"] == article.language
        origin = answer["origin"]
        assert {"verdict", "score", "p_value", "target_fpr", "abstain_reason", "segments"} <= set(origin)
        assert origin["target_fpr"] == 0.01
        assert answer["claims"]
        for claim in answer["claims"]:
            assert article.text[claim["start"] : claim["end"]] == claim["text"]


def test_bad_lines_become_error_lines_in_their_place(tamga, jsonl) -> None:
    good = {"id": "good", "text": ARTICLES[0].text}
    source = jsonl(
        good,
        b'{"id": "broken", "text": ',
        b'{"id": "latin1", "text": "caf\xe9"}',
        {"id": "empty", "text": ""},
        {"id": "nothing"},
        {"id": "type", "text": 7},
        {"id": "nul", "text": "a\0b"},
        {"id": "date", "text": "text", "published_at": "12.03.2024"},
        [1, 2],
        b"",
        {"id": "good", "text": ARTICLES[1].text},
        {"id": 17, "text": ARTICLES[1].text},
    )
    outcome = tamga("audit", source, "--checks", "origin")
    assert outcome.code == 0
    kinds = [
        (line["id"], line["error"]["type"].removeprefix(PROBLEM_PREFIX) if "error" in line else None)
        for line in outcome.lines
    ]
    assert kinds == [
        ("good", None),
        (None, "invalid-json"),
        (None, "invalid-encoding"),
        ("empty", "empty-text"),
        ("nothing", "invalid-input"),
        ("type", "invalid-input"),
        ("nul", "nul-character"),
        ("date", "invalid-input"),
        (None, "invalid-input"),
        ("good", "duplicate-id"),
        (17, None),
    ]
    for line in outcome.lines:
        if "error" in line:
            assert set(line) == {"id", "error"}
            assert set(line["error"]) == {"type", "title", "detail"}


def test_an_unexpected_failure_costs_one_line_only(tamga, jsonl, monkeypatch: pytest.MonkeyPatch) -> None:
    analyse = Analyser.analyse

    def fail_once(self, source, options=None):
        if source.title == "poison":
            raise ZeroDivisionError("inside")
        return analyse(self, source, options)

    monkeypatch.setattr(Analyser, "analyse", fail_once)
    lines = [
        {"id": 1, "text": ARTICLES[0].text},
        {"id": 2, "text": ARTICLES[0].text, "title": "poison"},
        {"id": 3, "text": ARTICLES[0].text},
    ]
    outcome = tamga("audit", jsonl(*lines), "--checks", "origin")
    assert outcome.code == 0
    assert ["error" in line for line in outcome.lines] == [False, True, False]
    assert outcome.lines[1]["error"]["type"] == PROBLEM_PREFIX + "internal-error"


def test_answers_of_chat_assistants_are_read_the_same_way(tamga, jsonl) -> None:
    line = {
        "id": "chat-1",
        "prompt": "Астана туралы айт",
        "text": ARTICLES[0].text,
        "model": "m",
        "country": "KZ",
    }
    (answer,) = tamga("audit", jsonl(line), "--checks", "origin").lines
    assert answer["id"] == "chat-1"
    assert "claims" not in answer


def test_standard_streams_and_the_accepted_rate(tamga) -> None:
    line = json.dumps({"id": "a", "text": ARTICLES[0].text}).encode()
    (answer,) = tamga("audit", "-", "--out", "-", "--checks", "origin", "--fpr", "0.05", stdin=line).lines
    assert answer["origin"]["target_fpr"] == 0.05


def test_a_progress_bar_is_shown_on_request(tamga, jsonl) -> None:
    outcome = tamga("audit", jsonl({"id": 1, "text": "abc"}), "--checks", "origin", "--progress")
    assert "1/1" in outcome.err
    assert len(outcome.lines) == 1


def test_a_report_is_written_beside_the_results(tamga, jsonl, tmp_path: Path) -> None:
    lines = [
        {"id": n, "text": article.text, "outlet": "=Alpha", "published_at": f"2026-0{n + 1}-01"}
        for n, article in enumerate(ARTICLES[:2])
    ]
    report = tmp_path / "report.html"
    outcome = tamga("audit", jsonl(*lines, {"id": 9}), "--checks", "origin", "--report", report)
    assert (outcome.code, len(outcome.lines)) == (0, 3)
    page = report.read_text(encoding="utf-8")
    assert "=Alpha" in page
    assert "in.jsonl" in page
    figures = (tmp_path / "report.csv").read_text(encoding="utf-8")
    assert "\nmonth,2026-02,,1," in figures.replace("\r", "")
    assert "outlet,'=Alpha,,2," in figures
    for impossible in (tmp_path / "no" / "report.html", tmp_path / "report.csv"):
        assert tamga("audit", jsonl(*lines), "--report", impossible).code == 2


def test_a_folder_is_one_archive_and_an_interrupted_audit_is_gone_on_with(
    tamga, jsonl, tmp_path: Path
) -> None:
    for name, article in zip(("b", "a"), ARTICLES[:2], strict=True):
        (tmp_path / "archive").mkdir(exist_ok=True)
        jsonl({"id": name, "text": article.text}, b"{broken", name=f"archive/{name}.jsonl")
    out = tmp_path / "out.jsonl"
    arguments = ("audit", tmp_path / "archive", "--out", out, "--checks", "origin")
    assert tamga(*arguments, "--resume").code == 0
    whole = out.read_bytes().splitlines(keepends=True)
    assert [json.loads(line)["id"] for line in whole] == ["a", None, "b", None]
    # As a process leaves it that is killed while it writes the third line.
    out.write_bytes(b"".join(whole[:2]) + whole[2][:50])
    report = tmp_path / "report.html"
    outcome = tamga(*arguments, "--resume", "--report", report)
    assert (outcome.code, outcome.err) == (0, "")
    again = out.read_bytes().splitlines(keepends=True)
    assert again[:2] == whole[:2]
    assert [timeless(json.loads(line)) for line in again] == [timeless(json.loads(line)) for line in whole]
    # The report tells of all of them.
    assert "all,refused,,4,4,2," in (tmp_path / "report.csv").read_text(encoding="utf-8")
    # Results of another question are not mixed in.
    other = tamga(*arguments[:-1], "origin", "--fpr", "0.05", "--resume")
    assert (other.code, other.err.count("\n")) == (2, 1)
    assert "--fpr 0.01" in other.err
    assert out.read_bytes() == b"".join(again)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--engine", "ray", "--store"], "local engine"),
        (["--workers", "2"], "--engine ray"),
        (["--address", "auto"], "--engine ray"),
        (["--resume"], "--out"),
        (["--out", "IN"], "--out"),
        (["--engine", "ray"], "pip install 'tamga-newsroom[cluster]'"),
    ],
)
def test_what_does_not_go_together_is_one_line(
    tamga, jsonl, monkeypatch: pytest.MonkeyPatch, arguments: list[str], told: str
) -> None:
    # As on a machine where it is not installed.
    monkeypatch.setitem(sys.modules, "ray", None)
    source = jsonl({"id": 1, "text": "text"})
    outcome = tamga("audit", source, *(source if part == "IN" else part for part in arguments))
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert told in outcome.err
    assert source.read_bytes()


@pytest.mark.usefixtures("samples")
def test_the_service_gives_the_same_results(tamga, jsonl, tmp_path: Path) -> None:
    lines = [
        {"id": article.id, "text": article.text, "title": article.title, "declared": n % 2 == 0}
        for n, article in enumerate(ARTICLES[:3])
    ]
    copy = {**lines[0], "id": "copy", "outlet": "Another outlet"}
    source = jsonl(*lines, b"not JSON", copy, {"id": "empty", "text": " "})
    expected = tamga("audit", source).lines
    settings = load_settings(home=tmp_path / "home")
    with TestClient(
        create_app(settings), base_url="http://127.0.0.1", client=("127.0.0.1", 50_000)
    ) as client:
        made = client.post("/v1/audits", files={"file": ("in.jsonl", source.read_bytes())}).json()
        deadline = time.monotonic() + 120
        while (state := client.get(f"/v1/audits/{made['id']}").json())["state"] != "done":
            assert time.monotonic() < deadline, state
            time.sleep(0.1)
        answer = client.get(f"/v1/audits/{made['id']}/results").text
    assert state["items"] == {"total": 6, "done": 6, "refused": 2, "reused": 1}
    assert [decided(json.loads(line)) for line in answer.splitlines()] == list(map(decided, expected))


def timeless(result: dict[str, Any]) -> dict[str, Any]:
    """A result without the moments at which its evidence was found."""
    for evidence in result.get("origin", {}).get("label", {}).get("evidence", []):
        del evidence["at"]
    return result


def decided(result: dict[str, Any]) -> dict[str, Any]:
    """A result without what hangs on similarities: their last digits depend on which texts happen to be
    embedded together, by the rounding of int8.
    """
    kept = {key: value for key, value in timeless(result).items() if key not in ("related", "similar")}
    if "claims" in kept:
        kept["claims"] = [(claim["start"], claim["text"], claim["status"]) for claim in kept["claims"]]
    return kept
