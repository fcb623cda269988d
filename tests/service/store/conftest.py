"""A store in a temporary folder and an encoder that needs no weights."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from index.passage_index import PassageIndex
from index.search import RecordSearch
from index.snapshot import SnapshotFolder
from service.records import RecordIngest
from service.store import Store, open_store


class TrigramEncoder:
    """Hashed character trigrams: the same text always has the same vector, similar spellings have similar
    ones.
    """

    max_tokens = 512

    def __init__(self, model_id: str = "trigrams-48", dimension: int = 48) -> None:
        self.model_id = model_id
        self.dimension = dimension
        self.encoded = 0

    def encode(
        self, texts: Sequence[str], *, prompt: str = "query: ", progress: bool = False
    ) -> NDArray[np.float32]:
        self.encoded += len(texts)
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            padded = f"  {text} ".lower()
            for place in range(len(padded) - 2):
                digest = hashlib.blake2b(padded[place : place + 3].encode(), digest_size=4).digest()
                row[int.from_bytes(digest[:2]) % self.dimension] += 1 if digest[2] % 2 else -1
            row /= max(float(np.linalg.norm(row)), 1e-6)
        return vectors

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]


@pytest.fixture
def make_encoder() -> type[TrigramEncoder]:
    return TrigramEncoder


@pytest.fixture
def encoder() -> TrigramEncoder:
    return TrigramEncoder()


@pytest.fixture
def url(database_url: str) -> str:
    """Every test that uses a store runs on both databases."""
    return database_url


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = open_store(url)
    yield opened
    opened.close()


@pytest.fixture
def ingest(store: Store, encoder: TrigramEncoder) -> RecordIngest:
    return RecordIngest(store.records, encoder, chunk_size=4)


@pytest.fixture
def open_search(store: Store, encoder: TrigramEncoder, tmp_path: Path) -> Callable[..., RecordSearch]:
    """Bring the index of records up, as a start of the service does."""

    def opened(with_encoder: TrigramEncoder | None = None, at: Store | None = None) -> RecordSearch:
        repository = (at or store).records
        index = PassageIndex(
            repository, with_encoder or encoder, SnapshotFolder(tmp_path / "index" / "records")
        )
        index.load()
        return RecordSearch(repository, index)

    return opened
