"""`tamga key`: the token alone on standard output, shown once."""

from __future__ import annotations

from service.auth.keys import TOKEN


def test_keys_are_made_listed_rotated_and_revoked(tamga) -> None:
    made = tamga("key", "create", "--name", "server room", "--role", "admin")
    assert made.code == 0, made.err
    parts = TOKEN.fullmatch(made.out.strip())
    assert parts
    narrow = tamga(
        "key", "create", "--name", "cms", "--role", "editor", "--scope", "articles:write", "--days", "7"
    )
    listed = tamga("key", "list")
    assert [line["name"] for line in listed.lines] == ["server room", "cms"]
    assert listed.lines[1]["scopes"] == ["articles:write"]
    assert listed.lines[1]["expires_at"] is not None
    assert parts[2] not in listed.out
    rotated = tamga("key", "rotate", parts[1])
    assert TOKEN.fullmatch(rotated.out.strip())
    assert rotated.out != made.out
    assert tamga("key", "revoke", parts[1]).code == 0
    assert [line["state"] for line in tamga("key", "list").lines] == ["revoked", "active"]
    assert narrow.out.strip() not in tamga("key", "list").out


def test_mistakes_are_told_in_one_line(tamga) -> None:
    for arguments in (
        ("create", "--name", "x"),
        ("create", "--name", "x", "--role", "root"),
        ("create", "--name", "x", "--role", "editor"),
        ("create", "--name", " ", "--role", "admin"),
        ("create", "--name", "x", "--role", "admin", "--scope", "everything"),
        ("create", "--name", "x", "--role", "admin", "--days", "0"),
        ("revoke", "none"),
        ("rotate", "none"),
    ):
        outcome = tamga("key", *arguments)
        assert (outcome.code, outcome.out) == (2, ""), arguments
        assert len(outcome.err.splitlines()) == 1
