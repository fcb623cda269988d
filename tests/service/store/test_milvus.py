"""The index of records on a Milvus server: shared, switched, checked, and equal to the one in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from index.errors import VectorStoreUnavailable
from index.passage_vectors import IndexInconsistencyError
from index.records import VerifiedRecord
from index.search import RecordSearch
from index.shared_passage_index import SharedPassageIndex
from index.stores.milvus import MilvusServer, MilvusStore
from service.records import RecordIngest
from service.store import Store, open_store

OpenShared = Callable[..., RecordSearch]
TOWNS = ("Osh", "Turan", "Qarshi", "Mary", "Ganja", "Izmir", "Atyrau", "Talas", "Andijan", "Sumqayit")


def record(record_id: str, claim: str, **fields: Any) -> VerifiedRecord:
    return VerifiedRecord.model_validate({"id": record_id, "claim": claim, "language": "en", **fields})


RECORDS = [
    record(
        f"{town}{year}",
        f"In {year} the library of {town} had {year % 97} readers.",
        language="en" if year % 2 else "ky",
        publisher="Kabar" if town < "M" else "Daily",
        valid_from=f"{year}-01-01",
    )
    for town in TOWNS
    for year in (2019, 2020, 2021)
]


@pytest.fixture
def url(sqlite_url: str) -> str:
    """One kind of database: what differs here is the server of the vectors."""
    return sqlite_url


@pytest.fixture
def open_shared(store: Store, encoder: Any, milvus_server: MilvusServer) -> OpenShared:
    """What a process does that comes up."""

    def opened(at: Store | None = None, with_encoder: Any = None) -> RecordSearch:
        repository = (at or store).records
        index = SharedPassageIndex(repository, with_encoder or encoder, milvus_server)
        index.load()
        return RecordSearch(repository, index)

    return opened


@pytest.fixture
def filled(ingest: RecordIngest) -> None:
    list(ingest.add(RECORDS))


@pytest.fixture
def generations(store: Store, milvus_server: MilvusServer) -> Callable[[], list[str]]:
    """The collections of this test's database on the server."""
    names = store.records.store_id().replace("-", "_")
    return lambda: [name for name in milvus_server._connection.ask("list_collections") if names in name]


def found(search: RecordSearch, claim: str, top_k: int = 5, **filters: Any) -> list[tuple[str, float]]:
    (hits,) = search.search([claim], top_k, **filters)
    return [(hit.record.id, round(hit.score, 5)) for hit in hits]


@pytest.mark.usefixtures("filled")
def test_every_search_is_answered_as_in_memory(
    open_shared: OpenShared, open_search: OpenShared, store: Store
) -> None:
    shared, memory = open_shared(), open_search()
    assert isinstance(shared.index.store, MilvusStore)
    assert len(shared) == len(memory) == store.records.count_passages()
    filters: list[dict[str, Any]] = [
        {},
        {"as_of": date(2020, 6, 1)},
        {"languages": ["ky"]},
        {"publishers": ["Kabar"], "languages": ["en"], "as_of": date(2019, 3, 1)},
        {"publishers": ["Nobody"]},
    ]
    for asked in filters:
        for claim in ("The library of Talas had readers in 2021.", "Mary 2019"):
            # All that pass the filter, so that no equal score is cut off; FAISS keeps 16-bit floats.
            one, other = dict(found(shared, claim, 40, **asked)), dict(found(memory, claim, 40, **asked))
            assert one == pytest.approx(other, abs=5e-4)
        assert [hit.record.id for hit in shared.related([RECORDS[5].claim], 3, **asked)] == [
            hit.record.id for hit in memory.related([RECORDS[5].claim], 3, **asked)
        ]


@pytest.mark.usefixtures("filled")
def test_processes_share_what_one_of_them_brought_up_to_date(
    open_shared: OpenShared, url: str, encoder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = open_shared()
    other_store = open_store(url)
    second = open_shared(other_store)
    list(RecordIngest(other_store.records, encoder).add([record("dam", "The dam is 120 metres long.")]))
    assert found(second, "The dam is 120 metres long.", 1)[0][0] == "dam"
    # The first finds the server up to date and writes nothing.
    monkeypatch.setattr(MilvusStore, "upsert", lambda *_: pytest.fail("written twice"))
    assert found(first, "The dam is 120 metres long.", 1)[0][0] == "dam"
    assert first.generation == second.generation
    assert len(first) == len(second)
    monkeypatch.undo()
    other_store.records.delete("dam")
    assert "dam" not in dict(found(first, "The dam is 120 metres long.", 50))
    assert "dam" not in dict(found(second, "The dam is 120 metres long.", 50))
    other_store.close()


@pytest.mark.usefixtures("filled")
def test_a_start_reads_only_what_came_since(
    open_shared: OpenShared, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_shared()
    asked: list[int] = []
    changes = type(store.records).changes

    def noted(self: Any, since: int, **rest: Any) -> Any:
        asked.append(since)
        return changes(self, since, **rest)

    monkeypatch.setattr(type(store.records), "changes", noted)
    again = open_shared()
    assert again.notices == ()
    assert asked == [store.records.revision()]


@pytest.mark.usefixtures("filled")
def test_a_rebuild_switches_everybody_and_leaves_nothing_behind(
    open_shared: OpenShared, store: Store, milvus_server: MilvusServer, generations: Callable[[], list[str]]
) -> None:
    first, second = open_shared(), open_shared()
    (before,) = generations()
    # A rebuild that was killed: its generation was begun and never switched to.
    aborted = milvus_server.begin(first.index._source, 10)  # type: ignore[attr-defined]
    assert len(generations()) == 2
    wanted = found(second, RECORDS[3].claim)
    first.rebuild()
    (after,) = generations()
    assert after not in (before, aborted.name)
    assert found(second, RECORDS[3].claim) == wanted == found(first, RECORDS[3].claim)
    store.records.delete(RECORDS[3].id)
    assert RECORDS[3].id not in dict(found(second, RECORDS[3].claim, 50))


@pytest.mark.usefixtures("filled")
def test_another_encoder_builds_anew_and_stops_the_old_one(
    open_shared: OpenShared, make_encoder: Any, ingest: RecordIngest
) -> None:
    old = open_shared()
    new = open_shared(with_encoder=make_encoder("other", 20))
    assert "the encoder is now other" in new.notices[0]
    assert found(new, RECORDS[0].claim, 1)[0][0] == RECORDS[0].id
    list(ingest.add([record("late", "Came after the change.")]))
    with pytest.raises(IndexInconsistencyError, match="has rebuilt the vectors of records with other"):
        found(old, "anything")


@pytest.mark.usefixtures("filled")
def test_content_that_is_not_the_databases_is_noticed(
    open_shared: OpenShared, generations: Callable[[], list[str]]
) -> None:
    search = open_shared()
    vector_store = search.index.store
    _, ids = vector_store.search(search.embed([RECORDS[0].claim]), 1)
    assert vector_store.delete(ids[0]) == 1
    again = open_shared()
    assert "the index holds" in again.notices[0]
    assert found(again, RECORDS[0].claim, 1)[0][0] == RECORDS[0].id
    assert len(generations()) == 1


@pytest.mark.usefixtures("filled")
def test_a_collection_that_outgrew_its_index_gets_lists(
    store: Store, encoder: Any, milvus_address: str
) -> None:
    server = MilvusServer(milvus_address, exact_limit=len(RECORDS) + 1)
    index = SharedPassageIndex(store.records, encoder, server)
    index.load()
    assert index.store.index_type == "FLAT"  # type: ignore[attr-defined]
    assert not index.save()
    list(RecordIngest(store.records, encoder).add([record(f"more{n}", f"Statement {n}.") for n in range(4)]))
    index.refresh()
    assert index.save()
    assert index.store.index_type == "IVF_SQ8"  # type: ignore[attr-defined]
    assert found(RecordSearch(store.records, index), "Statement 2.", 1)[0][0] == "more2"
    server.close()


@pytest.fixture
def stoppable(tmp_path: Path) -> Iterator[tuple[MilvusServer, Callable[[], None]]]:
    lite = pytest.importorskip("milvus_lite.adapter.grpc.server")
    server, database, port = lite.start_server_in_thread(str(tmp_path / "milvus"))
    adapter = MilvusServer(f"http://127.0.0.1:{port}", seconds=2)

    def stop() -> None:
        server.stop(grace=0).wait()

    yield adapter, stop
    stop()
    adapter.close()
    database.close()


@pytest.mark.usefixtures("filled")
def test_a_server_that_is_gone_is_an_error_in_words_and_soon(
    store: Store, encoder: Any, stoppable: tuple[MilvusServer, Callable[[], None]]
) -> None:
    server, stop = stoppable
    index = SharedPassageIndex(store.records, encoder, server)
    index.load()
    index.store.ping()
    stop()
    started = time.monotonic()
    with pytest.raises(VectorStoreUnavailable, match=r"Milvus at http://127\.0\.0\.1"):
        RecordSearch(store.records, index).search(["anything"])
    with pytest.raises(VectorStoreUnavailable):
        index.store.ping()
    assert time.monotonic() - started < 20
