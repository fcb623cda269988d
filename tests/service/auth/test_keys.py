"""Keys: what opens, what does not open any more, and what a key may make of another."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

import service.auth.keys as module
from service.auth.keys import TOKEN, Keys
from service.auth.scopes import LOCAL, ROLES, SCOPES, Caller, scopes_of
from service.errors import Conflict, Forbidden, InvalidInput, NotFound, PreconditionFailed
from service.store import Store
from service.store.access_models import KeyRow


@pytest.fixture
def admin(keys: Keys) -> Caller:
    caller = keys.caller(keys.create("admin", "admin", by=LOCAL).token)
    assert caller is not None
    return caller


def test_each_role_may_what_the_one_before_may_and_the_last_everything() -> None:
    sets = [scopes_of(role) for role in ROLES]
    assert all(smaller < larger for smaller, larger in pairwise(sets))
    assert sets[-1] == set(SCOPES)


def test_a_key_opens_and_says_what_it_may(keys: Keys, admin: Caller) -> None:
    issued = keys.create("cms", "reviewer", scopes=["articles:write"], by=admin)
    assert TOKEN.fullmatch(issued.token)
    caller = keys.caller(issued.token)
    assert caller == Caller(issued.key.id, "cms", frozenset({"articles:write"}))
    assert issued.key.created_by == admin.id
    assert keys.get(issued.key.id).last_used_at is not None


def test_the_database_holds_no_secret(keys: Keys, admin: Caller, store: Store) -> None:
    issued = keys.create("cms", "reader", by=admin)
    secret = issued.token.rsplit("_", 1)[1]
    with store.database.reading() as connection:
        rows = connection.execute(sa.select(KeyRow)).all()
    assert len(rows) == 2
    assert not any(secret in str(value) for row in rows for value in row)


@settings(max_examples=60)
@given(text=st.text(max_size=90) | st.from_regex(TOKEN, fullmatch=True))
def test_nothing_else_opens(keys_for_guesses: Keys, text: str) -> None:
    assert keys_for_guesses.caller(text) is None


@pytest.fixture(scope="module")
def keys_for_guesses(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    from service.store import open_store

    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('guesses') / 'tamga.db'}")
    keys = Keys(store.access_keys)
    keys.create("admin", "admin", by=LOCAL)
    return keys


def test_a_wrong_secret_of_a_known_key_does_not_open(keys: Keys, admin: Caller) -> None:
    token = keys.create("cms", "reader", by=admin).token
    flipped = token[:-1] + ("0" if token[-1] != "0" else "1")
    assert keys.caller(flipped) is None
    assert keys.caller(token) is not None


def test_a_revoked_key_opens_nothing_at_once_and_stays_listed(keys: Keys, admin: Caller) -> None:
    issued = keys.create("cms", "reader", by=admin)
    assert keys.revoke(issued.key.id, by=admin).state == "revoked"
    assert keys.caller(issued.token) is None
    assert [key.state for key in keys.list()] == ["active", "revoked"]
    for change in (
        lambda: keys.revoke(issued.key.id, by=admin),
        lambda: keys.rotate(issued.key.id, by=admin),
        lambda: keys.update(issued.key.id, {"name": "x"}, by=admin),
    ):
        with pytest.raises(Conflict):
            change()


def test_an_expired_key_opens_nothing(keys: Keys, admin: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    issued = keys.create("cms", "reader", expires_at=datetime.now(UTC) + timedelta(hours=1), by=admin)
    assert keys.caller(issued.token) is not None
    later(monkeypatch, timedelta(hours=1))
    assert keys.caller(issued.token) is None
    assert keys.get(issued.key.id).state == "expired"
    with pytest.raises(InvalidInput):
        keys.create("late", "reader", expires_at=datetime.now(UTC) - timedelta(hours=2), by=admin)


def later(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    class Later(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return datetime.now(UTC) + by

    monkeypatch.setattr(module, "datetime", Later)


def test_rotation_ends_the_old_secret_at_once_or_after_a_grace(
    keys: Keys, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = keys.create("cms", "reader", by=admin)
    second = keys.rotate(first.key.id, by=admin)
    assert second.key.id == first.key.id
    assert keys.caller(first.token) is None
    assert keys.caller(second.token) is not None
    third = keys.rotate(first.key.id, grace=timedelta(hours=1), by=admin)
    assert keys.caller(second.token) is not None
    assert keys.caller(third.token) is not None
    later(monkeypatch, timedelta(hours=1))
    assert keys.caller(second.token) is None
    assert keys.caller(third.token) is not None
    with pytest.raises(InvalidInput):
        keys.rotate(first.key.id, grace=timedelta(days=8), by=admin)


def test_the_first_key_must_be_an_admins(keys: Keys) -> None:
    assert not keys.closed()
    with pytest.raises(InvalidInput):
        keys.create("cms", "editor", by=LOCAL)
    with pytest.raises(InvalidInput):
        keys.create("cms", "admin", scopes=["keys:read"], by=LOCAL)
    assert not keys.closed()
    keys.create("admin", "admin", by=LOCAL)
    assert keys.closed()


def test_what_is_closed_stays_closed_without_any_good_key(keys: Keys, store: Store) -> None:
    issued = keys.create("admin", "admin", by=LOCAL)
    keys.revoke(issued.key.id, by=LOCAL)
    assert Keys(store.access_keys).closed()


def test_of_first_keys_made_at_once_one_is_made(store: Store) -> None:
    made: list[object] = []
    start = threading.Barrier(4)

    def bootstrap() -> None:
        start.wait()
        made.append(Keys(store.access_keys).create_first("first", by=LOCAL))

    threads = [threading.Thread(target=bootstrap) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(made) == 4
    assert sum(item is not None for item in made) == 1
    assert len(store.access_keys.list()) == 1


def test_no_key_makes_or_changes_one_that_may_more_than_itself(keys: Keys, admin: Caller) -> None:
    clerk = keys.create("clerk", "admin", scopes=["keys:read", "keys:write", "articles:read"], by=admin)
    caller = keys.caller(clerk.token)
    assert caller is not None
    strong = keys.create("strong", "editor", by=admin).key.id
    keys.create("weak", "reader", scopes=["articles:read"], by=caller)
    for forbidden in (
        lambda: keys.create("x", "reader", by=caller),
        lambda: keys.rotate(strong, by=caller),
        lambda: keys.revoke(strong, by=caller),
        lambda: keys.update(strong, {"name": "mine"}, by=caller),
        lambda: keys.update(clerk.key.id, {"role": "admin"}, by=caller),
        lambda: keys.update(clerk.key.id, {"scopes": None}, by=caller),
    ):
        with pytest.raises(Forbidden):
            forbidden()


def test_scopes_beyond_the_role_are_refused(keys: Keys, admin: Caller) -> None:
    with pytest.raises(InvalidInput, match="records:write"):
        keys.create("cms", "reader", scopes=["records:write"], by=admin)


def test_a_change_to_another_version_than_the_read_one_is_refused(keys: Keys, admin: Caller) -> None:
    key = keys.create("cms", "reviewer", by=admin).key
    changed = keys.update(key.id, {"name": "cms 2", "scopes": ["articles:read"]}, version=1, by=admin)
    assert (changed.version, changed.name, changed.scopes) == (2, "cms 2", ("articles:read",))
    with pytest.raises(PreconditionFailed):
        keys.update(key.id, {"name": "lost"}, version=1, by=admin)
    assert keys.get(key.id).name == "cms 2"
    assert keys.update(key.id, {"role": "reader"}, by=admin).scopes == tuple(sorted(scopes_of("reader")))


def test_there_is_no_such_key(keys: Keys, admin: Caller) -> None:
    for missing in (
        lambda: keys.get("x"),
        lambda: keys.revoke("x", by=admin),
        lambda: keys.rotate("x", by=admin),
        lambda: keys.update("x", {}, by=admin),
    ):
        with pytest.raises(NotFound):
            missing()


def test_pages_hold_every_key_once_in_order_of_creation(keys: Keys, admin: Caller) -> None:
    made = [admin.id] + [keys.create(f"k{number}", "reader", by=admin).key.id for number in range(7)]
    seen: list[str] = []
    while page := keys.list(seen[-1] if seen else None, 3):
        seen += [key.id for key in page]
    assert seen == made
