"""Sessions: somebody signs in with a password and holds an opaque token until they sign out or stay away.

The token is 256 random bits; the database holds its SHA-256. A session ends when it is idle for too long,
after a time in any case, when its account is disabled or gets another password, and when somebody ends it.
Every sign-in makes a new token, so one that was planted before is worth nothing.
"""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from service.auth.accounts import Account, account_of, login_key
from service.auth.passwords import check_new, hash_password, is_outdated, verify
from service.auth.scopes import Caller
from service.errors import Forbidden, QuotaExceeded, Unauthenticated
from service.settings import Settings
from service.store.accounts import SqlAccountRepository, StoredAccount, StoredSession

log = logging.getLogger(__name__)

TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")
# `last_seen_at` decides about idleness, in minutes at least; a write per request would cost more.
SEEN_NOTED_EVERY_SECONDS: Final = 30.0
# Failed attempts in a window: for one login from one address, for one login from anywhere (many addresses,
# one victim), from one address (one address, many logins).
ATTEMPTS_PER_PAIR: Final = 5
ATTEMPTS_PER_LOGIN: Final = 50
ATTEMPTS_PER_ADDRESS: Final = 50
WINDOW: Final = timedelta(minutes=15)


class SignInFailed(Unauthenticated):
    """Wrong login, wrong password, or a disabled account: which of them is not told."""

    slug = "sign-in-failed"
    title = "Signing in failed"


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a session lasts without being used, and at most."""

    idle: timedelta
    absolute: timedelta


@dataclass(frozen=True, slots=True)
class StartedSession:
    """A session just begun, with the token that is never shown again."""

    token: str
    account: Account
    expires_at: datetime


class Sessions:
    """The sessions of one store. Safe to use from threads; every method asks the database, so an ended
    session is refused at once, by every process.
    """

    def __init__(self, repository: SqlAccountRepository, limits: SessionLimits) -> None:
        self._repository = repository
        self._limits = limits
        self._noted: dict[str, float] = {}
        self._lock = threading.Lock()

    def start(
        self, login: str, password: str, *, address: str, replacing: str | None = None
    ) -> StartedSession:
        """Sign in. `address` is where the attempt comes from, `replacing` the token of a session that ends.

        An unknown login takes as long as a wrong password and gives the same answer.

        Raises:
            SignInFailed: wrong login or password, or a disabled account.
            QuotaExceeded: too many attempts failed.
            Overloaded: see `service.auth.passwords`.
        """
        key = login_key(login[:400])
        subjects = _subjects(key, address)
        self._count_attempt(subjects)
        try:
            stored = self._repository.by_login(key)
            right = verify(password, stored.password_hash if stored is not None else None)
        except BaseException:
            # Not looked at: no attempt.
            self._repository.forgive_attempt(list(subjects))
            raise
        started = self._begin(stored, password, replacing) if right and stored is not None else None
        if started is None:
            log.warning("a sign-in from %s failed", address)
            raise SignInFailed("The login or the password is wrong.")
        self._repository.forgive_attempt(list(subjects), clear=[_pair(key, address)])
        return started

    def _begin(self, stored: StoredAccount, password: str, replacing: str | None) -> StartedSession | None:
        if stored.disabled_at is not None:
            return None
        token = secrets.token_urlsafe(32)
        now = datetime.now(UTC)
        expires_at = now + self._limits.absolute
        renewed = hash_password(password) if is_outdated(stored.password_hash) else None
        begun = self._repository.add_session(
            stored,
            _hash(token),
            now=now,
            expires_at=expires_at,
            replacing=_hash(replacing) if replacing is not None else None,
            password_hash=renewed,
        )
        return StartedSession(token, account_of(stored), expires_at) if begun else None

    def account(self, token: str) -> Account | None:
        """Whose session this is; None where the token is not (or no longer) good for anything."""
        if not TOKEN.fullmatch(token):
            return None
        token_hash = _hash(token)
        found = self._repository.session(token_hash)
        now = datetime.now(UTC)
        if found is None or not self._is_good(found, now):
            return None
        self._note_use(token_hash, found, now)
        return account_of(found.account)

    def caller(self, token: str) -> Caller | None:
        """Who holds this token, as a caller."""
        account = self.account(token)
        return None if account is None else Caller(account.id, account.name, account.scopes)

    def end(self, token: str) -> bool:
        """Sign out; says whether there was a session."""
        return self._repository.end_session(_hash(token))

    def change_password(self, token: str, current: str, new: str, *, address: str) -> StartedSession:
        """Change one's own password. All sessions of the account end; a new one begins.

        Raises:
            Unauthenticated: the session is over.
            Forbidden: the current password is wrong.
            InvalidInput: see `service.auth.passwords.check_new`.
            QuotaExceeded, Overloaded: see `start`.
        """
        found = self._repository.session(_hash(token)) if TOKEN.fullmatch(token) else None
        if found is None or not self._is_good(found, datetime.now(UTC)):
            raise Unauthenticated("The session is over; sign in again.")
        stored = found.account
        check_new(new, stored.login)
        # A stolen session must not be a place to guess the password at leisure.
        subjects = _subjects(stored.login_key, address)
        self._count_attempt(subjects)
        if not verify(current, stored.password_hash):
            raise Forbidden("The current password is wrong.")
        self._repository.forgive_attempt(list(subjects), clear=[_pair(stored.login_key, address)])
        values = {"password_hash": hash_password(new), "password_changed_at": datetime.now(UTC)}
        changed = self._repository.update(
            stored.id, values, action="account.password", version=stored.version, ends_sessions=True
        )
        started = self._begin(changed, new, None) if changed is not None else None
        if started is None:
            raise Unauthenticated("The account is disabled.")
        return started

    def _is_good(self, found: StoredSession, now: datetime) -> bool:
        idle_until = found.last_seen_at + self._limits.idle
        return found.account.disabled_at is None and now < min(found.expires_at, idle_until)

    def _count_attempt(self, subjects: dict[str, int]) -> None:
        now = datetime.now(UTC)
        wait = self._repository.count_attempt(subjects, now=now, window=WINDOW)
        if wait is not None:
            seconds = max(1.0, (wait - now).total_seconds())
            raise QuotaExceeded(
                "Too many attempts to sign in failed; wait and try again.", retry_after=seconds
            )

    def _note_use(self, token_hash: str, found: StoredSession, now: datetime) -> None:
        # A short idle limit needs a finer note than a long one.
        every = min(SEEN_NOTED_EVERY_SECONDS, self._limits.idle.total_seconds() / 4)
        if (now - found.last_seen_at).total_seconds() < every:
            return
        clock = time.monotonic()
        with self._lock:
            if clock - self._noted.get(token_hash, -every) < every:
                return
            if len(self._noted) > 10_000:
                self._noted.clear()
            self._noted[token_hash] = clock
        self._repository.touch_session(token_hash, now)


def limits_of(settings: Settings) -> SessionLimits:
    """The limits that the settings give."""
    return SessionLimits(
        timedelta(minutes=settings.session_idle_minutes), timedelta(hours=settings.session_hours)
    )


def _subjects(key: str, address: str) -> dict[str, int]:
    return {
        _pair(key, address): ATTEMPTS_PER_PAIR,
        _hash(f"login {key}"): ATTEMPTS_PER_LOGIN,
        _hash(f"address {address}"): ATTEMPTS_PER_ADDRESS,
    }


def _pair(key: str, address: str) -> str:
    return _hash(f"pair {address} {key}")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
