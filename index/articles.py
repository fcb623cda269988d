"""Articles seen before: their vectors, and which of them a new article repeats."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator

from classifiers.text import canonicalise, identify_language
from index.passage_collection import PassageCollection
from index.passage_ids import document_of, ranges_of
from index.passage_vectors import PassageVectors
from index.passages import Passage, article_passages
from index.ports import ArticleRepository, StoredArticle
from index.records import Text, content_hash, language_code
from index.times import Moment

SHINGLE_WORDS = 5
_CANDIDATES_PER_WINDOW = 8
_CANDIDATES = 32
_WORD = re.compile(r"\w+")


class Article(BaseModel):
    """An article as it was sent; `language` is the tag it was analysed in."""

    model_config = ConfigDict(frozen=True)

    id: Text = Field(min_length=1, max_length=200)
    text: Text = Field(min_length=1)
    title: Text | None = None
    language: str | None = None
    outlet: Text | None = None
    url: Text | None = None
    published_at: Moment | None = None

    @field_validator("language", mode="after")
    @classmethod
    def _language(cls, value: str | None) -> str | None:
        return language_code(value)

    @property
    def content_hash(self) -> str:
        """SHA-256 over title and text: equal for the same words under another id, address or date."""
        return content_hash(_Content(title=self.title, text=self.text))


class _Content(BaseModel):
    title: str | None
    text: str


@dataclass(frozen=True)
class EmbeddedArticle:
    """The passages of an article and their vectors (n, d), in ordinal order.

    `total_windows` counts the windows the whole text has; more than were embedded where the text is longer
    than the index takes, so that nothing is cut silently.
    """

    passages: tuple[Passage, ...]
    vectors: NDArray[np.float32]
    total_windows: int


@dataclass(frozen=True)
class NearDuplicate:
    """An earlier article with shared wording.

    `similarity` is the mean, over the new article's passages, of the cosine with the nearest passage of the
    earlier one. `shared_text` is the share of the new article's runs of five words that also occur in the
    earlier one, 0 to 1.
    """

    article: Article
    similarity: float
    shared_text: float


class ArticleIndex(PassageCollection):
    """The vectors of every article analysed; safe to use from threads."""

    def __init__(
        self, repository: ArticleRepository, index: PassageVectors, *, max_windows: int = 128
    ) -> None:
        super().__init__(index)
        self._repository = repository
        self._max_windows = max_windows

    def embed(self, article: Article) -> EmbeddedArticle:
        """Cut an article into title and windows of whole sentences, and embed these."""
        language = article.language or identify_language(article.text).code
        passages = list(article_passages(article.title, article.text, language))
        total = sum(passage.field == "text" for passage in passages)
        titles = len(passages) - total
        kept = tuple(passages[: titles + self._max_windows])
        fields = {"title": article.title or "", "text": article.text}
        vectors = self.index.embed([fields[passage.field][passage.start : passage.end] for passage in kept])
        return EmbeddedArticle(kept, vectors, total)

    def near_duplicates(
        self, article: Article, embedded: EmbeddedArticle, *, top_k: int = 5, min_shared: float = 0.3
    ) -> list[NearDuplicate]:
        """Earlier articles that share at least `min_shared` of this one's wording, most shared first.

        Vectors name the candidates, the words decide: two reports of one event lie close to each other
        without either being a copy. An article with the same id is this article and never its own duplicate.
        """
        self.index.refresh()
        stored = self._repository.fetch(self._candidates(embedded))
        own = shingles(article.text)
        found = []
        for number, earlier in stored.items():
            if earlier.article.id == article.id or not own:
                continue
            shared = len(own & shingles(earlier.article.text)) / len(own)
            if shared >= min_shared:
                found.append(
                    NearDuplicate(earlier.article, self._similarity(embedded, number, stored), shared)
                )
        found.sort(
            key=lambda duplicate: (-duplicate.shared_text, -duplicate.similarity, duplicate.article.id)
        )
        return found[:top_k]

    def _candidates(self, embedded: EmbeddedArticle) -> list[int]:
        """Numbers of the articles nearest to most windows, by the sum of the cosines found."""
        size = len(self.index)
        if size == 0 or len(embedded.vectors) == 0:
            return []
        scores, ids = self.index.nearest(embedded.vectors, min(size, _CANDIDATES_PER_WINDOW))
        totals: dict[int, float] = {}
        for row_scores, row_ids in zip(scores, ids, strict=True):
            best: dict[int, float] = {}
            for score, number in zip(
                row_scores.tolist(), document_of(row_ids[row_ids >= 0]).tolist(), strict=False
            ):
                best[number] = max(score, best.get(number, -1.0))
            for number, score in best.items():
                totals[number] = totals.get(number, 0.0) + score
        return sorted(totals, key=lambda number: (-totals[number], number))[:_CANDIDATES]

    def _similarity(
        self, embedded: EmbeddedArticle, number: int, stored: Mapping[int, StoredArticle]
    ) -> float:
        count = max(1, len(stored[number].passages))
        scores, ids = self.index.nearest(embedded.vectors, count, within=ranges_of([number]))
        present = ids[:, 0] >= 0
        # The article may have been deleted since: then nothing can be said, and nothing near is claimed.
        return float(np.clip(scores[present, 0].mean(), -1.0, 1.0)) if present.any() else 0.0


def shingles(text: str) -> set[int]:
    """Hashes of all runs of five words (of all words where there are fewer), without case and punctuation."""
    words = _WORD.findall(canonicalise(text).text.casefold())
    if not words:
        return set()
    length = min(SHINGLE_WORDS, len(words))
    return {hash(tuple(words[first : first + length])) for first in range(len(words) - length + 1)}
