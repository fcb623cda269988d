"""Bad usage: exit 2 and one line on standard error. Help is quick."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

IMPORTS_TOO_SLOW_FOR_HELP = (
    "torch",
    "transformers",
    "onnxruntime",
    "faiss",
    "sqlalchemy",
    "fastapi",
    "sklearn",
    "trafilatura",
)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("chek",),
        ("check",),
        ("check", "no-such-file.txt"),
        ("check", "."),
        ("check", "-", "--fpr", "2"),
        ("check", "-", "--fpr", "x"),
        ("check", "-", "--no-such-option"),
        ("audit", "no-such-file.jsonl"),
        ("audit", "-", "--checks", "facts"),
        ("audit", "-", "--out", "/no/such/folder/out.jsonl"),
        ("index",),
        ("index", "add", "no-such-file.jsonl"),
        ("index", "match", "-", "--top-k", "0"),
        ("index", "match", "-", "--as-of", "yesterday"),
        ("compare", "no-such-file.jsonl"),
        ("samples", "articles", "no-such-article"),
        ("serve", "--port", "70000"),
        ("serve", "--host", "0.0.0.0"),
        ("serve", "--host", "example.org"),
    ],
)
def test_bad_usage_is_told_in_one_line(tamga, arguments: tuple[str, ...]) -> None:
    outcome = tamga(*arguments)
    assert outcome.code == 2
    assert outcome.out == ""
    assert len(outcome.err.splitlines()) == 1, outcome.err
    assert outcome.err.startswith("tamga: ")


def test_misspelt_settings_are_refused(tamga, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAMGA_TARGET_FRP", "0.05")
    outcome = tamga("index", "status")
    assert outcome.code == 2
    assert "TAMGA_TARGET_FRP" in outcome.err
    assert len(outcome.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no text"),
        (b" \n\n", "no text"),
        (b"caf\xe9", "UTF-8"),
        (b"a\0b", "NUL"),
        (b"x" * 5_000_000, "5,000,000"),
    ],
)
def test_a_text_that_cannot_be_analysed_is_told_in_one_line(tamga, content: bytes, reason: str) -> None:
    outcome = tamga("check", "-", stdin=content)
    assert outcome.code == 2
    assert outcome.out == ""
    assert len(outcome.err.splitlines()) == 1
    assert reason in outcome.err


def test_help_needs_no_models_and_no_server(tmp_path: Path) -> None:
    code = (
        "import sys; from service.cli import run; code = run(['--help']); "
        f"slow = [name for name in {IMPORTS_TOO_SLOW_FOR_HELP!r} if name in sys.modules]; "
        "print(slow, file=sys.stderr); sys.exit(code or bool(slow))"
    )
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "audit" in done.stdout
    # The promise is one second on an idle machine; the suite may share its cores.
    assert time.monotonic() - started < 5
