"""Accounts and sessions: who gets in, for how long, and what an attempt costs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from service.auth import passwords
from service.auth import sessions as module
from service.auth.accounts import Account, Accounts, login_key
from service.auth.keys import Keys
from service.auth.scopes import LOCAL, Caller, scopes_of
from service.auth.sessions import SessionLimits, Sessions, SignInFailed, StartedSession
from service.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    Overloaded,
    PreconditionFailed,
    QuotaExceeded,
    Unauthenticated,
)
from service.retention import purge
from service.settings import Settings
from service.store import Store
from service.store.account_models import AccountRow, LoginFailuresRow, SessionRow

PASSWORD = "a bridge, a river, a town"
LIMITS = SessionLimits(timedelta(minutes=30), timedelta(hours=8))
HERE = "192.0.2.7"


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tested here is not how slow a hash is."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    passwords._nobodys_hash.cache_clear()


@pytest.fixture
def accounts(store: Store) -> Accounts:
    return Accounts(store.accounts)


@pytest.fixture
def sessions(store: Store) -> Sessions:
    return Sessions(store.accounts, LIMITS)


@pytest.fixture
def admin(accounts: Accounts) -> Account:
    return accounts.create("Chief@News.example", "A. Chief", "admin", PASSWORD, by=LOCAL)


def as_caller(account: Account) -> Caller:
    return Caller(account.id, account.name, account.scopes)


def sign_in(sessions: Sessions, login: str = "chief@news.example", **more: str) -> StartedSession:
    return sessions.start(login, more.pop("password", PASSWORD), address=more.pop("address", HERE), **more)


def later(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    class Later(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return datetime.now(UTC) + by

    monkeypatch.setattr(module, "datetime", Later)


def test_the_first_account_is_an_admins_and_closes_the_service(accounts: Accounts, store: Store) -> None:
    keys = Keys(store.access_keys)
    with pytest.raises(InvalidInput, match="must be an admin's"):
        accounts.create("one", "One", "reviewer", PASSWORD, by=LOCAL)
    assert not keys.closed()
    made = accounts.create("one", "One", "admin", PASSWORD, by=LOCAL)
    assert keys.closed()
    assert keys.create_first("first", by=LOCAL) is None
    assert made.scopes == scopes_of("admin")
    accounts.create("two", "Two", "reader", PASSWORD, by=as_caller(made))


def test_of_first_accounts_made_at_once_one_is_made(accounts: Accounts, store: Store) -> None:
    start, outcomes = threading.Barrier(4), []

    def work(name: str) -> None:
        start.wait()
        try:
            # Past the door of the hashes, which lets two in at a time.
            outcomes.append(accounts.create(name, name, "admin", PASSWORD, by=LOCAL))
        except (Forbidden, Overloaded) as error:
            outcomes.append(error)

    threads = [threading.Thread(target=work, args=(f"n{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    made = [outcome for outcome in outcomes if isinstance(outcome, Account)]
    assert len(outcomes) == 4
    assert len(store.accounts.list()) == len(made) >= 1


@pytest.mark.parametrize("login", ["a b", "", "x", "a\nb", "a" * 201])
def test_impossible_logins(accounts: Accounts, login: str) -> None:
    with pytest.raises(InvalidInput):
        accounts.create(login, "One", "admin", PASSWORD, by=LOCAL)


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaaa", "my-login-my-login", "x" * 300])
def test_impossible_passwords(accounts: Accounts, password: str) -> None:
    with pytest.raises(InvalidInput):
        accounts.create("My-Login", "One", "admin", password, by=LOCAL)


def test_logins_are_compared_without_case_and_composition(accounts: Accounts, admin: Account) -> None:
    by = as_caller(admin)
    with pytest.raises(Conflict):
        accounts.create("CHIEF@news.EXAMPLE", "Another", "reader", PASSWORD, by=by)
    accounts.create("Gülnar", "G.", "reader", PASSWORD, by=by)
    assert accounts.find("gu\u0308lnar").name == "G."
    assert login_key("ﬁne") == login_key("FINE")
    with pytest.raises(NotFound):
        accounts.find("nobody")


def test_nobody_makes_or_changes_more_than_they_are(accounts: Accounts, admin: Account) -> None:
    editor = accounts.create("ed", "Ed", "editor", PASSWORD, by=as_caller(admin))
    by = Caller(editor.id, "Ed", editor.scopes | {"accounts:write"})
    with pytest.raises(Forbidden):
        accounts.create("mine", "Mine", "admin", PASSWORD, by=by)
    for attempt in (
        lambda: accounts.update(admin.id, {"disabled": True}, by=by),
        lambda: accounts.set_password(admin.id, PASSWORD, by=by),
        lambda: accounts.end_sessions(admin.id, by=by),
        lambda: accounts.update(editor.id, {"role": "admin"}, by=by),
    ):
        with pytest.raises(Forbidden):
            attempt()
    for changes in ({"disabled": True}, {"role": "reader"}):
        with pytest.raises(Conflict, match="your own account"):
            accounts.update(admin.id, changes, by=as_caller(admin))  # type: ignore[arg-type]
    with pytest.raises(PreconditionFailed):
        accounts.update(editor.id, {"name": "E."}, version=7, by=as_caller(admin))
    changed = accounts.update(editor.id, {"name": "E.", "role": "reader"}, version=1, by=as_caller(admin))
    assert (changed.name, changed.role, changed.version) == ("E.", "reader", 2)


def test_a_session_opens_and_says_who_it_is(sessions: Sessions, admin: Account, store: Store) -> None:
    started = sign_in(sessions)
    assert sessions.caller(started.token) == Caller(admin.id, "A. Chief", scopes_of("admin"))
    assert sessions.caller(started.token[:-1] + ("A" if started.token[-1] != "A" else "B")) is None
    for nonsense in ("", "x", started.token + "x", "\x00", "ё" * 43):
        assert sessions.caller(nonsense) is None
    with store.database.reading() as connection:
        tables = (AccountRow, SessionRow, LoginFailuresRow)
        kept = str([connection.execute(sa.select(table)).all() for table in tables])
    assert started.token not in kept
    assert PASSWORD not in kept
    assert sessions.end(started.token)
    assert sessions.caller(started.token) is None
    assert not sessions.end(started.token)


def test_every_sign_in_makes_a_new_token_and_ends_the_one_brought_along(
    sessions: Sessions, admin: Account
) -> None:
    first = sign_in(sessions)
    second = sign_in(sessions, replacing=first.token)
    other = sign_in(sessions)
    assert len({first.token, second.token, other.token}) == 3
    assert sessions.caller(first.token) is None
    assert sessions.caller(second.token) == sessions.caller(other.token) != None  # noqa: E711


def test_a_session_ends_by_idleness_and_by_age(
    sessions: Sessions, admin: Account, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = sign_in(sessions).token
    later(monkeypatch, timedelta(minutes=29))
    assert sessions.caller(token)
    later(monkeypatch, timedelta(minutes=58))
    assert sessions.caller(token)
    later(monkeypatch, timedelta(minutes=89))
    assert sessions.caller(token) is None
    with store.database.writing() as connection:
        always_used = datetime.now(UTC) + timedelta(hours=9)
        connection.execute(sa.update(SessionRow).values(last_seen_at=always_used))
    later(monkeypatch, timedelta(hours=7, minutes=59))
    assert sessions.caller(token)
    later(monkeypatch, timedelta(hours=8, minutes=1))
    assert sessions.caller(token) is None


def test_disabling_demoting_and_resetting_count_at_once(
    sessions: Sessions, accounts: Accounts, admin: Account
) -> None:
    by = as_caller(admin)
    reviewer = accounts.create("rev", "R.", "reviewer", PASSWORD, by=by)
    token = sign_in(sessions, "rev").token
    accounts.update(reviewer.id, {"role": "reader"}, by=by)
    caller = sessions.caller(token)
    assert caller is not None
    assert caller.scopes == scopes_of("reader")
    accounts.update(reviewer.id, {"disabled": True}, by=by)
    assert sessions.caller(token) is None
    with pytest.raises(SignInFailed):
        sign_in(sessions, "rev")
    accounts.update(reviewer.id, {"disabled": False}, by=by)
    assert sessions.caller(token) is None
    again = sign_in(sessions, "rev").token
    accounts.set_password(reviewer.id, "another bridge, another town", by=by)
    assert sessions.caller(again) is None
    with pytest.raises(SignInFailed):
        sign_in(sessions, "rev")
    tokens = [sign_in(sessions, "rev", password="another bridge, another town").token for _ in range(3)]
    assert accounts.end_sessions(reviewer.id, by=by) == 3
    assert not any(sessions.caller(item) for item in tokens)


def test_a_password_is_changed_by_whoever_knows_it(sessions: Sessions, admin: Account) -> None:
    here, elsewhere = sign_in(sessions), sign_in(sessions)
    with pytest.raises(Forbidden):
        sessions.change_password(here.token, "wrong", "the next password", address=HERE)
    with pytest.raises(InvalidInput):
        sessions.change_password(here.token, PASSWORD, "short", address=HERE)
    with pytest.raises(Unauthenticated):
        sessions.change_password("no token", PASSWORD, "the next password", address=HERE)
    new = sessions.change_password(here.token, PASSWORD, "the next password", address=HERE)
    assert sessions.caller(new.token)
    assert sessions.caller(here.token) is None
    assert sessions.caller(elsewhere.token) is None
    with pytest.raises(SignInFailed):
        sign_in(sessions)
    assert sign_in(sessions, password="the next password")


def wrong(sessions: Sessions, login: str, address: str = HERE) -> type[Exception]:
    with pytest.raises((SignInFailed, QuotaExceeded)) as caught:
        sign_in(sessions, login, password="a wrong password", address=address)
    return caught.type


def test_guessing_is_slowed_down_for_the_guesser_alone(
    sessions: Sessions, admin: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = "chief@news.example"
    answers = [wrong(sessions, login) for _ in range(module.ATTEMPTS_PER_PAIR + 2)]
    assert answers == [SignInFailed] * module.ATTEMPTS_PER_PAIR + [QuotaExceeded] * 2
    with pytest.raises(QuotaExceeded) as caught:
        sign_in(sessions)
    assert 800 < float(caught.value.headers["Retry-After"]) <= 900
    # The owner sits elsewhere and is not kept out.
    assert sign_in(sessions, address="198.51.100.1")
    later(monkeypatch, module.WINDOW + timedelta(seconds=1))
    assert sign_in(sessions)


def test_unknown_logins_are_throttled_like_known_ones(sessions: Sessions, admin: Account) -> None:
    answers = [wrong(sessions, "nobody") for _ in range(module.ATTEMPTS_PER_PAIR + 1)]
    assert answers == [SignInFailed] * module.ATTEMPTS_PER_PAIR + [QuotaExceeded]


def test_one_address_may_not_try_all_logins_nor_all_addresses_one_login(
    sessions: Sessions, admin: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ATTEMPTS_PER_ADDRESS", 8)
    monkeypatch.setattr(module, "ATTEMPTS_PER_LOGIN", 8)
    assert [wrong(sessions, f"n{number}") for number in range(9)] == [SignInFailed] * 8 + [QuotaExceeded]
    by_address = [wrong(sessions, "chief@news.example", f"198.51.100.{n}") for n in range(9)]
    assert by_address == [SignInFailed] * 8 + [QuotaExceeded]


def test_attempts_at_once_do_not_slip_through_together(
    sessions: Sessions, admin: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "_turns", threading.BoundedSemaphore(12))
    outcomes: list[type[Exception]] = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(wrong(sessions, "chief@news.example")))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert outcomes.count(SignInFailed) == module.ATTEMPTS_PER_PAIR
    assert outcomes.count(QuotaExceeded) == 12 - module.ATTEMPTS_PER_PAIR


def test_a_good_sign_in_forgives_what_failed_before(sessions: Sessions, admin: Account) -> None:
    for _ in range(3):
        for _ in range(module.ATTEMPTS_PER_PAIR - 1):
            assert wrong(sessions, "chief@news.example") is SignInFailed
        assert sign_in(sessions)


def test_whoever_comes_while_hashes_are_computed_is_refused_at_once_and_not_counted(
    sessions: Sessions, admin: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = threading.BoundedSemaphore(1)
    taken.acquire()
    monkeypatch.setattr(passwords, "_turns", taken)
    for _ in range(module.ATTEMPTS_PER_PAIR + 1):
        with pytest.raises(Overloaded):
            sign_in(sessions)
    taken.release()
    assert sign_in(sessions)


def test_an_unknown_login_costs_the_same_hash(
    sessions: Sessions, admin: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock is not asked, it is too unsteady: counted are the hashes that are computed."""
    computed: list[str] = []
    hasher = passwords._hasher

    class Counting:
        def verify(self, known: str, password: str) -> bool:
            computed.append(known.rsplit("$", 2)[0])
            return hasher.verify(known, password)

        def __getattr__(self, name: str) -> Callable[..., object]:
            return getattr(hasher, name)  # type: ignore[no-any-return]

    monkeypatch.setattr(passwords, "_hasher", Counting())
    wrong(sessions, "chief@news.example")
    wrong(sessions, "nobody")
    # One each, with the same parameters.
    assert len(computed) == 2
    assert computed[0] == computed[1]


def test_hashes_of_old_parameters_are_renewed(
    sessions: Sessions, admin: Account, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    stronger = PasswordHasher(time_cost=2, memory_cost=128, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", stronger)
    sign_in(sessions)
    stored = store.accounts.get(admin.id)
    assert stored is not None
    assert not stronger.check_needs_rehash(stored.password_hash)
    assert sign_in(sessions)


def test_what_is_over_is_removed(sessions: Sessions, admin: Account, store: Store) -> None:
    sign_in(sessions)
    wrong(sessions, "nobody")
    settings = Settings(session_idle_minutes=60)
    purge(store, settings, datetime.now(UTC))
    with store.database.reading() as connection:
        assert len(connection.execute(sa.select(SessionRow)).all()) == 1
        assert len(connection.execute(sa.select(LoginFailuresRow)).all()) >= 1
    purge(store, settings, datetime.now(UTC) + timedelta(minutes=61))
    with store.database.reading() as connection:
        assert connection.execute(sa.select(SessionRow)).all() == []
        assert connection.execute(sa.select(LoginFailuresRow)).all() == []


def test_preferences_are_kept_by_owner(store: Store) -> None:
    store.accounts.set_preference("acc_1", "locale", "kk")
    store.accounts.set_preference("acc_1", "views", [{"name": "Ə", "query": "state=open"}])
    store.accounts.set_preference("acc_1", "locale", "tr")
    store.accounts.set_preference("local", "locale", "en")
    assert store.accounts.preferences("acc_1") == {
        "locale": "tr",
        "views": [{"name": "Ə", "query": "state=open"}],
    }
    store.accounts.set_preference("acc_1", "locale", None)
    assert set(store.accounts.preferences("acc_1")) == {"views"}
