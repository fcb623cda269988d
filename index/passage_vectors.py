"""The vectors of one collection's passages: searched, and brought up to the database.

`index.passage_index` keeps them in the memory of each process; `index.shared_passage_index` on a server that
processes share.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from classifiers.models import Encoder
from index.passage_ids import ORDINAL_BITS, document_of, ordinal_of, vector_ids
from index.passages import MAX_PASSAGES, PASSAGE_PROMPT, encoder_inputs
from index.ports import Change, PassageRepository, PassageVector
from index.stores.base import IdRanges, VectorStore

_REPLAY_DOCUMENTS = 512
_EMBED_PASSAGES = 256
# Approximate results taken per result asked for, and at least, before the stored vectors rank them.
_RANKED_AGAIN = 2
_LEAST_RANKED_AGAIN = 20


class IndexInconsistencyError(Exception):
    """The database keeps handing out passages without vectors: something else writes to it without end."""


class PassageVectors(ABC):
    """The vectors of one collection, equal to the database up to `generation`.

    Safe to use from threads. `load` (or `rebuild`) comes first; then `refresh` before each search takes in
    what this or any other process has committed.
    """

    def __init__(self, repository: PassageRepository, encoder: Encoder, store: VectorStore) -> None:
        self._repository = repository
        self._encoder = encoder
        self._store = store
        self._revision = 0
        self.notices: list[str] = []
        """What a person should know about how the index came up, in sentences."""

    @property
    def generation(self) -> int:
        """Revision of the database this index equals: analyses with the same generation saw the same
        documents.
        """
        return self._revision

    @property
    def store(self) -> VectorStore:
        """The vector engine searched at present."""
        return self._store

    @property
    def encoder(self) -> Encoder:
        """What the passages are embedded with."""
        return self._encoder

    def __len__(self) -> int:
        """Number of passages held."""
        return len(self._store)

    @abstractmethod
    def load(self, *, progress: bool = False) -> None:
        """Come up: from what was kept and what changed since; from the database where that is not sound."""

    @abstractmethod
    def refresh(self) -> None:
        """Take in everything committed before this call."""

    @abstractmethod
    def rebuild(self, *, progress: bool = False) -> None:
        """Build the index anew from the database; searches use the old one, which goes on taking in what is
        committed, until it is ready.
        """

    @abstractmethod
    def save(self, *, min_changes: int = 1) -> bool:
        """Keep the present state for the next start where it is not kept already, if `min_changes` revisions
        came since the last time; says whether something was written.

        A collection that has outgrown its engine is rebuilt first.
        """

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

    def _reached(self, revision: int) -> None:
        """The store in use holds everything up to a revision."""
        self._revision = revision

    def _count_problem(self) -> str | None:
        # A database restored from an older copy can pass the snapshot's revision again with other documents.
        expected = self._repository.count_passages()
        if len(self._store) == expected or self._repository.revision() != self._revision:
            return None
        return f"the index holds {len(self._store)} passages, the database {expected}"

    def _fill(self, store: VectorStore, since: int, *, progress: bool, publish: bool) -> int:
        """Apply all changes after a revision; returns the last one applied."""
        label = f"index {self._repository.collection}"
        with tqdm(desc=label, unit="document", disable=not progress, leave=False) as bar:
            while True:
                changes = self._complete_changes(since, progress=progress)
                if not changes:
                    return since
                apply_changes(store, changes)
                since = changes[-1].revision
                if publish:
                    self._reached(since)
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


def apply_changes(store: VectorStore, changes: Sequence[Change]) -> None:
    """Bring a store to the present state of documents that changed."""
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
