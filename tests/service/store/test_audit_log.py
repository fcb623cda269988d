"""The audit log tells what was done, and that it was not changed since."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.records import VerifiedRecord
from service.auth.actor import COMMAND_LINE, acting_as
from service.records import RecordIngest
from service.store import Store, StoreError
from service.store.access_models import AuditRow
from service.store.audit_log import append

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abcçığ", max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


def write(store: Store, subject: str = "x", action: str = "test.write", **detail: Any) -> None:
    with store.database.writing() as connection:
        append(connection, action, subject, detail)


def unguarded(store: Store, *statements: sa.Executable) -> None:
    """Do what somebody with the database's password could do."""
    with store.database.writing() as connection:
        if store.database.is_sqlite:
            for verb in ("UPDATE", "DELETE"):
                connection.execute(sa.text(f"DROP TRIGGER audit_log_no_{verb}"))
        else:
            connection.execute(sa.text("ALTER TABLE audit_log DISABLE TRIGGER USER"))
        for statement in statements:
            connection.execute(statement)


def test_writes_are_told_with_who_made_them(store: Store, ingest: RecordIngest) -> None:
    record = VerifiedRecord(id="r1", claim="Көпір 2019 жылы ашылды.", language="kk")
    with acting_as("0f3a9c2b7d41"):
        list(ingest.add([record]))
        list(ingest.add([record]))
    list(ingest.add([record.model_copy(update={"rating": "True"})]))
    store.records.delete("r1")
    store.records.delete("r1")
    entries = store.audit_log.list()
    assert [(entry.number, entry.action, entry.actor, entry.detail) for entry in entries] == [
        (1, "records.write", "0f3a9c2b7d41", {"added": ["r1"], "updated": []}),
        (2, "records.write", COMMAND_LINE, {"added": [], "updated": ["r1"]}),
        (3, "record.delete", COMMAND_LINE, {}),
    ]
    assert (datetime.now(UTC) - entries[-1].at).total_seconds() < 60
    assert store.audit_log.list(after=2) == [entries[2]]


def test_what_is_undone_is_not_told(store: Store) -> None:
    def fail() -> None:
        with store.database.writing() as connection:
            append(connection, "test.write", "x", {})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert store.audit_log.list() == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(detail=st.dictionaries(st.text("abcçığ", max_size=5), JSON, max_size=3))
def test_any_detail_is_verified_as_it_was_written(store: Store, detail: dict[str, Any]) -> None:
    with store.database.writing() as connection:
        append(connection, "test.write", "ə" * 200, detail)
    found = store.audit_log.verify()
    assert found.broken_at is None
    assert store.audit_log.list(found.entries - 1)[0].detail == detail


def test_entries_cannot_be_changed_or_removed(store: Store) -> None:
    write(store)
    for statement in (sa.update(AuditRow).values(actor="nobody"), sa.delete(AuditRow)):
        with pytest.raises(StoreError, match="append-only"), store.database.writing() as connection:
            connection.execute(statement)
    assert len(store.audit_log.list()) == 1


@pytest.mark.parametrize(
    ("statement", "broken_at", "reason"),
    [
        (sa.update(AuditRow).where(AuditRow.number == 3).values(actor="nobody"), 3, "changed"),
        (sa.update(AuditRow).where(AuditRow.number == 3).values(detail={"n": 9}), 3, "changed"),
        (sa.delete(AuditRow).where(AuditRow.number == 3), 4, "entry 3 is missing"),
        (sa.delete(AuditRow).where(AuditRow.number == 1), 2, "entry 1 is missing"),
        (sa.update(AuditRow).where(AuditRow.number == 3).values(previous="0" * 64), 3, "does not follow"),
    ],
)
def test_whoever_changes_it_behind_the_service_is_noticed(
    store: Store, statement: sa.Executable, broken_at: int, reason: str
) -> None:
    for number in range(5):
        write(store, n=number)
    unguarded(store, statement)
    found = store.audit_log.verify()
    assert found.broken_at == broken_at
    assert reason in (found.reason or "")


def test_a_log_that_was_cut_off_is_noticed_by_a_hash_noted_before(store: Store) -> None:
    for number in range(4):
        write(store, n=number)
    noted = store.audit_log.verify().head
    write(store)
    assert store.audit_log.verify(noted).broken_at is None
    unguarded(store, sa.delete(AuditRow).where(AuditRow.number >= 4))
    assert store.audit_log.verify().broken_at is None
    found = store.audit_log.verify(noted)
    assert (found.entries, found.broken_at) == (3, 4)


def test_writers_at_once_make_one_chain(store: Store) -> None:
    start = threading.Barrier(4)

    def work(name: str) -> None:
        start.wait()
        for number in range(8):
            write(store, f"{name}-{number}")

    threads = [threading.Thread(target=work, args=(f"t{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    found = store.audit_log.verify()
    assert (found.entries, found.broken_at) == (32, None)
    assert len({entry.subject for entry in store.audit_log.list()}) == 32
