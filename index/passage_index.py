"""A vector index over the passages of one collection that follows its database.

The id of a vector is the document's number and the passage's ordinal in one integer, so that neither a table
of ids nor a second lookup is needed: `number << 16 | ordinal`.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from classifiers.models import Encoder
from index.passages import MAX_PASSAGES, PASSAGE_PROMPT, encoder_inputs
from index.ports import Change, PassageRepository, PassageVector
from index.snapshot import SnapshotError, SnapshotFolder
from index.stores.base import FileVectorStore, IdRanges
from index.stores.faiss_flat import FaissFlatStore
from index.stores.policy import EXACT_LIMIT, new_store, outgrown, read_store

ORDINAL_BITS = 16
assert 1 << ORDINAL_BITS == MAX_PASSAGES

_REPLAY_DOCUMENTS = 512
_EMBED_PASSAGES = 256
# Approximate results taken per result asked for, and at least, before the stored vectors rank them.
_RANKED_AGAIN = 2
_LEAST_RANKED_AGAIN = 20


class IndexInconsistencyError(Exception):
    """The database keeps handing out passages without vectors: something else writes to it without end."""


def vector_ids(number: int, count: int) -> NDArray[np.int64]:
    """The ids (count,) of a document's first passages."""
    return (np.int64(number) << ORDINAL_BITS) + np.arange(count, dtype=np.int64)


def document_of(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """The document numbers of vector ids."""
    return ids >> ORDINAL_BITS


def ordinal_of(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """The passage ordinals of vector ids."""
    return ids & (MAX_PASSAGES - 1)


def ranges_of(numbers: Collection[int] | NDArray[np.int64]) -> IdRanges:
    """The ids of every passage of the documents."""
    starts = np.unique(np.fromiter(numbers, dtype=np.int64, count=len(numbers))) << ORDINAL_BITS
    return IdRanges(starts, starts + MAX_PASSAGES)


class PassageIndex:
    """The vectors of one collection, in memory, equal to the database up to `generation`.

    Safe to use from threads. `load` (or `rebuild`) comes first; then `refresh` before each search takes in
    what this or any other process has committed.
    """

    def __init__(
        self,
        repository: PassageRepository,
        encoder: Encoder,
        snapshots: SnapshotFolder,
        *,
        exact_limit: int = EXACT_LIMIT,
    ) -> None:
        self._repository = repository
        self._encoder = encoder
        self._snapshots = snapshots
        self._exact_limit = exact_limit
        self._changing = threading.Lock()
        self._rebuilding = threading.Lock()
        self._store: FileVectorStore = FaissFlatStore.empty(encoder.dimension)
        self._revision = 0
        self._saved_revision: int | None = None
        self.notices: list[str] = []
        """What a person should know about how the index came up, in sentences."""

    @property
    def generation(self) -> int:
        """Revision of the database this index equals: analyses with the same generation saw the same
        documents.
        """
        return self._revision

    @property
    def store(self) -> FileVectorStore:
        """The vector engine searched at present."""
        return self._store

    @property
    def encoder(self) -> Encoder:
        """What the passages are embedded with."""
        return self._encoder

    def __len__(self) -> int:
        """Number of passages held."""
        return len(self._store)

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
            elif outgrown(self._store, self._exact_limit):
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
        if outgrown(self._store, self._exact_limit):
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

    def nearest(
        self, vectors: NDArray[np.float32], k: int, *, within: IdRanges | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The k passages nearest to each vector (m, d): cosines and ids, both (m, k), -1 for none."""
        store = self._store
        if store.exact or len(vectors) == 0:
            return store.search(vectors, k, within=within)
        found = store.search(vectors, max(_RANKED_AGAIN * k, _LEAST_RANKED_AGAIN), within=within)
        return self._ranked_again(vectors, *found, k)

    def _ranked_again(
        self, vectors: NDArray[np.float32], scores: NDArray[np.float32], ids: NDArray[np.int64], k: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The k best of approximate results by the vectors that the database holds."""
        stored = self._repository.vectors(
            np.unique(document_of(ids[ids >= 0])).tolist(),
            model_id=self._encoder.model_id,
            dimension=self._encoder.dimension,
        )
        for row, (vector, own) in enumerate(zip(vectors, ids, strict=True)):
            passages = [
                stored[number][ordinal] if number in stored and ordinal < len(stored[number]) else None
                for number, ordinal in zip(document_of(own).tolist(), ordinal_of(own).tolist(), strict=True)
            ]
            known = [place for place, passage in enumerate(passages) if passage is not None]
            if known:
                # What has vanished since the search keeps its approximate score: its revision tells on it.
                scores[row, known] = np.stack([p for p in passages if p is not None]) @ vector
        best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(scores, best, axis=1), np.take_along_axis(ids, best, axis=1)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors (n, d) of texts, as passages and questions are embedded alike."""
        if not texts:
            return np.empty((0, self._encoder.dimension), dtype=np.float32)
        return self._encoder.encode(encoder_inputs(texts), prompt=PASSAGE_PROMPT)

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

    def _count_problem(self) -> str | None:
        # A database restored from an older copy can pass the snapshot's revision again with other documents.
        expected = self._repository.count_passages()
        if len(self._store) == expected or self._repository.revision() != self._revision:
            return None
        return f"the snapshot holds {len(self._store)} passages, the database {expected}"

    def _rebuild(self, *, progress: bool) -> None:
        self._store, self._revision = self._built(progress=progress)
        self._saved_revision = None

    def _built(self, *, progress: bool) -> tuple[FileVectorStore, int]:
        """A new store of everything in the database, and the revision up to which it goes."""
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

    def _fill(self, store: FileVectorStore, since: int, *, progress: bool, publish: bool) -> int:
        """Apply all changes after a revision; returns the last one applied."""
        label = f"index {self._repository.collection}"
        with tqdm(desc=label, unit="document", disable=not progress, leave=False) as bar:
            while True:
                changes = self._complete_changes(since, progress=progress)
                if not changes:
                    return since
                _apply(store, changes)
                since = changes[-1].revision
                if publish:
                    self._revision = since
                bar.update(len(changes))

    def _complete_changes(self, since: int, *, progress: bool) -> Sequence[Change]:
        for _attempt in range(5):
            changes = self._repository.changes(
                since,
                model_id=self._encoder.model_id,
                dimension=self._encoder.dimension,
                limit=_REPLAY_DOCUMENTS,
            )
            if all(len(change.vectors) == change.passages for change in changes):
                return changes
            self._embed_missing(since, progress=progress)
        raise IndexInconsistencyError(
            f"passages of {self._repository.collection} stay without vectors of {self._encoder.model_id}: "
            "is another process writing with a different encoder?"
        )

    def _embed_missing(self, since: int, *, progress: bool) -> None:
        """Embed what this encoder has not embedded yet: after a change of encoder, everything."""
        total = self._repository.count_unembedded(self._encoder.model_id)
        after = (0, -1)
        label = f"embed {self._repository.collection}"
        with tqdm(desc=label, total=total, unit="passage", disable=not progress, leave=False) as bar:
            while batch := self._repository.unembedded(
                self._encoder.model_id, since=since, after=after, limit=_EMBED_PASSAGES
            ):
                vectors = self.embed([passage.text for passage in batch])
                self._repository.add_vectors(
                    self._encoder.model_id,
                    [
                        PassageVector(passage.number, passage.ordinal, vector)
                        for passage, vector in zip(batch, vectors, strict=True)
                    ],
                )
                after = (batch[-1].number, batch[-1].ordinal)
                bar.update(len(batch))


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


def _apply(store: FileVectorStore, changes: Sequence[Change]) -> None:
    # New vectors first, stale ordinals after: a search in between never misses a document that is being
    # updated.
    kept = [change for change in changes if change.passages]
    if kept:
        store.upsert(
            np.concatenate([vector_ids(change.number, change.passages) for change in kept]),
            np.concatenate([change.vectors for change in kept]),
        )
    bases = np.array([change.number for change in changes], dtype=np.int64) << ORDINAL_BITS
    counts = np.array([change.passages for change in changes], dtype=np.int64)
    order = np.argsort(bases)
    store.delete_ranges(IdRanges((bases + counts)[order], (bases + MAX_PASSAGES)[order]))


class PassageCollection:
    """What the records and the articles have in common: one index over one collection of passages."""

    def __init__(self, index: PassageIndex) -> None:
        self.index = index

    @property
    def generation(self) -> int:
        """Revision of the collection the last search saw at least."""
        return self.index.generation

    def __len__(self) -> int:
        """Number of passages held."""
        return len(self.index)

    def refresh(self) -> None:
        """Take in everything committed before this call; every search does so itself."""
        self.index.refresh()

    def rebuild(self, *, progress: bool = False) -> None:
        """Build the index anew from the database."""
        self.index.rebuild(progress=progress)

    def save(self, *, min_changes: int = 1) -> bool:
        """Write a snapshot if `min_changes` revisions came since the last one; says whether it did."""
        return self.index.save(min_changes=min_changes)
