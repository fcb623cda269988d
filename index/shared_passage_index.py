"""The vectors of one collection on a server that many processes search and keep up to date together.

Whoever searches first after a commit brings the server up to it, one process at a time; the revision reached
is kept beside the vectors. The database stays the truth: where the server's content is missing, older than
its note says or of another encoder, it is built anew, beside what is searched, and switched to when complete.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from classifiers.models import Encoder
from index.passage_vectors import IndexInconsistencyError, PassageVectors
from index.ports import PassageRepository
from index.stores.faiss_flat import FaissFlatStore
from index.stores.shared import SharedVectorStore, VectorServer, VectorSource


class SharedPassageIndex(PassageVectors):
    """Vectors on a server, for all processes that use the same database."""

    def __init__(self, repository: PassageRepository, encoder: Encoder, server: VectorServer) -> None:
        # Nothing is searched before `load`.
        super().__init__(repository, encoder, FaissFlatStore.empty(encoder.dimension))
        self._server = server
        self._source = VectorSource(
            repository.collection, repository.store_id(), encoder.model_id, encoder.dimension
        )
        self._current: SharedVectorStore | None = None
        self._threads = threading.Lock()

    def load(self, *, progress: bool = False) -> None:
        """Come up: from what the server holds and what changed since; from the database where that is not
        sound.
        """
        if self._attach(progress=progress, counted=True) is None:
            return
        with self._repository.alone("rebuild"):
            # While this process waited, another may have done it.
            problem = self._attach(progress=progress, counted=True)
            if problem is None:
                return
            if problem:
                self.notices.append(f"{self._repository.collection}: {problem}; rebuilt from the database")
            self._build(progress=progress)

    def refresh(self) -> None:
        """Take in everything committed before this call."""
        if self._repository.revision() == self._revision:
            return
        if self._attach(progress=False, counted=False) is not None:
            current = self._server.current(self._source)
            if current is not None and current.model_id != self._source.model_id:
                raise IndexInconsistencyError(
                    f"another process has rebuilt the vectors of {self._repository.collection} with "
                    f"{current.model_id}; this one uses {self._source.model_id}"
                )
            self.load()

    def rebuild(self, *, progress: bool = False) -> None:
        """Build a new generation from the database; searches use the old one until it is ready."""
        with self._repository.alone("rebuild"):
            self._build(progress=progress)

    def save(self, *, min_changes: int = 1) -> bool:
        """Nothing to write: the server keeps what it was given. Vectors that have outgrown their kind of
        index are built anew; says whether they were.
        """
        if not self._outgrown():
            return False
        with self._repository.alone("rebuild"):
            # While this process waited, another may have done it.
            if self._attach(progress=False, counted=False) is None and not self._outgrown():
                return False
            self._build(progress=False)
        return True

    def _outgrown(self) -> bool:
        return self._current is not None and self._server.outgrown(self._current)

    def _use(self, store: SharedVectorStore, revision: int) -> None:
        self._store = self._current = store
        self._revision = revision

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._threads, self._repository.alone("vectors"):
            yield

    def _attach(self, *, progress: bool, counted: bool) -> str | None:
        """Use the server's current generation and bring it up to date; returns why that cannot be, in words,
        or "" where there is none yet.
        """
        with self._changing():
            store = self._server.current(self._source)
            if store is None:
                return ""
            if (store.model_id, store.dimension) != (self._source.model_id, self._source.dimension):
                return f"the encoder is now {self._source.model_id}, the vectors are of {store.model_id}"
            revision = store.revision()
            if revision > self._repository.revision():
                return "the vectors are newer than the database"
            self._use(store, revision)
            self._fill(store, revision, progress=progress, publish=True)
            return self._count_problem() if counted else None

    def _build(self, *, progress: bool) -> None:
        store = self._server.begin(self._source, self._repository.count_passages())
        revision = self._fill(store, 0, progress=progress, publish=False)
        with self._changing():
            revision = self._fill(store, revision, progress=progress, publish=False)
            self._use(self._server.switch(self._source, store, revision), revision)

    def _reached(self, revision: int) -> None:
        assert self._current is not None
        self._current.reached(revision)
        super()._reached(revision)
