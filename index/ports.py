"""What the index needs from a database, as protocols; the service implements them and hands them in.

The database is the truth: a *document* (a record or an article) has a number that is never reused, passages,
and a *revision*. Every change of a document takes the next revision of its collection, in the order of
commits, so an index that has seen revision r asks for what came after r and is up to date.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from index.passages import Passage
from index.records import VerifiedRecord

if TYPE_CHECKING:
    from index.articles import Article


@dataclass(frozen=True, slots=True)
class Change:
    """The present state of a document that changed.

    `vectors` has one row per embedded passage (n, d), in ordinal order. It is empty for a deleted document
    and has fewer rows than `passages` where some still have to be embedded with the model asked for.
    """

    number: int
    revision: int
    passages: int
    vectors: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class UnembeddedPassage:
    """A passage without a vector of the model asked for."""

    number: int
    ordinal: int
    text: str


@dataclass(frozen=True, slots=True)
class PassageVector:
    """The vector (d,) of one passage."""

    number: int
    ordinal: int
    vector: NDArray[np.float32]


class PassageRepository(Protocol):
    """One collection of documents, as a vector index over their passages sees it."""

    collection: str

    def store_id(self) -> str:
        """Identity of the database: a snapshot made from another one must not be loaded."""

    def revision(self) -> int:
        """The revision of the last committed change; 0 for a collection that never had one. Cheap: asked per
        search.
        """

    def count_passages(self) -> int:
        """How many passages the collection holds."""

    def changes(self, since: int, *, model_id: str, dimension: int, limit: int) -> Sequence[Change]:
        """The first `limit` documents with a revision after `since`, in order of revision."""

    def unembedded(
        self, model_id: str, *, since: int, after: tuple[int, int], limit: int
    ) -> Sequence[UnembeddedPassage]:
        """Passages without a vector of `model_id`, of documents changed after revision `since`.

        Ordered by (number, ordinal); only those greater than `after`.
        """

    def count_unembedded(self, model_id: str) -> int:
        """How many passages have no vector of `model_id`."""

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

    def alone(self, purpose: str) -> AbstractContextManager[None]:
        """Waits until no other process that uses this database holds it for the same purpose, then holds it.

        For changes of something outside the database that processes share; if the process dies, it is let go.
        """

    def add_vectors(self, model_id: str, vectors: Iterable[PassageVector]) -> None:
        """Store vectors in one transaction, without those of passages that vanished meanwhile."""


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record with its number, its revision and its passages in ordinal order."""

    number: int
    revision: int
    record: VerifiedRecord
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class StoredArticle:
    """An article with its number, its revision and its passages in ordinal order."""

    number: int
    revision: int
    article: Article
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """Which records may be found; None does not restrict."""

    as_of: date | datetime | None = None
    languages: Collection[str] | None = None
    publishers: Collection[str] | None = None

    @property
    def restricts(self) -> bool:
        """Whether any record could be excluded."""
        return self.as_of is not None or self.languages is not None or self.publishers is not None


class RecordRepository(PassageRepository, Protocol):
    """The verified records."""

    def fetch(self, numbers: Collection[int]) -> Mapping[int, StoredRecord]:
        """The records with these numbers; missing ones were deleted."""

    def among(self, numbers: Collection[int], record_filter: RecordFilter) -> set[int]:
        """Those of the numbers whose records pass the filter."""

    def matching(self, record_filter: RecordFilter) -> NDArray[np.int64]:
        """The numbers of all records that pass the filter, ascending."""

    def changed(self, since: int, limit: int) -> Sequence[tuple[int, int]]:
        """Number and revision of the first `limit` records changed after a revision, in order of revision."""


class ArticleRepository(PassageRepository, Protocol):
    """The articles seen so far."""

    def fetch(self, numbers: Collection[int]) -> Mapping[int, StoredArticle]:
        """The articles with these numbers; missing ones were deleted."""
