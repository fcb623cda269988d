"""What records and articles have in common in the database: numbers, revisions, passages, vectors.

`DocumentRepository` implements `index.ports.PassageRepository`; the two collections inherit from it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeVar, TypeVarTuple

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.engine import Connection

from index.passages import MAX_PASSAGES, Passage
from index.ports import Change, PassageVector, UnembeddedPassage
from service.errors import InvalidInput
from service.store.database import Database, alone
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


@dataclass(frozen=True, slots=True)
class PlacedDocuments:
    """Numbers of documents by key; `replaced` are the keys of those that were there before."""

    numbers: Mapping[str, int]
    replaced: frozenset[str]


@dataclass(frozen=True, slots=True)
class EmbeddedDocument:
    """A document's passages with their vectors (n, d)."""

    number: int
    passages: Sequence[Passage]
    vectors: NDArray[np.float32]

    def __post_init__(self) -> None:
        if len(self.passages) != len(self.vectors):
            raise ValueError(f"{len(self.passages)} passages need as many vectors, not {len(self.vectors)}")
        if len(self.passages) > MAX_PASSAGES:
            raise InvalidInput(f"the text has {len(self.passages)} passages; the index takes {MAX_PASSAGES}")


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

    def vectors(
        self,
        numbers: Collection[int],
        *,
        model_id: str,
        dimension: int,
        fields: Collection[str] | None = None,
    ) -> Mapping[int, NDArray[np.float32]]:
        """The passage vectors (n, d) of documents in ordinal order, of the passages of `fields` alone where
        given; without documents whose passages are not all embedded.
        """
        query = sa.select(PassageRow.number, VectorRow.vector).outerjoin(
            VectorRow,
            sa.and_(
                VectorRow.number == PassageRow.number,
                VectorRow.ordinal == PassageRow.ordinal,
                VectorRow.model_id == model_id,
            ),
        )
        if fields is not None:
            query = query.where(PassageRow.field.in_(fields))
        blobs: dict[int, list[bytes | None]] = defaultdict(list)
        with self._database.reading() as connection:
            for part in in_parts(numbers):
                for number, blob in connection.execute(
                    query.where(PassageRow.number.in_(part)).order_by(PassageRow.number, PassageRow.ordinal)
                ):
                    blobs[number].append(blob)
        return {
            number: _read_vectors(whole, dimension)
            for number, found in blobs.items()
            if len(whole := [blob for blob in found if blob is not None]) == len(found)
        }

    def alone(self, purpose: str) -> AbstractContextManager[None]:
        """Waits until no other process with this database holds it for the same purpose, then holds it."""
        return alone(self._database, f"{self.collection}-{purpose}")

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

    def _next_revisions(self, connection: Connection, count: int) -> range:
        """Take the next revisions; the counter stays locked until the commit: revisions follow commits."""
        last = connection.execute(
            sa.update(CounterRow)
            .where(CounterRow.name == self.collection)
            .values(value=CounterRow.value + count)
            .returning(CounterRow.value)
        ).scalar_one()
        return range(last - count + 1, last + 1)

    def _put_documents(self, connection: Connection, keys: Sequence[str]) -> PlacedDocuments:
        """Give documents (no key twice) new revisions in the given order, and new ones a number."""
        revisions = dict(zip(keys, self._next_revisions(connection, len(keys)), strict=True))
        known = {row.key: row for row in self._documents(connection, keys)}
        if known:
            connection.execute(
                sa.update(DocumentRow)
                .where(DocumentRow.number == sa.bindparam("known_number"))
                .values(revision=sa.bindparam("next_revision"), deleted=False),
                [{"known_number": row.number, "next_revision": revisions[key]} for key, row in known.items()],
            )
        unknown = [key for key in keys if key not in known]
        if unknown:
            connection.execute(
                sa.insert(DocumentRow),
                [
                    {
                        "collection": self.collection,
                        "key": key,
                        "revision": revisions[key],
                        "deleted": False,
                    }
                    for key in unknown
                ],
            )
        numbers = {key: row.number for key, row in known.items()}
        numbers |= {row.key: row.number for row in self._documents(connection, unknown)}
        return PlacedDocuments(numbers, frozenset(key for key, row in known.items() if not row.deleted))

    def _documents(self, connection: Connection, keys: Sequence[str]) -> list[sa.Row[str, int, bool]]:
        query = sa.select(DocumentRow.key, DocumentRow.number, DocumentRow.deleted)
        return [
            row
            for part in in_parts(keys)
            for row in connection.execute(
                query.where(DocumentRow.collection == self.collection, DocumentRow.key.in_(part))
            )
        ]

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
        (revision,) = self._next_revisions(connection, 1)
        connection.execute(
            sa.update(DocumentRow).where(DocumentRow.number == number).values(revision=revision, deleted=True)
        )
        connection.execute(sa.delete(PassageRow).where(PassageRow.number == number))
        return number

    def _put_passages(
        self, connection: Connection, embedded: Sequence[EmbeddedDocument], model_id: str
    ) -> None:
        """Replace documents' passages and all their vectors."""
        for part in in_parts([document.number for document in embedded]):
            connection.execute(sa.delete(PassageRow).where(PassageRow.number.in_(part)))
        passages = [
            {
                "number": document.number,
                "ordinal": ordinal,
                "field": passage.field,
                "start_char": passage.start,
                "end_char": passage.end,
            }
            for document in embedded
            for ordinal, passage in enumerate(document.passages)
        ]
        if passages:
            vectors = [
                _vector_row(document.number, ordinal, model_id, vector)
                for document in embedded
                for ordinal, vector in enumerate(document.vectors)
            ]
            connection.execute(sa.insert(PassageRow), passages)
            connection.execute(sa.insert(VectorRow), vectors)


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
