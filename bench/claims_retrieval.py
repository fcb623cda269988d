"""Finding the verified record for a post: MAP@5, S@1 and S@10 of the encoder against BM25, with
distractors.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from bench.corpus import read_jsonl
from classifiers.text import fold_case
from classifiers.training.claims_data import clean_post
from classifiers.training.vectors import VectorCache

Floats = NDArray[np.float32]
_WORD = re.compile(r"\w+")


class Bm25:
    """Okapi BM25 over lower-case words, the lexical baseline."""

    def __init__(self, documents: Sequence[str], language: str, k1: float = 1.2, b: float = 0.75) -> None:
        self._language = language
        self._vocabulary: dict[str, int] = {}
        rows, columns = [], []
        for row, document in enumerate(documents):
            for word in self._words(document):
                rows.append(row)
                columns.append(self._vocabulary.setdefault(word, len(self._vocabulary)))
        shape = (len(documents), len(self._vocabulary))
        counts = sp.coo_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape).tocsr()
        lengths = np.asarray(counts.sum(axis=1)).ravel()
        norm = k1 * (1 - b + b * lengths / lengths.mean())
        weighted = counts.tocoo()
        weighted.data = weighted.data * (k1 + 1) / (weighted.data + norm[weighted.row])
        frequency = np.asarray((counts > 0).sum(axis=0)).ravel()
        idf = np.log(1 + (len(documents) - frequency + 0.5) / (frequency + 0.5))
        self._weights = (weighted.tocsr() @ sp.diags(idf)).T.tocsr()

    def _words(self, text: str) -> list[str]:
        return _WORD.findall(fold_case(text, self._language))

    def scores(self, queries: Sequence[str]) -> Floats:
        """BM25 of every document for every query, shape ``(queries, documents)``."""
        rows, columns = [], []
        for row, query in enumerate(queries):
            known = {self._vocabulary[w] for w in self._words(query) if w in self._vocabulary}
            rows += [row] * len(known)
            columns += list(known)
        shape = (len(queries), len(self._vocabulary))
        bags = sp.coo_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape).tocsr()
        return np.asarray((bags @ self._weights).todense(), np.float32)


@dataclass(frozen=True, slots=True)
class Task:
    """Queries, records (several texts each) and, per query, the numbers of its right records."""

    name: str
    language: str
    queries: list[str]
    records: list[list[str]]
    relevant: list[set[int]]


def checkthat(data: Path, year: str, split: str) -> Task:
    """Posts against 10,000 and more fact-checked claims, each with claim and title.

    Many records stand twice, the quotation marks or a capital apart, and only one of the two is marked as
    right. They are grouped, as the product does, for every method alike.
    """
    folder = data / "claims" / f"checkthat{year}"
    groups: dict[str, int] = {}
    texts: list[list[str]] = []
    group_of: dict[str, int] = {}
    for record in read_jsonl(folder / "records.jsonl.gz"):
        key = "".join(_WORD.findall(fold_case(record["claim"], "en")))
        group = group_of[record["id"]] = groups.setdefault(key, len(groups))
        if group == len(texts):
            texts.append([record["claim"], record["title"]])
    queries = list(read_jsonl(folder / f"{split}.jsonl.gz"))
    return Task(
        f"checkthat{year} {split}",
        "en",
        [clean_post(query["query"]) for query in queries],
        texts,
        [{group_of[i] for i in query["relevant"] if i in group_of} for query in queries],
    )


def turkish_claims(data: Path) -> Task:
    """Turkish posts against the experts' claims; a post's own claim is the right one."""
    pairs = list(read_jsonl(data / "claims" / "trclaim19" / "pairs.jsonl.gz"))
    claims = sorted({p["claim"] for p in pairs})
    relevant = [p for p in pairs if p["relevant"]]
    return Task(
        "trclaim19",
        "tr",
        [clean_post(p["query"]) for p in relevant],
        [[claim] for claim in claims],
        [{claims.index(p["claim"])} for p in relevant],
    )


def dense_scores(task: Task, cache: VectorCache, distractors: Sequence[str] = ()) -> Floats:
    """Best cosine over the texts of a record; distractors are further records of one text."""
    queries = cache.encode(task.queries)
    texts = max(len(record) for record in task.records)
    columns = [
        cache.encode([record[min(i, len(record) - 1)] for record in task.records]) for i in range(texts)
    ]
    scores = np.max([queries @ vectors.T for vectors in columns], axis=0)
    return np.hstack([scores, queries @ cache.encode(distractors).T]) if distractors else scores


def lexical_scores(task: Task) -> Floats:
    """BM25 over all texts of a record together."""
    return Bm25([" ".join(record) for record in task.records], task.language).scores(task.queries)


# Chosen on the checkthat2020 training queries among sixteen pairs of weights; cosines of hits lie some 0.02
# apart.
_WORDS, _LETTERS = 0.02, 0.04


def fused_scores(task: Task, dense: Floats) -> Floats:
    """Cosine plus a little of BM25 and of the overlap in letter groups of four, each scaled to its best
    record.

    Letter groups survive case endings and spelling, which words do not; equal weights would drown the cosine.
    """
    texts = [" ".join(record) for record in task.records]
    groups = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(4, 4), min_df=2, sublinear_tf=True, dtype=np.float32
    )
    letters = np.asarray(_letter_scores(groups, texts, task.queries).todense())
    return dense + _WORDS * _scaled(lexical_scores(task)) + _LETTERS * _scaled(letters)


def _letter_scores(groups: TfidfVectorizer, texts: Sequence[str], queries: Sequence[str]) -> Any:
    records = groups.fit_transform(texts)
    return groups.transform(queries) @ records.T


def _scaled(scores: Floats) -> Floats:
    return scores / (scores.max(axis=1, keepdims=True) + 1e-6)


def per_query(scores: Floats, relevant: Sequence[set[int]]) -> dict[str, Floats]:
    """Average precision at 5, success at 1 and at 10, per query."""
    top = np.argsort(-scores, axis=1, kind="stable")[:, :10]
    precision, first, tenth = [], [], []
    for ranked, right in zip(top.tolist(), relevant, strict=True):
        hits = [rank for rank, record in enumerate(ranked) if record in right]
        found = [(n + 1) / (rank + 1) for n, rank in enumerate(hits) if rank < 5]
        precision.append(sum(found) / min(5, max(1, len(right))))
        first.append(float(0 in hits))
        tenth.append(float(bool(hits)))
    return {"map5": np.array(precision), "s1": np.array(first), "s10": np.array(tenth)}


def mean_with_interval(values: Floats, rounds: int = 2000) -> list[float]:
    """Mean and 95% bootstrap interval over queries."""
    rng = np.random.default_rng(0)
    means = values[rng.integers(0, len(values), (rounds, len(values)))].mean(axis=1)
    return [float(values.mean()), *(float(v) for v in np.percentile(means, [2.5, 97.5]))]


def _intervals(scores: Floats, relevant: Sequence[set[int]]) -> dict[str, list[float]]:
    return {metric: mean_with_interval(values) for metric, values in per_query(scores, relevant).items()}


def measure(data: Path, cache: VectorCache) -> dict[str, Any]:
    """Every retrieval figure, per task and method."""
    tasks = [checkthat(data, "2020", "dev"), checkthat(data, "2022", "devtest"), turkish_claims(data)]
    sentences = [
        row[language]
        for row in read_jsonl(data / "claims" / "parallel" / "ntrex.jsonl.gz")
        for language in ("az", "kk", "ky", "tr", "uz", "tk", "hu", "ru", "en")
    ]
    everything = {text for task in tasks for record in task.records for text in record[:1]}
    figures: dict[str, Any] = {}
    for task in tasks:
        own = {record[0] for record in task.records}
        others = sorted(everything - own) + sentences
        methods = {
            "BM25": lexical_scores(task),
            "encoder": (dense := dense_scores(task, cache)),
            "encoder + words + letters": fused_scores(task, dense),
            "encoder + distractors": dense_scores(task, cache, others),
        }
        figures[task.name] = {
            "queries": len(task.queries), "records": len(task.records), "distractors": len(others),
            "methods": {name: _intervals(scores, task.relevant) for name, scores in methods.items()},
        }  # fmt: skip
    return figures


def table(figures: dict[str, Any]) -> str:
    """The figures as Markdown."""
    lines = [
        "| queries | records | method | MAP@5 | S@1 | S@10 |",
        "|---|---|---|---|---|---|",
    ]
    for name, task in figures.items():
        for method, metrics in task["methods"].items():
            count = task["records"] + (task["distractors"] if "distractors" in method else 0)
            cells = [f"{m:.3f} ({low:.2f}–{high:.2f})" for m, low, high in metrics.values()]
            lines.append(f"| {name} ({task['queries']}) | {count:,} | {method} | {' | '.join(cells)} |")
    return "\n".join(lines)
