"""Audits and their items.

An audit's results are always those of its first `done` items: they are added in order, and only behind the
last one, so that two processes working on the same audit can neither lose nor repeat any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final, Literal, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from service.errors import Conflict, NotFound
from service.store.audit_log import append
from service.store.audit_models import AuditItemRow, AuditRunRow
from service.store.database import Database
from service.store.outbox import publish

AuditState = Literal["receiving", "queued", "running", "done", "failed", "cancelled"]
UNFINISHED: Final = ("queued", "running")


@dataclass(frozen=True, slots=True)
class AuditRun:
    """A row of the table; see `AuditRunRow`."""

    id: str
    state: AuditState
    kind: str
    source: str
    format: str
    path: str | None
    checks: list[str]
    target_fpr: float | None
    created_by: str
    created_at: datetime
    seen_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    total: int | None = None
    done: int = 0
    refused: int = 0
    reused: int = 0
    seconds: float = 0.0
    error: str | None = None
    attempted: int | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class StoredResult:
    """The result of one item, as it is stored. `refused`: it is an error; `reused`: an earlier item of the
    audit was the same.
    """

    number: int
    result: bytes
    facts: Mapping[str, Any]
    refused: bool = False
    reused: bool = False


_FIELDS = tuple(field.name for field in fields(AuditRun))
_ROW = AuditRunRow
_ITEM = AuditItemRow


class SqlAuditRepository:
    """Every method is one transaction. Safe to use from threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, run: AuditRun) -> None:
        """Begin an audit; it is not acknowledged before `queue`."""
        with self._database.writing() as connection:
            connection.execute(sa.insert(_ROW).values(**{name: getattr(run, name) for name in _FIELDS}))

    def add_items(self, audit_id: str, first: int, inputs: Sequence[bytes], at: datetime) -> None:
        """Items with the numbers from `first` on."""
        with self._database.writing() as connection:
            number = _number(connection, audit_id)
            rows = [
                {"audit": number, "number": first + place, "input": content}
                for place, content in enumerate(inputs)
            ]
            connection.execute(sa.insert(_ITEM), rows)
            connection.execute(sa.update(_ROW).where(_ROW.number == number).values(seen_at=at))

    def drop_items(self, audit_id: str) -> None:
        """Forget items that were not all taken in."""
        with self._database.writing() as connection:
            connection.execute(sa.delete(_ITEM).where(_ITEM.audit == _number(connection, audit_id)))

    def all_taken_in(self, audit_id: str, total: int) -> None:
        """All items of a path are there."""
        with self._database.writing() as connection:
            _update(connection, audit_id, total=total, path=None)

    def queue(self, audit_id: str, total: int | None) -> AuditRun:
        """Accept an audit, with so many items; None where they are still to be read."""
        with self._database.writing() as connection:
            _update(connection, audit_id, state="queued", total=total)
            run = _get(connection, audit_id)
            told = {"kind": run.kind, "source": run.source, "items": total, "checks": run.checks}
            append(connection, "audit.create", audit_id, told)
            return run

    def remove(self, audit_id: str) -> None:
        """Forget an audit that was never accepted."""
        with self._database.writing() as connection:
            connection.execute(sa.delete(_ROW).where(_ROW.id == audit_id, _ROW.state == "receiving"))

    def get(self, audit_id: str) -> AuditRun:
        """The audit with this id. Raises NotFound."""
        with self._database.reading() as connection:
            return _get(connection, audit_id)

    def list(self, before: str | None = None, limit: int = 100) -> Sequence[AuditRun]:
        """At most `limit` accepted audits, the newest first; those older than the audit `before`."""
        query = _RUNS.where(_ROW.state != "receiving").order_by(_ROW.number.desc()).limit(limit)
        if before is not None:
            query = query.where(
                _ROW.number < sa.select(_ROW.number).where(_ROW.id == before).scalar_subquery()
            )
        with self._database.reading() as connection:
            return [_run(row) for row in connection.execute(query)]

    def unfinished(self, unseen_since: datetime | None = None) -> Sequence[str]:
        """The ids of audits that wait or run, oldest first; those nobody has worked on since then."""
        query = sa.select(_ROW.id).where(_ROW.state.in_(UNFINISHED)).order_by(_ROW.number)
        if unseen_since is not None:
            query = query.where(_ROW.seen_at < unseen_since)
        with self._database.reading() as connection:
            return list(connection.execute(query).scalars())

    def begin(self, audit_id: str, at: datetime) -> AuditRun | None:
        """Set an audit running that waits or was interrupted; None where it has ended or is gone."""
        started = sa.func.coalesce(_ROW.started_at, at)
        with self._database.writing() as connection:
            if not _update(connection, audit_id, UNFINISHED, state="running", started_at=started, seen_at=at):
                return None
            return _get(connection, audit_id)

    def seen(self, audit_id: str, at: datetime) -> None:
        """Note that somebody still works on an audit, though no result came."""
        with self._database.writing() as connection:
            _update(connection, audit_id, seen_at=at)

    def attempt(self, audit_id: str, number: int) -> int:
        """Note that an item is begun at a start; returns how often it was, with no other result since."""
        again = sa.case((_ROW.attempted == number, _ROW.attempts + 1), else_=1)
        with self._database.writing() as connection:
            _update(connection, audit_id, attempted=number, attempts=again)
            return _get(connection, audit_id).attempts

    def items(self, audit_id: str, first: int, limit: int) -> Sequence[tuple[int, bytes]]:
        """At most `limit` inputs with their numbers, from the item `first` on."""
        query = (
            sa.select(_ITEM.number, _ITEM.input)
            .join(_ROW, _ROW.number == _ITEM.audit)
            .where(_ROW.id == audit_id, _ITEM.number >= first, _ITEM.input.is_not(None))
            .order_by(_ITEM.number)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [(row.number, row.input) for row in connection.execute(query)]

    def keep(self, audit_id: str, results: Sequence[StoredResult], seconds: float, at: datetime) -> bool:
        """Store results that follow one another, directly behind those that are there; they took `seconds`.

        False, and nothing is stored, where the audit does not run any more or somebody else was faster.
        """
        first = results[0].number
        with self._database.writing() as connection:
            changed = connection.execute(
                sa.update(_ROW)
                .where(_ROW.id == audit_id, _ROW.state == "running", _ROW.done == first)
                .values(
                    done=first + len(results),
                    refused=_ROW.refused + sum(result.refused for result in results),
                    reused=_ROW.reused + sum(result.reused for result in results),
                    seconds=_ROW.seconds + seconds,
                    seen_at=at,
                )
            )
            if changed.rowcount == 0:
                return False
            number = _number(connection, audit_id)
            # What was sent is needed no longer.
            table = cast(sa.Table, _ITEM.__table__)
            connection.execute(
                sa.update(table)
                .where(table.c.audit == number, table.c.number == sa.bindparam("place"))
                .values(
                    input=None, result=sa.bindparam("packed"), facts=sa.bindparam("told", type_=sa.JSON())
                ),
                [
                    {"place": result.number, "packed": result.result, "told": dict(result.facts)}
                    for result in results
                ],
            )
            return True

    def finish(self, audit_id: str, at: datetime, error: str | None = None) -> None:
        """End a running audit: done, or failed with an error. Nothing where it has ended before."""
        state: AuditState = "done" if error is None else "failed"
        with self._database.writing() as connection:
            _end(connection, audit_id, ("running",), state, at, error)

    def cancel(self, audit_id: str, at: datetime) -> AuditRun:
        """End an audit where it is; its results so far stay. Cancelling twice is no mistake.

        Raises:
            NotFound: there is no such audit.
            Conflict: it has ended otherwise.
        """
        with self._database.writing() as connection:
            if not _end(connection, audit_id, UNFINISHED, "cancelled", at, None):
                run = _get(connection, audit_id)
                if run.state != "cancelled":
                    raise Conflict(f"The audit has ended: it is {run.state}.")
            return _get(connection, audit_id)

    def results(self, audit_id: str, first: int, limit: int) -> Sequence[tuple[int, bytes]]:
        """At most `limit` results with their numbers, in order, from the item `first` on."""
        with self._database.reading() as connection:
            return [
                (row.number, row.result)
                for row in connection.execute(_part(_ITEM.result, audit_id, first, limit))
            ]

    def facts(self, audit_id: str, first: int, limit: int) -> Sequence[tuple[int, dict[str, Any]]]:
        """At most `limit` facts with the numbers of their items, in order, from the item `first` on."""
        with self._database.reading() as connection:
            return [
                (row.number, row.facts)
                for row in connection.execute(_part(_ITEM.facts, audit_id, first, limit))
            ]

    def purge(self, abandoned_before: datetime, ended_before: datetime | None) -> int:
        """Remove uploads that never became audits, and audits that ended before then; returns how many
        audits.
        """
        with self._database.writing() as connection:
            connection.execute(
                sa.delete(_ROW).where(_ROW.state == "receiving", _ROW.seen_at < abandoned_before)
            )
            if ended_before is None:
                return 0
            ended = connection.execute(
                sa.delete(_ROW).where(_ROW.finished_at < ended_before).returning(_ROW.id)
            ).scalars()
            ids = list(ended)
            if ids:
                append(connection, "audits.remove", f"{len(ids)} audits", {"ids": ids[:100]})
            return len(ids)


_RUNS = sa.select(_ROW)


def _part(
    column: sa.orm.InstrumentedAttribute[Any], audit_id: str, first: int, limit: int
) -> sa.Select[tuple[int, Any]]:
    return (
        sa.select(_ITEM.number, column)
        .join(_ROW, _ROW.number == _ITEM.audit)
        .where(_ROW.id == audit_id, _ITEM.number >= first, _ITEM.number < _ROW.done)
        .order_by(_ITEM.number)
        .limit(limit)
    )


def _number(connection: Connection, audit_id: str) -> int:
    number = connection.execute(sa.select(_ROW.number).where(_ROW.id == audit_id)).scalar_one_or_none()
    if number is None:
        raise NotFound("No audit has this id.")
    return int(number)


def _get(connection: Connection, audit_id: str) -> AuditRun:
    row = connection.execute(_RUNS.where(_ROW.id == audit_id)).one_or_none()
    if row is None or row.state == "receiving":
        raise NotFound("No audit has this id.")
    return _run(row)


def _run(row: Row[*tuple[Any, ...]]) -> AuditRun:
    return AuditRun(**{name: getattr(row, name) for name in _FIELDS})


def _update(
    connection: Connection, audit_id: str, states: Sequence[str] | None = None, **values: Any
) -> bool:
    query = sa.update(_ROW).where(_ROW.id == audit_id).values(**values)
    if states is not None:
        query = query.where(_ROW.state.in_(states))
    return connection.execute(query).rowcount == 1


def _end(
    connection: Connection,
    audit_id: str,
    states: Sequence[str],
    state: AuditState,
    at: datetime,
    error: str | None,
) -> bool:
    if not _update(connection, audit_id, states, state=state, finished_at=at, error=error, path=None):
        return False
    run = _get(connection, audit_id)
    # What was not analysed is not kept: nobody will.
    connection.execute(
        sa.delete(_ITEM).where(_ITEM.audit == _number(connection, audit_id), _ITEM.number >= run.done)
    )
    told = {"state": state, "items": run.total, "done": run.done, "refused": run.refused}
    if state != "cancelled":
        publish(
            connection,
            "audit.finished" if state == "done" else "audit.failed",
            {"audit_id": run.id, "kind": run.kind, "error": error, **told},
        )
    append(connection, f"audit.{'cancel' if state == 'cancelled' else 'end'}", audit_id, told)
    return True
