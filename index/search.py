"""Finding verified records by meaning and words, in any language, restricted by time, language and publisher.

Meaning leads: the cosine of question and passage. Where a record has claim and headline, both count: one of
them alone comes close by chance more easily. Words and letter groups add a little, which decides between
records that lie close to each other: the same sentence about another person, number or place. Equal weights
would drown the cosine, and across languages words say nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from classifiers.text import identify_language
from index.lexical import LexicalIndex, LexicalScores
from index.passage_collection import PassageCollection
from index.passage_ids import document_of, ordinal_of, ranges_of
from index.passage_vectors import PassageVectors
from index.ports import RecordFilter, RecordRepository, StoredRecord
from index.records import VerifiedRecord, language_code
from index.stores.base import IdRanges

_OVERFETCH = 4
_CONSISTENT_READS = 4

WORDS_WEIGHT: Final = 0.02
LETTERS_WEIGHT: Final = 0.08
"""What the record that answers the words (the letters) best gains on the cosine, others in proportion. Chosen
on training questions (`bench.claims_retrieval`); cosines of neighbouring records lie some 0.02 apart."""

FARTHER_HEADING_WEIGHT: Final = 0.3
"""The part of claim or headline, whichever lies farther from the question, in their common similarity. Chosen
like the weights above. Towards a cosine of 1 it counts less and less: who repeats a claim word for word means
that claim, whatever its headline says."""

_REPETITION: Final = 0.1  # below 1: where that begins

_HEADINGS = frozenset({"claim", "title"})

FUSED_SCALE: Final = 1 + WORDS_WEIGHT + LETTERS_WEIGHT
"""A score times this is the similarity with what words and letters added."""

_FUSED_MORE = 30
# As many times the records asked for are held against claim and headline both, which must be read.
_CONTENDERS = 2
# Passages of one record among the best, as a rule.
_PASSAGES_OF_ONE = 2
_SCORED_PASSAGES = 2_000


@dataclass(frozen=True, slots=True)
class Found:
    """A document with its passage nearest to the question; `score` ranks it, `cosine` says how near it is."""

    number: int
    ordinal: int
    cosine: float
    score: float


Ranked = list[Found]
"""Best first, one entry per document."""


@dataclass(frozen=True, slots=True)
class Question:
    """The words of a question, and the language they are in (a code of the nine, or "other")."""

    text: str
    language: str


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A record and its passage nearest to the question.

    `passage` is `getattr(record, field)[passage_start:passage_end]`; `cosine` is that of the two vectors.
    `score`, by which hits are ordered, lies between -1 and 1 too and counts shared words as well.
    """

    record: VerifiedRecord
    score: float
    cosine: float
    field: str
    passage: str
    passage_start: int
    passage_end: int


class RecordSearch(PassageCollection):
    """Search over the verified records: by vectors, and by words too where there is a `lexical` index.

    Safe to use from threads.
    """

    def __init__(
        self, repository: RecordRepository, index: PassageVectors, lexical: LexicalIndex | None = None
    ) -> None:
        super().__init__(index)
        self._repository = repository
        self._lexical = lexical

    @property
    def notices(self) -> tuple[str, ...]:
        """What a person should know about how vectors and words came up."""
        return (*self.index.notices, *(self._lexical.notices if self._lexical is not None else ()))

    def refresh(self) -> None:
        """Take in everything committed before this call; every search does so itself."""
        self.index.refresh()
        if self._lexical is not None:
            self._lexical.refresh()

    def rebuild(self, *, progress: bool = False) -> None:
        """Build vectors and words anew from the database."""
        self.index.rebuild(progress=progress)
        if self._lexical is not None:
            self._lexical.rebuild(progress=progress)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors (n, d) to search with: canonical form, the prompt the passages were embedded with."""
        return self.index.embed(texts)

    def search(
        self,
        queries: Sequence[str] | NDArray[np.float32],
        top_k: int = 10,
        *,
        questions: Sequence[Question] | None = None,
        as_of: date | datetime | None = None,
        languages: Collection[str] | None = None,
        publishers: Collection[str] | None = None,
    ) -> list[list[SearchHit]]:
        """For each question the `top_k` records nearest to it, best first, each once with its best passage.

        `queries` are texts, or their vectors (m, d) from `embed`; vectors alone are searched by meaning
        alone, with `questions` by their words too. `as_of` keeps records valid at that time; `languages`
        (tags) and `publishers` (names, exact) keep records of these. Records committed before the call are
        found.
        """
        if top_k < 1:
            raise ValueError(f"top_k must be positive, not {top_k}")
        record_filter = RecordFilter(
            as_of=as_of,
            languages=None if languages is None else frozenset(filter(None, map(language_code, languages))),
            publishers=None if publishers is None else frozenset(publishers),
        )
        if isinstance(queries, np.ndarray):
            vectors = queries
        else:
            vectors = self.embed(queries)
            questions = questions or [Question(text, identify_language(text).code) for text in queries]
        if len(vectors) == 0:
            return []
        for _attempt in range(_CONSISTENT_READS):
            self.refresh()
            generation = self.index.generation
            ranked = self._rank(vectors, questions, top_k, record_filter)
            stored = self._repository.fetch({found.number for hits in ranked for found in hits})
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
        vectors = queries if isinstance(queries, np.ndarray) else self.embed(queries)
        results = self.search(vectors, top_k, as_of=as_of, languages=languages, publishers=publishers)
        for hit in (hit for hits in results for hit in hits):
            if hit.record.id not in best or hit.score > best[hit.record.id].score:
                best[hit.record.id] = hit
        return sorted(best.values(), key=lambda hit: (-hit.score, hit.record.id))[:top_k]

    def _rank(
        self,
        vectors: NDArray[np.float32],
        questions: Sequence[Question] | None,
        top_k: int,
        record_filter: RecordFilter,
    ) -> list[Ranked]:
        if self._lexical is None or questions is None:
            return self._rank_by_vectors(vectors, top_k, record_filter)
        # Words may lift a record from behind: more are looked at than asked for.
        pool = top_k + _FUSED_MORE
        nearest = self._rank_by_vectors(vectors, pool, record_filter)
        named = self._named_by_words(vectors, questions, pool, record_filter, nearest)
        scores: list[LexicalScores] = []
        best: list[Ranked] = []
        for question, near, more in zip(questions, nearest, named, strict=True):
            # All candidates are scored, those too that hundreds of others share more words with.
            numbers = {hit.number for hit in (*near, *more)}
            found = self._lexical.scores(question.text, question.language, _SCORED_PASSAGES, among=numbers)
            scores.append(found)
            best.append(fuse([*near, *more], found)[: _CONTENDERS * top_k])
        weighed = self._with_both_headings(vectors, best)
        return [fuse(hits, found)[:top_k] for hits, found in zip(weighed, scores, strict=True)]

    def _with_both_headings(self, vectors: NDArray[np.float32], candidates: Sequence[Ranked]) -> list[Ranked]:
        """The candidates, claim and headline in their scores; a nearer passage of the text counts alone."""
        encoder = self.index.encoder
        headings = self._repository.vectors(
            {hit.number for hits in candidates for hit in hits},
            model_id=encoder.model_id,
            dimension=encoder.dimension,
            fields=_HEADINGS,
        )
        weighed: list[Ranked] = []
        for vector, hits in zip(vectors, candidates, strict=True):
            own: Ranked = []
            for hit in hits:
                both = headings.get(hit.number)
                similarity = hit.cosine
                if both is not None and hit.ordinal < len(both):
                    # By the full vectors, which are here anyway: an index may hold rounded ones.
                    cosines = (both @ vector).tolist()
                    hit = replace(hit, cosine=cosines[hit.ordinal])
                    nearer, farther = max(cosines), min(cosines)
                    weight = FARTHER_HEADING_WEIGHT * min(1.0, max(0.0, 1 - nearer) / _REPETITION)
                    similarity = nearer + weight * (farther - nearer)
                own.append(replace(hit, score=similarity))
            weighed.append(own)
        return weighed

    def _named_by_words(
        self,
        vectors: NDArray[np.float32],
        questions: Sequence[Question],
        count: int,
        record_filter: RecordFilter,
        known: Sequence[Ranked],
    ) -> list[Ranked]:
        """The records that words or letters name and the vectors did not, with their exact cosines."""
        assert self._lexical is not None
        named: list[set[int]] = []
        for question, near in zip(questions, known, strict=True):
            found = self._lexical.scores(question.text, question.language, _PASSAGES_OF_ONE * count)
            listed = {*list(found.words)[:count], *list(found.letters)[:count]}
            named.append(listed - {hit.number for hit in near})
        numbers = set().union(*named)
        if record_filter.restricts:
            numbers = self._repository.among(numbers, record_filter)
        encoder = self.index.encoder
        passages = self._repository.vectors(numbers, model_id=encoder.model_id, dimension=encoder.dimension)
        ranked: list[Ranked] = []
        for vector, own in zip(vectors, named, strict=True):
            hits = []
            for number in own & passages.keys():
                cosines = passages[number] @ vector
                best = int(cosines.argmax())
                hits.append(Found(number, best, float(cosines[best]), float(cosines[best])))
            ranked.append(hits)
        return ranked

    def _rank_by_vectors(
        self, vectors: NDArray[np.float32], top_k: int, record_filter: RecordFilter
    ) -> list[Ranked]:
        # More passages than asked for: several may be of one record, others be filtered away.
        fetched = min(len(self.index), top_k * _OVERFETCH)
        if fetched == 0:
            return [[] for _ in vectors]
        scores, ids = self.index.nearest(vectors, fetched)
        ranked = [rank_documents(*found) for found in zip(scores, ids, strict=True)]
        if record_filter.restricts:
            candidates = {hit.number for hits in ranked for hit in hits}
            allowed = self._repository.among(candidates, record_filter)
            ranked = [[hit for hit in hits if hit.number in allowed] for hits in ranked]
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
            ranked.append(Found(number, ordinal, score, score))
    return ranked


def fuse(candidates: Sequence[Found], scores: LexicalScores) -> Ranked:
    """Candidates by score plus their share of the best score for words and for letters; scaled back so that
    scores stay between -1 and 1.
    """
    numbers = {found.number for found in candidates}
    bonus = dict.fromkeys(numbers, 0.0)
    for weight, by_number in ((WORDS_WEIGHT, scores.words), (LETTERS_WEIGHT, scores.letters)):
        best = max((by_number[number] for number in numbers & by_number.keys()), default=0.0)
        for number in numbers & by_number.keys():
            bonus[number] += weight * by_number[number] / best
    fused = [replace(hit, score=(hit.score + bonus[hit.number]) / FUSED_SCALE) for hit in candidates]
    return sorted(fused, key=lambda hit: (-hit.score, hit.number))


def _hits(ranked: Ranked, stored: Mapping[int, StoredRecord], generation: int) -> list[SearchHit]:
    hits = []
    for hit in ranked:
        found = stored.get(hit.number)
        if found is None or found.revision > generation or hit.ordinal >= len(found.passages):
            continue
        passage = found.passages[hit.ordinal]
        text = getattr(found.record, passage.field)
        hits.append(
            SearchHit(
                record=found.record,
                # Rounding of float32 can lift the cosine of equal vectors above 1.
                score=min(1.0, max(-1.0, hit.score)),
                cosine=min(1.0, max(-1.0, hit.cosine)),
                field=passage.field,
                passage=text[passage.start : passage.end],
                passage_start=passage.start,
                passage_end=passage.end,
            )
        )
    return hits
