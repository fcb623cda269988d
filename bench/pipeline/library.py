"""What the pipeline's benches read: articles of 400 words and a home with an index of any size.

Articles are runs of sentences of the parallel corpus in one language each. Every other sentence of theirs has
a record in the index that states the same in another language; all other records are background: the words
of the sample records, numbered, with vectors that are mixtures of two real sentence vectors and noise.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.corpus import read_jsonl
from bench.index_size import mixtures
from classifiers.models import Encoder, load_encoder
from classifiers.text import LANGUAGES
from index.records import VerifiedRecord
from service.library import open_library
from service.records import RecordIngest
from service.samples import sample_records
from service.settings import load_settings

WORDS = 400
ARTICLES_PER_LANGUAGE = 2
_MIXED_ROWS = 150
_NUMBERED = re.compile(r"\((\d+)\)$")


@dataclass(frozen=True, slots=True)
class BenchArticle:
    """An article and the statements in another language that the index holds of it."""

    id: str
    language: str
    text: str
    statements: tuple[str, ...]
    statement_language: str


def articles(data: Path) -> list[BenchArticle]:
    """Two articles in each of the nine languages; no sentence stands in two of one language."""
    rows = list(read_jsonl(data / "claims" / "parallel" / "ntrex.jsonl.gz"))
    made = []
    # Other sentences for each language: translations of one article would meet each other's records.
    lines = iter(rows)
    for code in LANGUAGES:
        other = "tr" if code == "en" else "en"
        for number in range(ARTICLES_PER_LANGUAGE):
            taken = _enough(lines, code)
            text = " ".join(row[code] for row in taken)
            statements = tuple(row[other] for row in taken[::2])
            made.append(BenchArticle(f"{code}-{number}", code, text, statements, other))
    return made


def _enough(lines: Iterator[dict[str, str]], code: str) -> list[dict[str, str]]:
    taken, words = [], 0
    for row in lines:
        taken.append(row)
        words += len(row[code].split())
        if words >= WORDS:
            break
    return taken


def stated_records(found: Sequence[BenchArticle]) -> list[VerifiedRecord]:
    """The records that the articles have."""
    return [
        VerifiedRecord(id=f"{article.id}-{number}", claim=claim, language=article.statement_language)
        for article in found
        for number, claim in enumerate(article.statements)
    ]


def background_records(count: int) -> Iterator[VerifiedRecord]:
    """Sample records with a number of their own each."""
    for number, record in zip(range(count), itertools.cycle(sample_records()), strict=False):
        yield VerifiedRecord(
            id=f"background-{number}", claim=f"{record.claim} ({number})", language=record.language
        )


class NumberedVectors:
    """An encoder that knows the vectors of numbered texts and lets another compute the rest."""

    def __init__(self, encoder: Encoder, vectors: NDArray[np.float32]) -> None:
        self._encoder = encoder
        self._vectors = vectors
        self.model_id, self.dimension = encoder.model_id, encoder.dimension
        self.max_tokens = encoder.max_tokens

    def encode(
        self, texts: Sequence[str], *, prompt: str = "query: ", progress: bool = False
    ) -> NDArray[np.float32]:
        numbers = [_NUMBERED.search(text) for text in texts]
        plain = [text for text, number in zip(texts, numbers, strict=True) if number is None]
        computed = iter(self._encoder.encode(plain, prompt=prompt))
        return np.stack(
            [next(computed) if number is None else self._vectors[int(number.group(1))] for number in numbers]
        )

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._encoder.count_tokens(texts)


def prepare_home(home: Path, data: Path, records: int) -> None:
    """Fill a new home; nothing is done where it is complete."""
    done = home / "bench.json"
    if done.exists() and json.loads(done.read_text())["records"] == records:
        return
    encoder = load_encoder()
    found = articles(data)
    stated = stated_records(found)
    rows = list(read_jsonl(data / "claims" / "parallel" / "ntrex.jsonl.gz"))[-_MIXED_ROWS:]
    real = encoder.encode([row[code] for row in rows for code in LANGUAGES])
    background = records - len(stated)
    vectors = mixtures(real, background, np.random.default_rng(0))
    home.mkdir(parents=True, exist_ok=True)
    np.save(home / "background.npy", vectors)
    library = open_library(load_settings(home=home), encoder)
    ingest = RecordIngest(library.store.records, NumberedVectors(encoder, vectors), chunk_size=2_000)
    for _ in ingest.add(itertools.chain(stated, background_records(background))):
        pass
    library.close()
    done.write_text(json.dumps({"records": records}))
