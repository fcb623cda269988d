"""Accounts of people: made, listed, changed, disabled. Sessions are in `service.auth.sessions`."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypedDict, cast

from service.auth.passwords import check_new, hash_password
from service.auth.scopes import Caller, Role, Scope, scopes_of
from service.errors import Conflict, Forbidden, InvalidInput, NotFound
from service.store.accounts import SqlAccountRepository, StoredAccount

LOGIN: Final = re.compile(r"[^\s\x00-\x1f\x7f]{2,200}")


@dataclass(frozen=True, slots=True)
class Account:
    """What may be shown of an account."""

    id: str
    version: int
    login: str
    name: str
    role: Role
    state: Literal["active", "disabled"]
    created_by: str
    created_at: datetime
    last_login_at: datetime | None
    password_changed_at: datetime
    disabled_at: datetime | None

    @property
    def scopes(self) -> frozenset[Scope]:
        """What its owner may do."""
        return scopes_of(self.role)


class AccountChanges(TypedDict, total=False):
    """What may change after an account was made."""

    name: str
    role: Role
    disabled: bool


class Accounts:
    """The accounts of one store. Safe to use from threads."""

    def __init__(self, repository: SqlAccountRepository) -> None:
        self._repository = repository

    def create(self, login: str, name: str, role: Role, password: str, *, by: Caller) -> Account:
        """Make an account for `by`.

        Raises:
            InvalidInput: an impossible login or password, or a first account that is no admin's while there
                is no key either: it would lock everybody out.
            Conflict: another account has the login.
            Forbidden: it could do what its maker may not.
        """
        if not LOGIN.fullmatch(login):
            raise InvalidInput("A login has 2 to 200 characters and no spaces.", pointer="#/login")
        _must_not_exceed(role, by)
        check_new(password, login)
        now = datetime.now(UTC)
        values: dict[str, Any] = {
            "id": "acc_" + secrets.token_hex(6),
            "version": 1,
            "login": login,
            "login_key": login_key(login),
            "name": name,
            "role": role,
            "password_hash": hash_password(password),
            "password_changed_at": now,
            "created_by": by.id,
            "created_at": now,
        }
        if self._repository.anyone():
            self._repository.add(values)
        elif role != "admin":
            raise InvalidInput("The first account must be an admin's.", pointer="#/role")
        elif not self._repository.add(values, only_as_first=True):
            raise Forbidden("Somebody else was let in at this moment; sign in there.")
        return self.get(values["id"])

    def get(self, account_id: str) -> Account:
        """One account. Raises NotFound."""
        return account_of(_present(self._repository.get(account_id)))

    def find(self, login: str) -> Account:
        """The account with this login. Raises NotFound."""
        return account_of(_present(self._repository.by_login(login_key(login))))

    def list(self, after: str | None = None, limit: int = 100) -> Sequence[Account]:
        """Accounts in order of creation, those made after the account with the id `after`."""
        return [account_of(stored) for stored in self._repository.list(after, limit)]

    def update(
        self, account_id: str, changes: AccountChanges, *, version: int | None = None, by: Caller
    ) -> Account:
        """Change the name or role of an account, disable it (which ends its sessions) or enable it again.

        Raises:
            NotFound, PreconditionFailed: see `SqlAccountRepository.update`.
            Forbidden: it may, or would, do what `by` may not.
            Conflict: somebody would disable or demote themselves, and perhaps nobody could undo it.
        """
        known = self.get(account_id)
        _must_not_exceed(known.role, by)
        values: dict[str, Any] = {}
        if "name" in changes:
            values["name"] = changes["name"]
        if "role" in changes:
            _must_not_exceed(changes["role"], by)
            values["role"] = changes["role"]
        if "disabled" in changes and changes["disabled"] != (known.state == "disabled"):
            values["disabled_at"] = datetime.now(UTC) if changes["disabled"] else None
        if known.id == by.id and (values.get("role", known.role) != known.role or values.get("disabled_at")):
            raise Conflict("You cannot disable your own account or change its role; ask another admin.")
        return account_of(
            _present(
                self._repository.update(
                    account_id,
                    values,
                    action="account.update",
                    version=version,
                    ends_sessions=values.get("disabled_at") is not None,
                )
            )
        )

    def set_password(self, account_id: str, password: str, *, by: Caller) -> Account:
        """Give an account another password, which ends its sessions; for somebody who forgot theirs.

        Raises:
            NotFound; InvalidInput: see `service.auth.passwords.check_new`.
            Forbidden: the account may do what `by` may not.
        """
        known = self.get(account_id)
        _must_not_exceed(known.role, by)
        check_new(password, known.login)
        values = {"password_hash": hash_password(password), "password_changed_at": datetime.now(UTC)}
        return account_of(
            _present(
                self._repository.update(account_id, values, action="account.password", ends_sessions=True)
            )
        )

    def end_sessions(self, account_id: str, *, by: Caller) -> int:
        """Sign an account out everywhere; returns how many sessions ended.

        Raises:
            NotFound.
            Forbidden: the account may do what `by` may not.
        """
        _must_not_exceed(self.get(account_id).role, by)
        return self._repository.end_sessions(account_id) or 0


def login_key(login: str) -> str:
    """A login as it is compared: neither case nor the way that a letter is put together counts."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", login).casefold())


def account_of(stored: StoredAccount) -> Account:
    """What may be shown of a row."""
    return Account(
        id=stored.id,
        version=stored.version,
        login=stored.login,
        name=stored.name,
        role=cast(Role, stored.role),
        state="active" if stored.disabled_at is None else "disabled",
        created_by=stored.created_by,
        created_at=stored.created_at,
        last_login_at=stored.last_login_at,
        password_changed_at=stored.password_changed_at,
        disabled_at=stored.disabled_at,
    )


def _must_not_exceed(role: Role, by: Caller) -> None:
    beyond = sorted(scopes_of(role) - by.scopes)
    if beyond:
        raise Forbidden(f"You lack {', '.join(beyond)}, which the role {role} has.")


def _present(stored: StoredAccount | None) -> StoredAccount:
    if stored is None:
        raise NotFound("There is no such account.")
    return stored
