from __future__ import annotations

import functools
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

import classifiers.models
from classifiers.ai_text import Detector
from classifiers.stance import StanceModel
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


@pytest.fixture(scope="session", autouse=True)
def _models_loaded_once() -> Iterator[None]:
    """Commands run in this process: let them share the models that take seconds to load."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classifiers.models, "load_encoder", functools.cache(classifiers.models.load_encoder))
        for model in (Detector, StanceModel):
            patch.setattr(model, "load", functools.cache(model.load))
        yield


@pytest.fixture(scope="session")
def _home_with_samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("samples") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TAMGA_HOME", str(home))
        assert run(["samples", "load"]) == 0
    return home


@pytest.fixture
def samples(_home_with_samples: Path, tmp_path: Path) -> None:
    """Puts the sample records into the test's home."""
    shutil.copytree(_home_with_samples, tmp_path / "home")


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
