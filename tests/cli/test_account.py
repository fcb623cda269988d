"""`tamga account`: the way in for people, and back in when a password is lost."""

from __future__ import annotations

from typing import Any

import pytest
from argon2 import PasswordHasher

from service.auth import passwords

Tamga = Any
PASSWORD = b"a bridge, a river, a town\n"


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


def test_an_account_from_its_making_to_its_end(tamga: Tamga) -> None:
    add = ("account", "add", "Anna", "--name", "Anna A.", "--password-stdin", "--role")
    early = tamga(*add, "reviewer", stdin=PASSWORD)
    assert early.code == 2
    assert "must be an admin's" in early.err
    made = tamga(*add, "admin", stdin=PASSWORD)
    assert (made.code, made.out) == (0, "")
    again = tamga(*add, "admin", stdin=PASSWORD)
    assert (again.code, "Another account" in again.err) == (2, True)
    assert tamga("account", "role", "anna", "editor").code == 0
    (line,) = tamga("account", "list").lines
    assert (line["login"], line["role"], line["state"]) == ("Anna", "editor", "active")
    assert "password_hash" not in line
    assert (
        tamga("account", "password", "anna", "--password-stdin", stdin=b"another bridge, a town\n").code == 0
    )
    assert tamga("account", "disable", "ANNA").code == 0
    assert tamga("account", "list").lines[0]["state"] == "disabled"
    assert tamga("account", "enable", "anna").code == 0
    assert tamga("account", "disable", "nobody").code == 2


def test_mistakes_are_one_line(tamga: Tamga) -> None:
    add = ("account", "add", "anna", "--name", "Anna", "--role")
    for arguments, stdin in (
        ((*add, "root", "--password-stdin"), PASSWORD),
        ((*add, "admin", "--password-stdin"), b"short\n"),
        ((*add, "admin", "--password-stdin"), b""),
        ((*add, "admin"), PASSWORD),
    ):
        outcome = tamga(*arguments, stdin=stdin)
        assert outcome.code == 2, arguments
        assert len(outcome.err.strip().splitlines()) == 1
        assert PASSWORD.decode().strip() not in outcome.err
