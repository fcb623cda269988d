"""What records and articles have in common in the database: numbers, revisions, passages, vectors.

`DocumentRepository` implements `index.ports.PassageRepository`; the two collections inherit from it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar, TypeVarTuple

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.engine import Connection

from index.passages import MAX_PASSAGES, Passage
from index.ports import Change, PassageVector, UnembeddedPassage
from service.errors import InvalidInput
from service.store.database import Database
from service.store.models import CounterRow, DocumentRow, MetaRow, PassageRow, VectorRow

# SQLite takes 32,766 parameters in one statement.
_MAX_IN = 10_000

_LITTLE_FLOAT = np.dtype("<f4")

Item = TypeVar("Item")
Columns = TypeVarTuple("Columns")


def in_parts(values: Collection[Item]) -> Iterator[list[Item]]:
    """Values in lists short enough for one statement."""
    listed = list(values)
    for first in range(0, len(listed), _MAX_IN):
        yield listed[first : first + _MAX_IN]


class DocumentRepository(ABC):
    """Numbers, revisions, passages and vectors of one collection."""

    collection: str

    def __init__(self, database: Database) -> None:
        self._database = database

    @abstractmethod
    def _fields(self, connection: Connection, numbers: Collection[int]) -> Mapping[int, Mapping[str, str]]:
        """The texts of the fields that passages lie in, by document number."""

    def store_id(self) -> str:
        """Identity of the database: a snapshot made from another one must not be loaded."""
        with self._database.reading() as connection:
            return connection.execute(sa.select(MetaRow.value).where(MetaRow.name == "store_id")).scalar_one()

    def revision(self) -> int:
        """The revision of the last committed change; 0 for a collection that never had one."""
        with self._database.reading() as connection:
            return connection.execute(
                sa.select(CounterRow.value).where(CounterRow.name == self.collection)
            ).scalar_one()

    def count_passages(self) -> int:
        """How many passages the collection holds."""
        query = sa.select(sa.func.count()).select_from(PassageRow).join(DocumentRow)
        with self._database.reading() as connection:
            return connection.execute(query.where(DocumentRow.collection == self.collection)).scalar_one()

    def changes(self, since: int, *, model_id: str, dimension: int, limit: int) -> Sequence[Change]:
        """The first `limit` documents with a revision after `since`, in order of revision."""
        with self._database.reading() as connection:
            documents = connection.execute(
                sa.select(DocumentRow.number, DocumentRow.revision)
                .where(DocumentRow.collection == self.collection, DocumentRow.revision > since)
                .order_by(DocumentRow.revision)
                .limit(limit)
            ).all()
            numbers = [number for number, _ in documents]
            counted = sa.select(PassageRow.number, sa.func.count()).where(PassageRow.number.in_(numbers))
            counts = {row[0]: row[1] for row in connection.execute(counted.group_by(PassageRow.number))}
            blobs: dict[int, list[bytes]] = defaultdict(list)
            for number, blob in connection.execute(
                sa.select(VectorRow.number, VectorRow.vector)
                .where(VectorRow.number.in_(numbers), VectorRow.model_id == model_id)
                .order_by(VectorRow.number, VectorRow.ordinal)
            ):
                blobs[number].append(blob)
        return [
            Change(
                number=number,
                revision=revision,
                passages=counts.get(number, 0),
                vectors=_read_vectors(blobs[number], dimension),
            )
            for number, revision in documents
        ]

    def unembedded(
        self, model_id: str, *, since: int, after: tuple[int, int], limit: int
    ) -> Sequence[UnembeddedPassage]:
        """Passages without a vector of `model_id`, of documents changed after revision `since`.

        Ordered by (number, ordinal); only those greater than `after`.
        """
        number, ordinal = after
        query = (
            self._without_vector(sa.select(PassageRow), model_id)
            .where(DocumentRow.revision > since)
            .where(
                sa.or_(
                    PassageRow.number > number,
                    sa.and_(PassageRow.number == number, PassageRow.ordinal > ordinal),
                )
            )
            .order_by(PassageRow.number, PassageRow.ordinal)
            .limit(limit)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
            fields = self._fields(connection, {row.number for row in rows})
        return [
            UnembeddedPassage(
                row.number, row.ordinal, fields[row.number][row.field][row.start_char : row.end_char]
            )
            for row in rows
        ]

    def count_unembedded(self, model_id: str) -> int:
        """How many passages have no vector of `model_id`."""
        query = self._without_vector(sa.select(sa.func.count()).select_from(PassageRow), model_id)
        with self._database.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def add_vectors(self, model_id: str, vectors: Iterable[PassageVector]) -> None:
        """Store vectors in one transaction, without those of passages that vanished meanwhile."""
        given = {(vector.number, vector.ordinal): vector for vector in vectors}
        with self._database.writing() as connection:
            for part in in_parts({number for number, _ in given}):
                missing = connection.execute(
                    self._without_vector(sa.select(PassageRow.number, PassageRow.ordinal), model_id).where(
                        PassageRow.number.in_(part)
                    )
                )
                rows = [
                    _vector_row(number, ordinal, model_id, given[number, ordinal].vector)
                    for number, ordinal in missing
                    if (number, ordinal) in given
                ]
                if rows:
                    connection.execute(sa.insert(VectorRow), rows)

    def _without_vector(self, query: sa.Select[*Columns], model_id: str) -> sa.Select[*Columns]:
        embedded = sa.exists().where(
            VectorRow.number == PassageRow.number,
            VectorRow.ordinal == PassageRow.ordinal,
            VectorRow.model_id == model_id,
        )
        return query.join(DocumentRow, DocumentRow.number == PassageRow.number).where(
            DocumentRow.collection == self.collection, ~embedded
        )

    def _passages(self, connection: Connection, numbers: Collection[int]) -> Mapping[int, list[Passage]]:
        found: dict[int, list[Passage]] = defaultdict(list)
        for part in in_parts(numbers):
            for row in connection.execute(
                sa.select(PassageRow)
                .where(PassageRow.number.in_(part))
                .order_by(PassageRow.number, PassageRow.ordinal)
            ):
                found[row.number].append(Passage(row.field, row.start_char, row.end_char))
        return found

    def _lock_revisions(self, connection: Connection) -> None:
        """Let no other writer of the collection in until the commit: what is read from here on stays true.

        SQLite's writing transactions are alone anyway; elsewhere the counter's row is the lock.
        """
        connection.execute(
            sa.select(CounterRow.value).where(CounterRow.name == self.collection).with_for_update()
        )

    def _next_revision(self, connection: Connection) -> int:
        """Take the next revision; the counter stays locked until the commit: revisions follow commits."""
        return connection.execute(
            sa.update(CounterRow)
            .where(CounterRow.name == self.collection)
            .values(value=CounterRow.value + 1)
            .returning(CounterRow.value)
        ).scalar_one()

    def _put_document(self, connection: Connection, key: str) -> tuple[int, bool]:
        """Give a document its new revision; returns its number and whether it is new (or was deleted)."""
        revision = self._next_revision(connection)
        known = connection.execute(
            sa.select(DocumentRow.number, DocumentRow.deleted).where(
                DocumentRow.collection == self.collection, DocumentRow.key == key
            )
        ).one_or_none()
        if known is not None:
            connection.execute(
                sa.update(DocumentRow)
                .where(DocumentRow.number == known.number)
                .values(revision=revision, deleted=False)
            )
            return known.number, known.deleted
        number = connection.execute(
            sa.insert(DocumentRow)
            .values(collection=self.collection, key=key, revision=revision, deleted=False)
            .returning(DocumentRow.number)
        ).scalar_one()
        return number, True

    def _bury_document(self, connection: Connection, key: str) -> int | None:
        """Leave a tombstone with a new revision; returns the number, None where there is no such document."""
        number = connection.execute(
            sa.select(DocumentRow.number).where(
                DocumentRow.collection == self.collection,
                DocumentRow.key == key,
                sa.not_(DocumentRow.deleted),
            )
        ).scalar_one_or_none()
        if number is None:
            return None
        connection.execute(
            sa.update(DocumentRow)
            .where(DocumentRow.number == number)
            .values(revision=self._next_revision(connection), deleted=True)
        )
        connection.execute(sa.delete(PassageRow).where(PassageRow.number == number))
        return number

    def _put_passages(
        self,
        connection: Connection,
        number: int,
        passages: Sequence[Passage],
        vectors: NDArray[np.float32],
        model_id: str,
    ) -> None:
        """Replace a document's passages and all their vectors."""
        if len(passages) != len(vectors):
            raise ValueError(f"{len(passages)} passages need as many vectors, not {len(vectors)}")
        if len(passages) > MAX_PASSAGES:
            raise InvalidInput(f"the text has {len(passages)} passages; the index takes {MAX_PASSAGES}")
        connection.execute(sa.delete(PassageRow).where(PassageRow.number == number))
        if passages:
            connection.execute(
                sa.insert(PassageRow),
                [
                    {
                        "number": number,
                        "ordinal": ordinal,
                        "field": passage.field,
                        "start_char": passage.start,
                        "end_char": passage.end,
                    }
                    for ordinal, passage in enumerate(passages)
                ],
            )
            connection.execute(
                sa.insert(VectorRow),
                [_vector_row(number, ordinal, model_id, vector) for ordinal, vector in enumerate(vectors)],
            )


def _vector_row(number: int, ordinal: int, model_id: str, vector: NDArray[np.float32]) -> dict[str, object]:
    return {
        "number": number,
        "ordinal": ordinal,
        "model_id": model_id,
        "vector": vector.astype(_LITTLE_FLOAT, copy=False).tobytes(),
    }


def _read_vectors(blobs: Sequence[bytes], dimension: int) -> NDArray[np.float32]:
    flat = np.frombuffer(b"".join(blobs), dtype=_LITTLE_FLOAT).astype(np.float32, copy=False)
    return flat.reshape(len(blobs), dimension)
