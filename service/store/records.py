"""The verified records in the database; implements `index.ports.RecordRepository`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.engine import Connection, Row

from index.passages import Passage
from index.ports import RecordFilter, StoredRecord
from index.records import VerifiedRecord
from index.times import end_of, start_of
from service.errors import PreconditionFailed
from service.store.audit_log import append
from service.store.documents import DocumentRepository, EmbeddedDocument, in_parts
from service.store.errors import StaleReadError
from service.store.models import RECORDS, DocumentRow, RecordRow, RecordVersionRow
from service.store.outbox import publish

WriteStatus = Literal["added", "updated", "unchanged"]

_RECORD_FIELDS = tuple(VerifiedRecord.model_fields)
_MOMENTS = ("published_at", "valid_from", "valid_to")


@dataclass(frozen=True, slots=True)
class PreparedRecord:
    """A record ready to be written.

    `content_hash` is of the record as it was given, before anything (its language) was filled in. `vectors`
    (n, d) is None where the record was found unchanged and nothing was embedded.
    """

    record: VerifiedRecord
    content_hash: str
    passages: tuple[Passage, ...]
    vectors: NDArray[np.float32] | None


@dataclass(frozen=True, slots=True)
class RecordVersion:
    """What a record said until it was replaced."""

    record: VerifiedRecord
    replaced_by: Literal["update", "delete"]
    replaced_at: datetime


class SqlRecordRepository(DocumentRepository):
    """Verified records; every method is one transaction. Safe to use from threads."""

    collection = RECORDS

    def get(self, record_id: str) -> VerifiedRecord | None:
        """The record with this id."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(RecordRow).where(RecordRow.id == record_id)).one_or_none()
        return None if row is None else _record(row)

    def revision_of(self, record_id: str, content_hash: str | None = None) -> int | None:
        """The revision of a record; with `content_hash`, only if that is what it says."""
        query = sa.select(DocumentRow.revision).join(RecordRow, RecordRow.number == DocumentRow.number)
        query = query.where(RecordRow.id == record_id)
        if content_hash is not None:
            query = query.where(RecordRow.content_hash == content_hash)
        with self._database.reading() as connection:
            return connection.execute(query).scalar_one_or_none()

    def get_with_revision(self, record_id: str) -> tuple[VerifiedRecord, int] | None:
        """The record with this id and its revision, both of one moment."""
        query = (
            sa.select(RecordRow, DocumentRow.revision)
            .join(DocumentRow, DocumentRow.number == RecordRow.number)
            .where(RecordRow.id == record_id)
        )
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else (_record(row), row.revision)

    def list(self, after: str | None = None, limit: int = 100) -> Sequence[VerifiedRecord]:
        """At most `limit` records in order of id, those with greater ids than `after`."""
        query = sa.select(RecordRow).where(RecordRow.id > (after or "")).order_by(RecordRow.id).limit(limit)
        with self._database.reading() as connection:
            return [_record(row) for row in connection.execute(query)]

    def count(self) -> int:
        """How many records there are."""
        with self._database.reading() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(RecordRow)).scalar_one()

    def versions(self, record_id: str) -> Sequence[RecordVersion]:
        """What the record said before, oldest first."""
        query = (
            sa.select(RecordVersionRow)
            .where(RecordVersionRow.record_id == record_id)
            .order_by(RecordVersionRow.version)
        )
        with self._database.reading() as connection:
            return [
                RecordVersion(VerifiedRecord.model_validate(row.content), row.replaced_by, row.replaced_at)
                for row in connection.execute(query)
            ]

    def content_hashes(self, record_ids: Collection[str]) -> dict[str, str]:
        """The content hashes of those of the records that exist."""
        with self._database.reading() as connection:
            return _content_hashes(connection, record_ids)

    def write(
        self,
        batch: Sequence[PreparedRecord],
        model_id: str,
        *,
        expected: Mapping[str, int] | None = None,
    ) -> Sequence[WriteStatus]:
        """Add or replace records, all in one transaction; returns what became of each.

        Ids must not repeat within the batch. `expected` holds the revisions that the caller has read, by id.
        Raises, and nothing is written then:
            StaleReadError: a record prepared as unchanged has changed meanwhile.
            PreconditionFailed: a record is not of the revision expected.
        """
        ids = {prepared.record.id for prepared in batch}
        if len(ids) < len(batch):
            raise ValueError("a batch must not hold the same record id twice")
        statuses: list[WriteStatus] = []
        changed: list[PreparedRecord] = []
        with self._database.writing() as connection:
            self._lock_revisions(connection)
            for record_id, revision in (expected or {}).items():
                _require_revision(connection, record_id, revision)
            known = _content_hashes(connection, ids)
            for prepared in batch:
                if known.get(prepared.record.id) == prepared.content_hash:
                    statuses.append("unchanged")
                    continue
                if prepared.vectors is None:
                    raise StaleReadError(prepared.record.id)
                changed.append(prepared)
                statuses.append("updated" if prepared.record.id in known else "added")
            if changed:
                self._write_changed(connection, changed, model_id)
        return statuses

    def delete(self, record_id: str, *, expected: int | None = None) -> bool:
        """Remove a record, keeping what it said as a version; says whether there was one.

        Raises PreconditionFailed where it is not of the revision `expected`.
        """
        with self._database.writing() as connection:
            self._lock_revisions(connection)
            if expected is not None:
                _require_revision(connection, record_id, expected)
            number = self._bury_document(connection, record_id)
            if number is None:
                return False
            _keep_versions(connection, [record_id], "delete")
            connection.execute(sa.delete(RecordRow).where(RecordRow.number == number))
            publish(connection, "records.changed", {"added": [], "updated": [], "removed": [record_id]})
            append(connection, "record.delete", record_id, {})
            return True

    def fetch(self, numbers: Collection[int]) -> Mapping[int, StoredRecord]:
        """The records with these numbers; missing ones were deleted."""
        found: dict[int, StoredRecord] = {}
        with self._database.reading() as connection:
            passages = self._passages(connection, numbers)
            for part in in_parts(numbers):
                for row in connection.execute(
                    sa.select(RecordRow, DocumentRow.revision)
                    .join(DocumentRow, DocumentRow.number == RecordRow.number)
                    .where(RecordRow.number.in_(part))
                ):
                    found[row.number] = StoredRecord(
                        row.number, row.revision, _record(row), tuple(passages[row.number])
                    )
        return found

    def among(self, numbers: Collection[int], record_filter: RecordFilter) -> set[int]:
        """Those of the numbers whose records pass the filter."""
        conditions = _conditions(record_filter)
        passed: set[int] = set()
        with self._database.reading() as connection:
            for part in in_parts(numbers):
                query = sa.select(RecordRow.number).where(RecordRow.number.in_(part), *conditions)
                passed.update(connection.execute(query).scalars())
        return passed

    def matching(self, record_filter: RecordFilter) -> NDArray[np.int64]:
        """The numbers of all records that pass the filter, ascending."""
        query = sa.select(RecordRow.number).where(*_conditions(record_filter)).order_by(RecordRow.number)
        with self._database.reading() as connection:
            return np.array(connection.execute(query).scalars().all(), dtype=np.int64)

    def changed(self, since: int, limit: int) -> Sequence[tuple[int, int]]:
        """Number and revision of the first `limit` records changed after a revision, in order of revision."""
        query = (
            sa.select(DocumentRow.number, DocumentRow.revision)
            .where(DocumentRow.collection == self.collection, DocumentRow.revision > since)
            .order_by(DocumentRow.revision)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [(number, revision) for number, revision in connection.execute(query)]

    def _fields(self, connection: Connection, numbers: Collection[int]) -> Mapping[int, Mapping[str, str]]:
        columns = (RecordRow.number, RecordRow.claim, RecordRow.title, RecordRow.text)
        return {
            row.number: {"claim": row.claim, "title": row.title, "text": row.text}
            for part in in_parts(numbers)
            for row in connection.execute(sa.select(*columns).where(RecordRow.number.in_(part)))
        }

    def _write_changed(
        self, connection: Connection, changed: Sequence[PreparedRecord], model_id: str
    ) -> None:
        placed = self._put_documents(connection, [prepared.record.id for prepared in changed])
        _keep_versions(connection, placed.replaced, "update")
        now = datetime.now(UTC)
        rows = [
            {"number": placed.numbers[prepared.record.id], "created_at": now, **_values(prepared, now)}
            for prepared in changed
        ]
        added = [row for row in rows if row["id"] not in placed.replaced]
        replaced = [row for row in rows if row["id"] in placed.replaced]
        if added:
            connection.execute(sa.insert(RecordRow), added)
        if replaced:
            connection.execute(_UPDATE, [{f"new_{name}": row[name] for name in row} for row in replaced])
        embedded = [
            EmbeddedDocument(placed.numbers[prepared.record.id], prepared.passages, prepared.vectors)
            for prepared in changed
            if prepared.vectors is not None
        ]
        self._put_passages(connection, embedded, model_id)
        written = {
            "added": [row["id"] for row in added],
            "updated": [row["id"] for row in replaced],
        }
        publish(connection, "records.changed", {**written, "removed": []})
        append(connection, "records.write", f"{len(rows)} records", written)


_UPDATE = (
    sa.update(RecordRow)
    .where(RecordRow.number == sa.bindparam("new_number"))
    .values(
        {
            column.name: sa.bindparam(f"new_{column.name}")
            for column in RecordRow.__table__.columns
            if column.name not in ("number", "id", "created_at")
        }
    )
)


def _require_revision(connection: Connection, record_id: str, revision: int) -> None:
    query = (
        sa.select(DocumentRow.revision)
        .join(RecordRow, RecordRow.number == DocumentRow.number)
        .where(RecordRow.id == record_id)
    )
    if connection.execute(query).scalar_one_or_none() != revision:
        raise PreconditionFailed("The record was changed or removed since; read it again.")


def _content_hashes(connection: Connection, record_ids: Collection[str]) -> dict[str, str]:
    return {
        row.id: row.content_hash
        for part in in_parts(record_ids)
        for row in connection.execute(
            sa.select(RecordRow.id, RecordRow.content_hash).where(RecordRow.id.in_(part))
        )
    }


def _keep_versions(connection: Connection, record_ids: Collection[str], replaced_by: str) -> None:
    now = datetime.now(UTC)
    for part in in_parts(record_ids):
        versions = [
            {
                "record_id": row.id,
                "content": _record(row).model_dump(mode="json"),
                "replaced_by": replaced_by,
                "replaced_at": now,
            }
            for row in connection.execute(
                sa.select(RecordRow).where(RecordRow.id.in_(part)).order_by(RecordRow.number)
            )
        ]
        connection.execute(sa.insert(RecordVersionRow), versions)


def _values(prepared: PreparedRecord, now: datetime) -> dict[str, Any]:
    record = prepared.record
    values: dict[str, Any] = record.model_dump()
    for name in _MOMENTS:
        moment: date | None = values[name]
        values[name] = None if moment is None else moment.isoformat()
    return {
        **values,
        "first_valid": None if record.valid_from is None else start_of(record.valid_from),
        "last_valid": None if record.valid_to is None else end_of(record.valid_to),
        "content_hash": prepared.content_hash,
        "updated_at": now,
    }


def _record(row: Row[*tuple[Any, ...]]) -> VerifiedRecord:
    return VerifiedRecord.model_validate({name: getattr(row, name) for name in _RECORD_FIELDS})


def _conditions(record_filter: RecordFilter) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if record_filter.as_of is not None:
        first, last = RecordRow.first_valid, RecordRow.last_valid
        conditions.append(sa.or_(first.is_(None), first <= end_of(record_filter.as_of)))
        conditions.append(sa.or_(last.is_(None), last >= start_of(record_filter.as_of)))
    if record_filter.languages is not None:
        tags = sorted(record_filter.languages)
        # "uz" also finds "uz-cyrl".
        subtags = [RecordRow.language.like(f"{tag}-%") for tag in tags]
        conditions.append(sa.or_(RecordRow.language.in_(tags), *subtags))
    if record_filter.publishers is not None:
        conditions.append(RecordRow.publisher.in_(sorted(record_filter.publishers)))
    return conditions
