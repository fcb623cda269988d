"""`tamga log`: what was done is shown, and checked."""

from __future__ import annotations

import sqlite3
from pathlib import Path


def test_the_log_is_shown_and_verified(tamga, tmp_path: Path) -> None:
    assert (tamga("log", "verify").code, tamga("log", "show").out) == (0, "")
    tamga("key", "create", "--name", "first", "--role", "admin")
    tamga("key", "create", "--name", "second", "--role", "reader")
    shown = tamga("log", "show")
    assert [(line["number"], line["action"], line["actor"]) for line in shown.lines] == [
        (1, "key.create", "command line"),
        (2, "key.create", "command line"),
    ]
    assert tamga("log", "show", "--after", "1").lines == shown.lines[1:]
    verified = tamga("log", "verify")
    assert (verified.code, verified.out.strip()) == (0, shown.lines[-1]["hash"])
    assert tamga("log", "verify", "--expect", verified.out.strip()).code == 0
    assert tamga("log", "verify", "--expect", "0" * 64).code == 1
    database = sqlite3.connect(tmp_path / "home" / "tamga.db")
    with database:
        database.execute("DROP TRIGGER audit_log_no_UPDATE")
        database.execute("UPDATE audit_log SET subject = 'another' WHERE number = 1")
    database.close()
    broken = tamga("log", "verify")
    assert (broken.code, broken.out) == (1, "")
    assert "broken at entry 1" in broken.err
