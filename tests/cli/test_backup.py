"""`tamga backup` and `tamga restore`."""

from __future__ import annotations

from pathlib import Path

import pytest


def test_a_home_moves_by_its_backup(tamga, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tamga("key", "create", "--name", "first", "--role", "admin")
    listed = tamga("key", "list").out
    archive = tmp_path / "backup.tar"
    assert tamga("backup", archive).code == 0
    again = tamga("backup", archive)
    assert (again.code, len(again.err.splitlines())) == (2, 1)
    assert tamga("restore", archive).code == 2
    monkeypatch.setenv("TAMGA_HOME", str(tmp_path / "another"))
    restored = tamga("restore", archive)
    assert (restored.code, restored.out) == (0, "")
    assert "audit log unbroken" in restored.err
    assert tamga("key", "list").out == listed
    assert tamga("restore", tmp_path / "none.tar").code == 2
