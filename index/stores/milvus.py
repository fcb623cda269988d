"""Vectors in Milvus: for collections that one machine cannot hold, and for many processes over one of them.

The database stays the truth. Each generation is a Milvus collection of its own; an alias names the one that
is searched, so that a switch is one step. Encoder and revision stand in the properties of the collection.
Reads are strongly consistent: what one process has written the next one finds.

Needs pymilvus (the extra `cluster`), imported on first use.
"""

from __future__ import annotations

import re
import secrets
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from index.errors import VectorStoreUnavailable
from index.stores.base import IdRanges
from index.stores.faiss_flat import checked_pairs, checked_vectors
from index.stores.milvus_connection import MilvusConnection
from index.stores.milvus_filters import held_filters, id_filters, search_filters
from index.stores.policy import EXACT_LIMIT
from index.stores.shared import SharedVectorStore, VectorSource

MOST_RESULTS: Final = 16_384
"""Most results of one question that Milvus gives, and most rows of one query."""

_BLOCK_BITS: Final = 16
_ROWS_AT_ONCE: Final = 5_000
_MODEL: Final = "tamga.model_id"
_REVISION: Final = "tamga.revision"
_INDEX: Final = "tamga.index"
_FLAT: Final = "FLAT"
_LISTS: Final = "IVF_SQ8"
# Milvus indexes each of its segments (by default up to 1 GB) by itself: lists and lists read per segment.
_INDEX_PARAMETERS: Final = {_FLAT: {}, _LISTS: {"nlist": 1024}}
_SEARCH_PARAMETERS: Final = {_FLAT: {}, _LISTS: {"nprobe": 48}}


class MilvusStore:
    """One generation. `name` is the collection's, or the alias of the current one: then other processes may
    move it to the next generation between two calls, and searches follow.

    At most MOST_RESULTS results are found for a question.
    """

    # In a large collection Milvus compares numbers of eight bits.
    exact = False

    def __init__(self, connection: MilvusConnection, name: str, collection: str) -> None:
        self.name = name
        self.collection = collection
        self._connection = connection
        described = connection.ask("describe_collection", collection)
        properties = described["properties"]
        self.model_id = str(properties.get(_MODEL, ""))
        self.index_type = str(properties.get(_INDEX, _FLAT))
        self._dimension = next(
            int(field["params"]["dim"]) for field in described["fields"] if field["name"] == "vector"
        )
        self._count: int | None = None

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        return self._dimension

    def revision(self) -> int:
        """Last revision of the database up to which it holds everything; -1 where that was never noted."""
        described = self._connection.ask("describe_collection", self.collection)
        return int(described["properties"].get(_REVISION, -1))

    def reached(self, revision: int) -> None:
        """Note that it holds everything up to this revision."""
        self._connection.ask("alter_collection_properties", self.collection, {_REVISION: str(revision)})

    def ping(self) -> None:
        """Is the collection there and loaded? Raises VectorStoreUnavailable where not."""
        state = self._connection.ask("get_load_state", self.name)["state"]
        if state.name != "Loaded":
            raise VectorStoreUnavailable(
                f"Milvus at {self._connection.address}: the collection {self.name} is not loaded"
            )

    def __len__(self) -> int:
        """How many vectors are held; what others changed counts in the store that `current` returns next."""
        if self._count is None:
            (row,) = self._connection.ask(
                "query", self.name, output_fields=["count(*)"], consistency_level="Strong"
            )
            self._count = int(row["count(*)"])
        return self._count

    def upsert(self, ids: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Add vectors (n, d) under ids (n,), replacing those held under the same id; of a repeated id the
        last counts.
        """
        ids, vectors = checked_pairs(ids, vectors, self.dimension)
        self._count = None
        for first in range(0, len(ids), _ROWS_AT_ONCE):
            rows = [
                {"id": number, "block": number >> _BLOCK_BITS, "vector": vector}
                for number, vector in zip(
                    ids[first : first + _ROWS_AT_ONCE].tolist(),
                    vectors[first : first + _ROWS_AT_ONCE],
                    strict=True,
                )
            ]
            self._connection.ask("upsert", self.name, rows)

    def delete(self, ids: NDArray[np.int64]) -> int:
        """Remove vectors by id, ids not held being ignored; returns how many were removed."""
        return self._delete([row for part in id_filters(ids) for row in self._held(part)])

    def delete_ranges(self, ranges: IdRanges) -> int:
        """Remove every vector whose id lies in the ranges; returns how many were removed."""
        found = [row for part in held_filters(ranges, _BLOCK_BITS) for row in self._held(part)]
        held = np.unique(np.array(found, dtype=np.int64))
        return self._delete(held[ranges.contain(held)].tolist())

    def search(
        self, queries: NDArray[np.float32], k: int, *, within: IdRanges | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The k best of each query (m, d), best first, as scores (m, k) and ids (m, k); id -1 where there are
        fewer.
        """
        queries = checked_vectors(queries, self.dimension)
        if k < 1:
            raise ValueError(f"k must be positive, not {k}")
        scores = np.full((len(queries), k), -np.inf, dtype=np.float32)
        ids = np.full((len(queries), k), -1, dtype=np.int64)
        if len(queries) == 0:
            return scores, ids
        for part in [""] if within is None else search_filters(within, _BLOCK_BITS):
            more_scores, more_ids = self._search(queries, k, part)
            scores, ids = np.hstack([scores, more_scores]), np.hstack([ids, more_ids])
            best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
            scores, ids = np.take_along_axis(scores, best, axis=1), np.take_along_axis(ids, best, axis=1)
        return scores, ids

    def _search(
        self, queries: NDArray[np.float32], k: int, part: str
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        found = self._connection.ask(
            "search",
            self.name,
            data=list(queries),
            anns_field="vector",
            limit=min(k, MOST_RESULTS),
            filter=part,
            output_fields=["id"],
            search_params={"metric_type": "IP", "params": _SEARCH_PARAMETERS[self.index_type]},
            consistency_level="Strong",
        )
        scores = np.full((len(queries), k), -np.inf, dtype=np.float32)
        ids = np.full((len(queries), k), -1, dtype=np.int64)
        for row, hits in enumerate(found):
            scores[row, : len(hits)] = [hit["distance"] for hit in hits]
            ids[row, : len(hits)] = [hit["id"] for hit in hits]
        return scores, ids

    def _held(self, part: str) -> list[int]:
        """The ids held that pass a filter."""
        asked: dict[str, Any] = {"filter": part, "output_fields": ["id"], "consistency_level": "Strong"}
        rows = self._connection.ask("query", self.name, limit=MOST_RESULTS, **asked)
        if len(rows) == MOST_RESULTS:
            pages = self._connection.pages(self.name, batch_size=MOST_RESULTS, **asked)
            rows = [row for page in pages for row in page]
        return [int(row["id"]) for row in rows]

    def _delete(self, ids: list[int]) -> int:
        self._count = None
        for first in range(0, len(ids), _ROWS_AT_ONCE):
            self._connection.ask("delete", self.name, ids=ids[first : first + _ROWS_AT_ONCE])
        return len(ids)


class MilvusServer:
    """The generations of one Milvus server, in one of its databases.

    Databases of Tamga keep apart there by their identity, which is part of every name; a copy of a database
    has the same, and needs a Milvus database of its own.
    """

    def __init__(
        self,
        uri: str,
        *,
        token: str | None = None,
        database: str | None = None,
        seconds: float = 20.0,
        exact_limit: int = EXACT_LIMIT,
    ) -> None:
        """Connect. Raises VectorStoreUnavailable where nobody answers at `uri` within `seconds` or the token
        is refused, ModuleNotFoundError without pymilvus.
        """
        self._connection = MilvusConnection(uri, token=token, database=database, seconds=seconds)
        self._exact_limit = exact_limit

    def close(self) -> None:
        """Give the connection up."""
        self._connection.close()

    def current(self, source: VectorSource) -> MilvusStore | None:
        """The generation that is searched, of whichever encoder; None where there is none."""
        alias = _alias(source)
        collection = self._target(alias)
        return MilvusStore(self._connection, alias, collection) if collection is not None else None

    def begin(self, source: VectorSource, expected: int) -> MilvusStore:
        """A new, empty generation for about so many vectors, which nobody searches yet."""
        from pymilvus import DataType, MilvusClient  # type: ignore[import-untyped, unused-ignore]

        alias = _alias(source)
        self._drop_generations(alias, kept=self._target(alias))
        name = f"{alias}_{secrets.token_hex(6)}"
        index_type = _FLAT if expected <= self._exact_limit else _LISTS
        schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("id", DataType.INT64, is_primary=True)
        # The high bits of the id by themselves: a filter of whole documents is a list of numbers.
        schema.add_field("block", DataType.INT64)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=source.dimension)
        indexes = MilvusClient.prepare_index_params()
        indexes.add_index(
            "vector", index_type=index_type, metric_type="IP", params=_INDEX_PARAMETERS[index_type]
        )
        indexes.add_index("block", index_type="INVERTED")
        self._connection.ask(
            "create_collection",
            name,
            schema=schema,
            index_params=indexes,
            consistency_level="Strong",
            properties={_MODEL: source.model_id, _INDEX: index_type},
        )
        return MilvusStore(self._connection, name, name)

    def switch(self, source: VectorSource, store: SharedVectorStore, revision: int) -> MilvusStore:
        """Let every search go to a generation that holds everything up to this revision, and remove the one
        before.
        """
        assert isinstance(store, MilvusStore)
        alias = _alias(source)
        store.reached(revision)
        there = self._target(alias) is not None
        self._connection.ask("alter_alias" if there else "create_alias", store.collection, alias)
        self._drop_generations(alias, kept=store.collection)
        return MilvusStore(self._connection, alias, store.collection)

    def outgrown(self, store: SharedVectorStore) -> bool:
        """Whether another kind of index would serve the vectors better."""
        assert isinstance(store, MilvusStore)
        if store.index_type == _FLAT:
            return len(store) > self._exact_limit
        return 2 * len(store) < self._exact_limit

    def _target(self, alias: str) -> str | None:
        """The collection that an alias names; None where there is no such alias."""
        # To describe an alias that is absent is an error like any other.
        for name in self._generations(alias):
            if alias in self._connection.ask("list_aliases", name)["aliases"]:
                return name
        return None

    def _generations(self, alias: str) -> list[str]:
        pattern = re.compile(re.escape(alias) + "_[0-9a-f]{12}")
        return [name for name in self._connection.ask("list_collections") if pattern.fullmatch(name)]

    def _drop_generations(self, alias: str, *, kept: str | None) -> None:
        for name in self._generations(alias):
            if name != kept:
                self._connection.ask("drop_collection", name)


def _alias(source: VectorSource) -> str:
    # Milvus takes letters, digits and underscores.
    return re.sub(r"\W", "_", f"tamga_{source.store_id}_{source.collection}", flags=re.ASCII)
