"""Passwords by Argon2id (RFC 9106, the profile for little memory: 64 MiB, 3 passes).

Hashing is slow on purpose, so only a few at a time are computed: whoever sends many is refused at once and
takes neither the memory nor the threads of other callers.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from service.errors import InvalidInput, Overloaded

MIN_LENGTH: Final = 12
# Longer than any passphrase; a limit keeps hashing time from growing with what is sent.
MAX_LENGTH: Final = 256
AT_ONCE: Final = 2

_turns = threading.BoundedSemaphore(AT_ONCE)
_hasher = PasswordHasher()


def check_new(password: str, login: str) -> None:
    """Whether a password may be taken.

    Raises:
        InvalidInput: too short, too long, the login itself, or one character over and over.
    """
    reason = None
    if len(password) < MIN_LENGTH:
        reason = f"A password must have at least {MIN_LENGTH} characters."
    elif len(password) > MAX_LENGTH:
        reason = f"A password may have at most {MAX_LENGTH} characters."
    elif len(set(password)) < 4 or login.casefold() in password.casefold():
        reason = "This password is too easy to guess."
    if reason is not None:
        raise InvalidInput(reason, pointer="#/password")


def hash_password(password: str) -> str:
    """The hash to keep. Raises Overloaded."""
    with _turn():
        return _hasher.hash(password)


def verify(password: str, known: str | None) -> bool:
    """Whether the password belongs to the hash; None (no such account) takes as long and is never right.

    Raises Overloaded.
    """
    with _turn():
        try:
            good = _hasher.verify(known if known is not None else _nobodys_hash(), password)
        except (VerificationError, InvalidHashError):
            return False
        return good and known is not None


def is_outdated(known: str) -> bool:
    """Whether a hash was made with other parameters than those of today."""
    return _hasher.check_needs_rehash(known)


@cache
def _nobodys_hash() -> str:
    return _hasher.hash(secrets.token_hex(16))


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(blocking=False):
        raise Overloaded("Many people are signing in at this moment; try again.", retry_after=1)
    try:
        yield
    finally:
        _turns.release()
