"""The vectors of one collection in the memory of this process, with snapshots for the next start."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from classifiers.models import Encoder
from index.passage_ids import document_of, vector_ids
from index.passage_vectors import PassageVectors
from index.ports import Change, PassageRepository
from index.snapshot import SnapshotError, SnapshotFolder
from index.stores.base import FileVectorStore
from index.stores.faiss_flat import FaissFlatStore
from index.stores.faiss_shards import SHARD_VECTORS, FaissShardsStore
from index.stores.policy import EXACT_LIMIT, SHARD_LIMIT, new_store, outgrown, read_store


class PassageIndex(PassageVectors):
    """Vectors in memory: every process has its own, and brings it up to the database by itself."""

    _store: FileVectorStore

    def __init__(
        self,
        repository: PassageRepository,
        encoder: Encoder,
        snapshots: SnapshotFolder,
        *,
        exact_limit: int = EXACT_LIMIT,
        shard_limit: int = SHARD_LIMIT,
        shard_vectors: int = SHARD_VECTORS,
    ) -> None:
        super().__init__(repository, encoder, FaissFlatStore.empty(encoder.dimension))
        self._snapshots = snapshots
        self._exact_limit = exact_limit
        self._shard_limit = shard_limit
        self._shard_vectors = shard_vectors
        self._changing = threading.Lock()
        self._rebuilding = threading.Lock()
        self._saved_revision: int | None = None

    def load(self, *, progress: bool = False) -> None:
        """Come up: from the snapshot and what changed since, or from the database where there is no sound
        snapshot.
        """
        with self._changing:
            problem = self._load_snapshot()
            if problem is None:
                self._replay(self._store, self._revision, progress=progress)
                problem = self._count_problem()
            if problem is not None:
                if problem:
                    self.notices.append(
                        f"{self._repository.collection}: {problem}; rebuilt from the database"
                    )
                self._rebuild(progress=progress)
            elif outgrown(self._store, self._exact_limit, self._shard_limit):
                self._rebuild(progress=progress)

    def refresh(self) -> None:
        """Take in everything committed before this call."""
        if self._repository.revision() == self._revision:
            return
        with self._changing:
            if self._repository.revision() < self._revision:
                self.notices.append(
                    f"{self._repository.collection}: the database went back in time; rebuilt from it"
                )
                self._rebuild(progress=False)
            else:
                self._replay(self._store, self._revision, progress=False)

    def rebuild(self, *, progress: bool = False) -> None:
        """Build the index anew from the database; searches use the old one, which goes on taking in what is
        committed, until it is ready.
        """
        with self._rebuilding:
            store, revision = self._built(progress=progress)
            with self._changing:
                self._revision = self._fill(store, revision, progress=progress, publish=False)
                self._store = store
                self._saved_revision = None

    def save(self, *, min_changes: int = 1) -> bool:
        """Write a snapshot if `min_changes` revisions came since the last one; says whether it did.

        A collection that has outgrown its engine is rebuilt first.
        """
        if outgrown(self._store, self._exact_limit, self._shard_limit):
            self.rebuild()
        with self._changing:
            if self._saved_revision is not None and self._revision - self._saved_revision < min_changes:
                return False
            if self._saved_revision is None and self._revision == 0:
                return False
            self._snapshots.write(
                self._store,
                collection=self._repository.collection,
                store_id=self._repository.store_id(),
                model_id=self._encoder.model_id,
                revision=self._revision,
            )
            self._saved_revision = self._revision
            return True

    def _load_snapshot(self) -> str | None:
        """Take the snapshot over; returns why not, in words, or "" where there simply is none yet."""
        try:
            loaded = self._snapshots.load(read_store)
        except SnapshotError as error:
            return str(error)
        if loaded is None:
            return ""
        store, manifest = loaded
        if (manifest.collection, manifest.store_id) != (
            self._repository.collection,
            self._repository.store_id(),
        ):
            return "the snapshot belongs to another database"
        if (manifest.model_id, manifest.dimension) != (self._encoder.model_id, self._encoder.dimension):
            return (
                f"the encoder is now {self._encoder.model_id}, the snapshot was made with {manifest.model_id}"
            )
        if manifest.revision > self._repository.revision():
            return "the snapshot is newer than the database"
        self._store, self._revision, self._saved_revision = store, manifest.revision, manifest.revision
        return None

    def _rebuild(self, *, progress: bool) -> None:
        self._store, self._revision = self._built(progress=progress)
        self._saved_revision = None

    def _built(self, *, progress: bool) -> tuple[FileVectorStore, int]:
        """A new store of everything in the database, and the revision up to which it goes."""
        if self._repository.count_passages() > self._shard_limit:
            shards = FaissShardsStore.begin(
                self._encoder.dimension, self._snapshots.workspace(), shard_vectors=self._shard_vectors
            )
            return shards, self._fill(shards, 0, progress=progress, publish=False)
        gathered = _Gathered(self._encoder.dimension)
        revision = 0
        label = f"index {self._repository.collection}"
        with tqdm(desc=label, unit="document", disable=not progress, leave=False) as bar:
            while changes := self._complete_changes(revision, progress=progress):
                gathered.add(changes)
                revision = changes[-1].revision
                bar.update(len(changes))
        return new_store(*gathered.content(), self._exact_limit), revision

    def _replay(self, store: FileVectorStore, since: int, *, progress: bool) -> None:
        self._fill(store, since, progress=progress, publish=True)


class _Gathered:
    """All passages of a collection while it is read for the first time.

    A document that changes meanwhile comes twice: its last state counts.
    """

    def __init__(self, dimension: int) -> None:
        self._ids = [np.empty(0, dtype=np.int64)]
        self._vectors = [np.empty((0, dimension), dtype=np.float32)]
        self._revisions = [np.empty(0, dtype=np.int64)]
        self._last: dict[int, int] = {}

    def add(self, changes: Sequence[Change]) -> None:
        """Take in the present state of documents."""
        for change in changes:
            self._last[change.number] = change.revision
        kept = [change for change in changes if change.passages]
        if kept:
            self._ids.append(np.concatenate([vector_ids(change.number, change.passages) for change in kept]))
            self._vectors.append(np.concatenate([change.vectors for change in kept]))
            revisions, counts = [change.revision for change in kept], [change.passages for change in kept]
            self._revisions.append(np.repeat(np.array(revisions, dtype=np.int64), counts))

    def content(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Ids (n,) and vectors (n, d) of the last states; what was gathered is given up."""
        ids, revisions = np.concatenate(self._ids), np.concatenate(self._revisions)
        vectors = np.concatenate(self._vectors)
        self._vectors.clear()
        numbers = np.fromiter(self._last.keys(), dtype=np.int64, count=len(self._last))
        last = np.fromiter(self._last.values(), dtype=np.int64, count=len(self._last))
        order = np.argsort(numbers)
        current = (
            last[order][np.searchsorted(numbers[order], document_of(ids))] == revisions
            if len(ids)
            else ids > 0
        )
        return (ids, vectors) if current.all() else (ids[current], vectors[current])
