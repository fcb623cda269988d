"""`tamga feeds`: added, listed, refused while fetching is off, removed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from service.cli import run

ADDRESS = "https://desk.example/checks.jsonl"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAMGA_HOME", str(tmp_path))
    monkeypatch.delenv("TAMGA_FETCHING", raising=False)


def test_added_listed_removed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["feeds", "add", ADDRESS, "--kind", "jsonl", "--language", "uz_Cyrl", "--complete"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["status"] == "added"
    assert run(["feeds", "add", ADDRESS, "--kind", "csv"]) == 0
    assert json.loads(capsys.readouterr().out) == {**answer, "status": "updated"}
    assert run(["feeds", "list"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert (listed["id"], listed["kind"], listed["failures"]) == (answer["id"], "csv", 0)
    assert run(["feeds", "remove", answer["id"]]) == 0
    assert run(["feeds", "remove", answer["id"]]) == 2
    assert "No feed has this id" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [["add", "file:///etc/passwd", "--kind", "csv"], ["add", ADDRESS, "--kind", "html"], ["refresh"],
     ["add", ADDRESS, "--kind", "csv", "--language", "no language"]],
)  # fmt: skip
def test_bad_usage_is_one_line_and_exit_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["feeds", *arguments]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert len(shown.err.strip().splitlines()) == 1
