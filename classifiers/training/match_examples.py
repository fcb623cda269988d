"""Examples of claims and records about the same statement, and of near misses: what the match calibration is
fitted and measured on.

Across languages the positives are translations; within one, the written variants (a changed number is still
about the same statement) and, in Turkish, posts with their expert claims. Negatives are the nearest
sentences of other rows, same document included, since those are what a search returns when the right record
is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.stance.match import language_pair
from classifiers.text import LANGUAGES
from classifiers.training.claims_data import Row, calibration_documents, clean_post, read_rows
from classifiers.training.vectors import VectorCache

NEAREST = 3

QUARTERS = 4
"""Parts that the documents are divided in; curves for one are fitted on the others."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Examples:
    """Cosines with labels for one pair of languages. ``groups`` are documents, so that folds do not share
    stories.
    """

    cosines: Floats
    labels: NDArray[np.int64]
    groups: NDArray[Any]


def hardest(queries: Floats, records: Floats, forbidden: NDArray[np.bool_]) -> Floats:
    """Cosines ``(n, NEAREST)`` of the nearest records that are not forbidden for the query."""
    scores = np.where(forbidden, -1, queries @ records.T)
    return np.sort(scores, axis=1)[:, -NEAREST:]


@dataclass(frozen=True, slots=True)
class Parallel:
    """The parallel sentences with their vectors by language. All are records; ``asked`` are the numbers of
    the sentences that search: those of documents that the encoder was not trained on.
    """

    rows: list[Row]
    vectors: dict[str, Floats]
    asked: NDArray[np.int64]

    @property
    def documents(self) -> NDArray[Any]:
        """The document of every row."""
        return np.array([row["doc"] for row in self.rows])

    def asked_documents(self) -> list[str]:
        """Documents of the sentences that search, sorted."""
        return sorted(set(self.documents[self.asked].tolist()))

    def only(self, documents: set[str]) -> Parallel:
        """The same records, searched by sentences of ``documents`` alone."""
        kept = np.isin(self.documents[self.asked], sorted(documents))
        return Parallel(self.rows, self.vectors, self.asked[kept])

    def cosines(self, one: str, other: str) -> Floats:
        """Of every sentence that searches in ``one`` with every record in ``other``."""
        return np.asarray(self.vectors[one][self.asked] @ self.vectors[other].T, np.float32)

    def hidden(self, *, story_absent: bool) -> NDArray[np.bool_]:
        """Which records are taken out for each sentence that searches: its own, or its whole document."""
        if story_absent:
            return np.asarray(self.documents[self.asked][:, None] == self.documents[None, :])
        return np.asarray(self.asked[:, None] == np.arange(len(self.rows))[None, :])


def translations(parallel: Parallel) -> Iterator[tuple[str, Examples]]:
    """One set per unordered pair of different languages, searched in both directions."""
    asked, vectors = parallel.asked, parallel.vectors
    documents = parallel.documents[asked]
    own = parallel.hidden(story_absent=False)
    for i, one in enumerate(LANGUAGES):
        for other in LANGUAGES[i + 1 :]:
            right = np.sum(vectors[one][asked] * vectors[other][asked], axis=1)
            wrong = [hardest(vectors[a][asked], vectors[b], own) for a, b in ((one, other), (other, one))]
            cosines = np.concatenate([right, right, *(w.ravel() for w in wrong)])
            labels = np.concatenate([np.ones(2 * len(asked), int), np.zeros(2 * len(asked) * NEAREST, int)])
            groups = np.concatenate([documents, documents, *([np.repeat(documents, NEAREST)] * 2)])
            yield language_pair(one, other), Examples(cosines, labels, groups)


def same_language(data: Path, parallel: Parallel, cache: VectorCache) -> Iterator[tuple[str, Examples]]:
    """One set per language from the written variants against all parallel sentences of that language."""
    rows, vectors = parallel.rows, parallel.vectors
    variants = read_rows(data / "claims" / "stance" / "turkic-variants.jsonl.gz")
    positions = {row["row"]: i for i, row in enumerate(rows)}
    for language in LANGUAGES:
        own = [v for v in variants if v["lang"] == language]
        claims = cache.encode([v["claim"] for v in own])
        at = np.array([positions[v["row"]] for v in own])
        right = np.sum(claims * vectors[language][at], axis=1)
        about_it = np.array([v["variant"] != "related" for v in own])
        forbidden = np.zeros((len(own), len(rows)), bool)
        forbidden[np.arange(len(own)), at] = True
        wrong = hardest(claims, vectors[language], forbidden)
        documents = np.array([rows[i]["doc"] for i in at])
        cosines = np.concatenate([right, wrong.ravel()])
        labels = np.concatenate([about_it.astype(int), np.zeros(wrong.size, int)])
        groups = np.concatenate([documents, np.repeat(documents, NEAREST)])
        if language == "tr":
            posts = turkish_posts(data, cache)
            cosines = np.concatenate([cosines, posts.cosines])
            labels = np.concatenate([labels, posts.labels])
            groups = np.concatenate([groups, posts.groups])
        yield language_pair(language, language), Examples(cosines, labels, groups)


def turkish_posts(data: Path, cache: VectorCache) -> Examples:
    """Posts against their own expert claim and the nearest other claims."""
    pairs = [p for p in read_rows(data / "claims" / "trclaim19" / "pairs.jsonl.gz") if p["relevant"]]
    claims = sorted({p["claim"] for p in pairs})
    posts, records = cache.encode([clean_post(p["query"]) for p in pairs]), cache.encode(claims)
    at = np.array([claims.index(p["claim"]) for p in pairs])
    forbidden = at[:, None] == np.arange(len(claims))[None, :]
    wrong = hardest(posts, records, forbidden)
    groups = np.array([f"tr19-{i}" for i in at])
    return Examples(
        np.concatenate([np.sum(posts * records[at], axis=1), wrong.ravel()]),
        np.concatenate([np.ones(len(at), int), np.zeros(wrong.size, int)]),
        np.concatenate([groups, np.repeat(groups, NEAREST)]),
    )


Material = tuple[dict[str, Examples], Parallel]


def read_examples(data: Path, cache: VectorCache) -> Material:
    """All examples by pair of languages, and the parallel sentences."""
    rows = read_rows(data / "claims" / "parallel" / "ntrex.jsonl.gz")
    vectors = {language: cache.encode([row[language] for row in rows]) for language in LANGUAGES}
    kept = calibration_documents(data)
    parallel = Parallel(rows, vectors, np.array([i for i, row in enumerate(rows) if row["doc"] in kept]))
    return dict([*translations(parallel), *same_language(data, parallel, cache)]), parallel


def part(examples: Examples, documents: set[str], *, inside: bool) -> Examples:
    """The examples whose document is, or is not, among ``documents``; posts are divided by their claim's
    number.
    """
    keep = np.array([_is_of(group, documents) == inside for group in examples.groups.tolist()])
    return Examples(examples.cosines[keep], examples.labels[keep], examples.groups[keep])


def _is_of(group: str, documents: set[str]) -> bool:
    return int(group[5:]) % QUARTERS != 0 if group.startswith("tr19-") else group in documents
