"""Finding the verified record for a post: MAP@5, S@1 and S@10 of the index as it is served, beside BM25 and
beside its vectors alone; with distractors, across languages and across scripts.

Every figure but the BM25 baseline comes from `index.search.RecordSearch` over a database in a temporary
folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from bench.corpus import read_jsonl
from classifiers.models import Encoder
from classifiers.text import LANGUAGES, fold_case
from classifiers.training.claims_data import clean_post
from classifiers.training.transliteration import TO_CYRILLIC, to_cyrillic
from classifiers.training.vectors import VectorCache
from index.lexical import LexicalIndex
from index.passage_index import PassageIndex
from index.records import VerifiedRecord
from index.search import Question, RecordSearch
from index.snapshot import SnapshotFolder
from service.records import RecordIngest
from service.store import open_store

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


def lexical_scores(task: Task) -> Floats:
    """BM25 over all texts of a record together."""
    return Bm25([" ".join(record) for record in task.records], task.language).scores(task.queries)


class CachedEncoder:
    """The encoder of a vector cache, as the index wants it."""

    max_tokens = 512

    model_id = "cached"

    def __init__(self, cache: VectorCache) -> None:
        self._cache = cache
        self.dimension = int(cache.encode(["dimension"], progress=False).shape[1])

    def encode(self, texts: Sequence[str], *, prompt: str = "query: ", progress: bool = False) -> Floats:
        """Vectors (n, d), from the cache where the text was embedded before."""
        return self._cache.encode(texts, progress=progress)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Words, near enough for a bench."""
        return [len(text.split()) for text in texts]


@contextmanager
def opened(
    records: Sequence[VerifiedRecord], encoder: Encoder
) -> Iterator[tuple[RecordSearch, RecordIngest]]:
    """The index over records in a database of its own, and the way to add more."""
    with TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{folder}/tamga.db")
        ingest = RecordIngest(store.records, encoder, chunk_size=2_000)
        for _ in ingest.add(records):
            pass
        index = PassageIndex(store.records, encoder, SnapshotFolder(Path(folder) / "vectors"))
        lexical = LexicalIndex(store.records, Path(folder) / "words")
        index.load()
        lexical.load()
        try:
            yield RecordSearch(store.records, index, lexical), ingest
        finally:
            store.close()


def records_of(task: Task) -> list[VerifiedRecord]:
    """The task's records; ids are their numbers."""
    return [
        VerifiedRecord(
            id=str(number), claim=texts[0][:10_000], title=texts[-1][:2_000] or None, language=task.language
        )
        for number, texts in enumerate(task.records)
    ]


def ranked(search: RecordSearch, task: Task, encoder: Encoder, *, words: bool) -> list[list[int]]:
    """The ten best records of each query by number; -1 for a distractor."""
    questions = [Question(query, task.language) for query in task.queries] if words else None
    found = search.search(search.embed(task.queries), 10, questions=questions)
    return [[int(hit.record.id) if hit.record.id.isdigit() else -1 for hit in hits] for hits in found]


def best_ten(scores: Floats) -> list[list[int]]:
    """The ten best columns of each row."""
    top: list[list[int]] = np.argsort(-scores, axis=1, kind="stable")[:, :10].tolist()
    return top


def per_query(ranking: Sequence[Sequence[int]], relevant: Sequence[set[int]]) -> dict[str, Floats]:
    """Average precision at 5, success at 1 and at 10, per query."""
    precision, first, tenth = [], [], []
    for found_records, right in zip(ranking, relevant, strict=True):
        hits = [rank for rank, record in enumerate(found_records) if record in right]
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


def _intervals(ranking: Sequence[Sequence[int]], relevant: Sequence[set[int]]) -> dict[str, list[float]]:
    return {metric: mean_with_interval(values) for metric, values in per_query(ranking, relevant).items()}


def measure_task(task: Task, others: Sequence[str], encoder: Encoder) -> dict[str, Any]:
    """One task: BM25, vectors, vectors and words; then the same with all distractors in the index."""
    methods = {"BM25": best_ten(lexical_scores(task))}
    with opened(records_of(task), encoder) as (search, ingest):
        methods["vectors"] = ranked(search, task, encoder, words=False)
        methods["vectors + words"] = ranked(search, task, encoder, words=True)
        for _ in ingest.add(
            VerifiedRecord(id=f"other-{number}", claim=text[:10_000])
            for number, text in enumerate(others)
            if text.strip()
        ):
            pass
        methods["vectors, distractors"] = ranked(search, task, encoder, words=False)
        methods["vectors + words, distractors"] = ranked(search, task, encoder, words=True)
    return {
        "queries": len(task.queries), "records": len(task.records), "distractors": len(others),
        "methods": {name: _intervals(ranking, task.relevant) for name, ranking in methods.items()},
    }  # fmt: skip


PAIR_QUERIES = 60
SCRIPT_QUERIES = 300


def measure_languages(rows: list[dict[str, Any]], encoder: Encoder) -> dict[str, Any]:
    """S@1 over all ordered pairs of languages, and of Cyrillic questions to Latin records, with and without
    words: adding them must not hurt where none are shared.
    """
    records = [
        VerifiedRecord(id=f"{number}:{code}", claim=row[code], language=code)
        for number, row in enumerate(rows)
        for code in LANGUAGES
    ]
    figures: dict[str, Any] = {"pairs": {}, "scripts": {}}
    with opened(records, encoder) as (search, _):

        def success(texts: list[str], code: str, target: str, words: bool) -> float:
            questions = [Question(text, code) for text in texts] if words else None
            found = search.search(search.embed(texts), 1, questions=questions, languages=[target])
            return float(np.mean([hits[0].record.id == f"{n}:{target}" for n, hits in enumerate(found)]))

        for words in (False, True):
            name = "vectors + words" if words else "vectors"
            figures["pairs"][name] = {
                f"{one}>{other}": success([row[one] for row in rows[:PAIR_QUERIES]], one, other, words)
                for one in LANGUAGES
                for other in LANGUAGES
                if one != other
            }
            figures["scripts"][name] = {
                code: success(
                    [to_cyrillic(row[code], code) for row in rows[:SCRIPT_QUERIES]], code, code, words
                )
                for code in TO_CYRILLIC
            }
    return figures


def measure(data: Path, cache: VectorCache) -> dict[str, Any]:
    """Every retrieval figure, per task and method."""
    encoder = CachedEncoder(cache)
    tasks = [checkthat(data, "2020", "dev"), checkthat(data, "2022", "devtest"), turkish_claims(data)]
    rows = list(read_jsonl(data / "claims" / "parallel" / "ntrex.jsonl.gz"))
    sentences = [row[language] for row in rows for language in LANGUAGES]
    everything = {text for task in tasks for record in task.records for text in record[:1]}
    figures: dict[str, Any] = {"tasks": {}}
    for task in tasks:
        own = {record[0] for record in task.records}
        figures["tasks"][task.name] = measure_task(task, sorted(everything - own) + sentences, encoder)
    figures["languages"] = measure_languages(rows[:1_000], encoder)
    return figures


def table(figures: dict[str, Any]) -> str:
    """The figures as Markdown."""
    lines = [
        "| queries | records | method | MAP@5 | S@1 | S@10 |",
        "|---|---|---|---|---|---|",
    ]
    for name, task in figures["tasks"].items():
        for method, metrics in task["methods"].items():
            count = task["records"] + (task["distractors"] if "distractors" in method else 0)
            cells = [f"{m:.3f} ({low:.2f}–{high:.2f})" for m, low, high in metrics.values()]
            lines.append(f"| {name} ({task['queries']}) | {count:,} | {method} | {' | '.join(cells)} |")
    lines += ["", "| news sentences, S@1 among 1,000 of the language asked for | vectors | vectors + words |"]
    lines.append("|---|---|---|")
    pairs, scripts = figures["languages"]["pairs"], figures["languages"]["scripts"]
    shares = {name: list(values.values()) for name, values in pairs.items()}
    cells = [f"{np.mean(values):.3f} (worst {min(values):.3f})" for values in shares.values()]
    lines.append(f"| 72 ordered pairs of languages, {PAIR_QUERIES} questions each | {' | '.join(cells)} |")
    for code in scripts["vectors"]:
        cells = [f"{values[code]:.3f}" for values in scripts.values()]
        lines.append(f"| {code}: Cyrillic question, Latin record, {SCRIPT_QUERIES} | {' | '.join(cells)} |")
    return "\n".join(lines)
