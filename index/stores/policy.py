"""Which vector engine a collection gets, by its size. The reasons are measured by `bench.index_size`."""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from index.stores.base import FileVectorStore, VectorFileError
from index.stores.faiss_flat import FaissFlatStore
from index.stores.faiss_ivf import FaissIvfStore, list_count

EXACT_LIMIT = 100_000
"""Passages up to which every vector is compared; above, lists of 8-bit vectors."""

_GROWN = 4


def read_store(path: Path) -> FileVectorStore:
    """The store written to `path`, of whichever engine; raises VectorFileError for what cannot be one."""
    # A damaged length field must not make FAISS allocate more than the file could ever hold.
    faiss.set_deserialization_vector_byte_limit(path.stat().st_size + 4096)
    try:
        index = faiss.read_index(str(path))
    except Exception as error:  # FAISS raises RuntimeError, and MemoryError on absurd sizes
        raise VectorFileError(f"FAISS cannot read {path.name}: {str(error).splitlines()[0]}") from error
    if isinstance(index, faiss.IndexIVFScalarQuantizer):
        return FaissIvfStore.over(index, path.name)
    return FaissFlatStore.over(index, path.name)


def new_store(
    ids: NDArray[np.int64], vectors: NDArray[np.float32], exact_limit: int = EXACT_LIMIT
) -> FileVectorStore:
    """A store of vectors (n, d) under ids (n,), of the engine that their number asks for."""
    if len(ids) > exact_limit:
        return FaissIvfStore.build(ids, vectors)
    store = FaissFlatStore.empty(vectors.shape[1])
    store.upsert(ids, vectors)
    return store


def outgrown(store: FileVectorStore, exact_limit: int = EXACT_LIMIT) -> bool:
    """Whether another engine, or more lists, would serve the collection better: time to rebuild."""
    if isinstance(store, FaissIvfStore):
        shrunk = 2 * len(store) < exact_limit
        return shrunk or list_count(len(store)) >= _GROWN * store.list_count
    return len(store) > exact_limit
