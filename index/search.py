"""Finding verified records by meaning, in any language, restricted by time, language and publisher."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray

from index.passage_index import PassageCollection, PassageIndex, document_of, ordinal_of, ranges_of
from index.ports import RecordFilter, RecordRepository, StoredRecord
from index.records import VerifiedRecord, language_code
from index.stores.base import IdRanges

_OVERFETCH = 4
_CONSISTENT_READS = 4

Ranked = list[tuple[int, int, float]]
"""(document number, passage ordinal, cosine), best first, one entry per document."""


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A record and its passage nearest to the question.

    `passage` is `getattr(record, field)[passage_start:passage_end]`; `score` is the cosine of the two
    vectors.
    """

    record: VerifiedRecord
    score: float
    field: str
    passage: str
    passage_start: int
    passage_end: int


class RecordSearch(PassageCollection):
    """Exact nearest-passage search over the verified records; safe to use from threads."""

    def __init__(self, repository: RecordRepository, index: PassageIndex) -> None:
        super().__init__(index)
        self._repository = repository

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors (n, d) to search with: canonical form, the prompt the passages were embedded with."""
        return self.index.embed(texts)

    def search(
        self,
        queries: Sequence[str] | NDArray[np.float32],
        top_k: int = 10,
        *,
        as_of: date | datetime | None = None,
        languages: Collection[str] | None = None,
        publishers: Collection[str] | None = None,
    ) -> list[list[SearchHit]]:
        """For each question the `top_k` records nearest to it, best first, each once with its best passage.

        `queries` are texts, or their vectors (m, d) from `embed`. `as_of` keeps records valid at that time;
        `languages` (tags) and `publishers` (names, exact) keep records of these. Records committed before the
        call are found.
        """
        if top_k < 1:
            raise ValueError(f"top_k must be positive, not {top_k}")
        record_filter = RecordFilter(
            as_of=as_of,
            languages=None if languages is None else frozenset(filter(None, map(language_code, languages))),
            publishers=None if publishers is None else frozenset(publishers),
        )
        vectors = queries if isinstance(queries, np.ndarray) else self.embed(queries)
        if len(vectors) == 0:
            return []
        for _attempt in range(_CONSISTENT_READS):
            self.index.refresh()
            generation = self.index.generation
            ranked = self._rank(vectors, top_k, record_filter)
            stored = self._repository.fetch({number for hits in ranked for number, _, _ in hits})
            # A record changed between the vector search and the fetch: its passages are no longer those
            # compared.
            if all(record.revision <= generation for record in stored.values()):
                break
        return [_hits(ranked_hits, stored, generation) for ranked_hits in ranked]

    def related(
        self,
        queries: Sequence[str] | NDArray[np.float32],
        top_k: int = 5,
        *,
        as_of: date | datetime | None = None,
        languages: Collection[str] | None = None,
        publishers: Collection[str] | None = None,
    ) -> list[SearchHit]:
        """The `top_k` records nearest to any of the questions (the windows of an article), each once, best
        first.
        """
        best: dict[str, SearchHit] = {}
        results = self.search(queries, top_k, as_of=as_of, languages=languages, publishers=publishers)
        for hit in (hit for hits in results for hit in hits):
            if hit.record.id not in best or hit.score > best[hit.record.id].score:
                best[hit.record.id] = hit
        return sorted(best.values(), key=lambda hit: (-hit.score, hit.record.id))[:top_k]

    def _rank(self, vectors: NDArray[np.float32], top_k: int, record_filter: RecordFilter) -> list[Ranked]:
        # More passages than asked for: several may be of one record, others be filtered away.
        fetched = min(len(self.index), top_k * _OVERFETCH)
        if fetched == 0:
            return [[] for _ in vectors]
        scores, ids = self.index.nearest(vectors, fetched)
        ranked = [rank_documents(*found) for found in zip(scores, ids, strict=True)]
        if record_filter.restricts:
            candidates = {number for hits in ranked for number, _, _ in hits}
            allowed = self._repository.among(candidates, record_filter)
            ranked = [[hit for hit in hits if hit[0] in allowed] for hits in ranked]
        if any(len(hits) < top_k for hits in ranked) and fetched < len(self.index):
            # A filter that lets few through: let the database name them all, then search exactly among these.
            within = ranges_of(self._repository.matching(record_filter)) if record_filter.restricts else None
            ranked = [
                hits if len(hits) >= top_k else self._rank_deeper(vector, top_k, fetched, within)
                for hits, vector in zip(ranked, vectors, strict=True)
            ]
        return [hits[:top_k] for hits in ranked]

    def _rank_deeper(
        self, vector: NDArray[np.float32], top_k: int, fetched: int, within: IdRanges | None
    ) -> Ranked:
        while True:
            fetched = max(1, min(len(self.index), fetched * _OVERFETCH))
            scores, ids = self.index.nearest(vector[None, :], fetched, within=within)
            ranked = rank_documents(scores[0], ids[0])
            if len(ranked) >= top_k or fetched >= len(self.index) or int(ids[0, -1]) < 0:
                return ranked


def rank_documents(scores: NDArray[np.float32], ids: NDArray[np.int64]) -> Ranked:
    """Passages (k,) in descending order of score -> documents, each once with its best passage."""
    seen: set[int] = set()
    ranked: Ranked = []
    numbers, ordinals = document_of(ids).tolist(), ordinal_of(ids).tolist()
    for number, ordinal, score, vector_id in zip(
        numbers, ordinals, scores.tolist(), ids.tolist(), strict=True
    ):
        if vector_id >= 0 and number not in seen:
            seen.add(number)
            ranked.append((number, ordinal, score))
    return ranked


def _hits(ranked: Ranked, stored: Mapping[int, StoredRecord], generation: int) -> list[SearchHit]:
    hits = []
    for number, ordinal, score in ranked:
        found = stored.get(number)
        if found is None or found.revision > generation or ordinal >= len(found.passages):
            continue
        passage = found.passages[ordinal]
        text = getattr(found.record, passage.field)
        hits.append(
            SearchHit(
                record=found.record,
                # Rounding of float32 can lift the cosine of equal vectors above 1.
                score=min(1.0, max(-1.0, score)),
                field=passage.field,
                passage=text[passage.start : passage.end],
                passage_start=passage.start,
                passage_end=passage.end,
            )
        )
    return hits
