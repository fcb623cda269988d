"""Which vector engine a collection gets, by its size. The reasons are measured by `bench.index_size`."""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from index.stores.base import SHARD_FILES, FileVectorStore, VectorFileError
from index.stores.faiss_flat import FaissFlatStore
from index.stores.faiss_ivf import FaissIvfStore, list_count
from index.stores.faiss_shards import FaissShardsStore

EXACT_LIMIT = 100_000
"""Passages up to which every vector is compared; above, lists of 8-bit vectors."""

SHARD_LIMIT = 4_000_000
"""Passages up to which lists are kept in memory, and all vectors while they are built; above, in files."""

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
    store = FaissFlatStore.over(index, path.name)
    if any(path.parent.glob(SHARD_FILES)):
        return FaissShardsStore.open(store, path.parent)
    return store


def new_store(
    ids: NDArray[np.int64], vectors: NDArray[np.float32], exact_limit: int = EXACT_LIMIT
) -> FileVectorStore:
    """A store of vectors (n, d) under ids (n,), of the engine that their number asks for."""
    if len(ids) > exact_limit:
        return FaissIvfStore.build(ids, vectors)
    store = FaissFlatStore.empty(vectors.shape[1])
    store.upsert(ids, vectors)
    return store


def outgrown(store: FileVectorStore, exact_limit: int = EXACT_LIMIT, shard_limit: int = SHARD_LIMIT) -> bool:
    """Whether another engine, or more lists, would serve the collection better: time to rebuild."""
    if isinstance(store, FaissShardsStore):
        return 2 * len(store) < shard_limit
    if isinstance(store, FaissIvfStore):
        shrunk = 2 * len(store) < exact_limit
        more_lists = list_count(len(store)) >= _GROWN * store.list_count
        return shrunk or more_lists or len(store) > shard_limit
    return len(store) > exact_limit
