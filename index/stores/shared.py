"""Vector engines on a server that several processes use at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from index.stores.base import VectorStore


@dataclass(frozen=True, slots=True)
class VectorSource:
    """Which vectors: of which collection of which database, by which encoder."""

    collection: str
    store_id: str
    model_id: str
    dimension: int


class SharedVectorStore(VectorStore, Protocol):
    """A vector engine whose content other processes search and change too."""

    @property
    def model_id(self) -> str:
        """Encoder of the vectors."""

    def revision(self) -> int:
        """Last revision of the database up to which it holds everything, whoever brought it there."""

    def reached(self, revision: int) -> None:
        """Note that it holds everything up to this revision."""


class VectorServer(Protocol):
    """Generations of vectors on a server. Callers see to it that one process at a time changes them.

    Every method raises VectorStoreUnavailable where the server does not answer.
    """

    def current(self, source: VectorSource) -> SharedVectorStore | None:
        """The generation that is searched, of whichever encoder; None where there is none."""

    def begin(self, source: VectorSource, expected: int) -> SharedVectorStore:
        """A new, empty generation for about so many vectors, which nobody searches yet; one that an earlier
        call began and never switched to is removed.
        """

    def switch(self, source: VectorSource, store: SharedVectorStore, revision: int) -> SharedVectorStore:
        """Let every search go to a generation that holds everything up to this revision, from one moment to
        the next, and remove the one before; returns it as the current one.
        """

    def outgrown(self, store: SharedVectorStore) -> bool:
        """Whether another kind of index would serve the vectors better: time for a new generation."""
