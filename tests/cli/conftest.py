from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

from service.cli import run


@dataclass(frozen=True)
class Outcome:
    """What one run of `tamga` left behind."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


Tamga = Callable[..., Outcome]


@pytest.fixture
def tamga(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tamga:
    """Runs the command line in this process, over a home of the test's own."""
    monkeypatch.setenv("TAMGA_HOME", str(tmp_path / "home"))

    def call(*arguments: str | Path, stdin: bytes = b"") -> Outcome:
        monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(stdin)))
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture
def jsonl(tmp_path: Path) -> Callable[..., Path]:
    """Writes a JSON Lines file: objects as JSON, bytes as they are."""

    def write(*lines: Any, name: str = "in.jsonl") -> Path:
        path = tmp_path / name
        parts = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
        path.write_bytes(b"\n".join(parts) + b"\n")
        return path

    return write
