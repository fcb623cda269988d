"""A random life of the index against a dictionary: add, correct, delete, search, save, restart, rebuild."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from index.passage_index import PassageIndex
from index.records import VerifiedRecord
from index.search import RecordSearch
from index.snapshot import SnapshotFolder
from service.records import RecordIngest
from service.store import Store, open_store

IDS = [f"r{number}" for number in range(8)]
WORDS = ["tower", "bridge", "river", "census", "letters", "1957", "372", "metres", "north", "opened"]

claims = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(" ".join)
texts = st.none() | st.lists(claims, min_size=1, max_size=3).map(lambda parts: ". ".join(parts) + ".")
records = st.builds(
    lambda record_id, claim, title, text: VerifiedRecord(
        id=record_id, claim=claim, title=title, text=text, language="en"
    ),
    st.sampled_from(IDS),
    claims,
    st.none() | claims,
    texts,
)


class IndexAgainstDictionary(RuleBasedStateMachine):
    make_encoder: Callable[[], Any]
    oracle: dict[str, VerifiedRecord]

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.oracle = {}
        self.encoder = type(self).make_encoder()
        self._open()

    def _open(self) -> None:
        home = Path(self.folder.name)
        self.store: Store = open_store(f"sqlite:///{home / 'tamga.db'}")
        index = PassageIndex(self.store.records, self.encoder, SnapshotFolder(home / "records"))
        index.load()
        assert index.notices == []
        self.search = RecordSearch(self.store.records, index)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            self.folder.cleanup()

    @rule(batch=st.lists(records, min_size=1, max_size=5))
    def add(self, batch: list[VerifiedRecord]) -> None:
        outcomes = list(RecordIngest(self.store.records, self.encoder, chunk_size=3).add(batch))
        for record, outcome in zip(batch, outcomes, strict=True):
            known = self.oracle.get(record.id)
            expected = "added" if known is None else "unchanged" if known == record else "updated"
            assert (outcome.record_id, outcome.status) == (record.id, expected)
            self.oracle[record.id] = record

    @rule(record_id=st.sampled_from(IDS))
    def delete(self, record_id: str) -> None:
        assert self.store.records.delete(record_id) == (record_id in self.oracle)
        self.oracle.pop(record_id, None)

    @rule()
    def save(self) -> None:
        self.search.save()

    @rule()
    def restart(self) -> None:
        self.store.close()
        self._open()

    @rule()
    def rebuild(self) -> None:
        self.search.rebuild()

    @rule(query=claims, top_k=st.integers(1, 9))
    def find(self, query: str, top_k: int) -> None:
        (hits,) = self.search.search([query], top_k)
        vector = self.encoder.encode([query])[0]
        assert [hit.record for hit in hits] == [self.oracle[hit.record.id] for hit in hits]
        for hit in hits:
            assert getattr(hit.record, hit.field)[hit.passage_start : hit.passage_end] == hit.passage
        # The claim is one of a record's passages: its best passage is at least as near.
        floor = sorted(
            (float(vector @ self.encoder.encode([record.claim])[0]) for record in self.oracle.values()),
            reverse=True,
        )
        assert len(hits) == min(top_k, len(self.oracle))
        for hit, least in zip(hits, floor, strict=False):
            assert hit.score >= least - 5e-4  # passages are held in 16-bit floats

    @invariant()
    def nothing_more_and_nothing_less(self) -> None:
        if not hasattr(self, "store"):
            return
        assert {record.id: record for record in self.store.records.list(limit=100)} == self.oracle
        (hits,) = self.search.search(["tower"], 100)
        assert {hit.record.id: hit.record for hit in hits} == self.oracle
        assert len(self.search) == self.store.records.count_passages()


def run(make_encoder: Any, chosen: settings) -> None:
    class Machine(IndexAgainstDictionary):
        pass

    Machine.make_encoder = make_encoder
    Machine.TestCase.settings = chosen
    Machine.TestCase("runTest").runTest()


def test_index_against_dictionary(make_encoder: Any) -> None:
    run(make_encoder, settings(max_examples=12, stateful_step_count=15, deadline=None))


def test_the_machine_notices_a_lost_record(make_encoder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above is worth something: an index that forgets a change is caught."""
    monkeypatch.setattr("index.passage_vectors.apply_changes", lambda *_args: None)
    chosen = settings(
        max_examples=5,
        stateful_step_count=10,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        derandomize=True,
    )
    with pytest.raises(AssertionError):
        run(make_encoder, chosen)
