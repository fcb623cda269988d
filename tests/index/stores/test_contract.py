"""What every vector engine has to keep to: one suite over all of them; the oracle is NumPy over a dictionary.

Filters by time, language and publisher are no part of it: they are questions to the database, which hands the
engine the ids that remain (`within`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from numpy.typing import NDArray

from index.stores.base import IdRanges
from index.stores.faiss_flat import FaissFlatStore

BASE = 40
BLOCK = 1 << 16

Units = Callable[..., NDArray[np.float32]]
Found = tuple[NDArray[np.float32], NDArray[np.int64]]


def ids(*values: int) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)


def ranges(*pairs: tuple[int, int]) -> IdRanges:
    return IdRanges(ids(*(start for start, _ in pairs)), ids(*(stop for _, stop in pairs)))


def check(
    found: Found, oracle: dict[int, NDArray[np.float32]], query: NDArray[np.float32], k: int, error: float
) -> None:
    """One row of results is what an exact scan of the oracle gives, up to `error` in the scores."""
    scores, numbers = found[0][0], found[1][0]
    expected = {number: float(vector @ query) for number, vector in oracle.items()}
    held = [int(number) for number in numbers if number >= 0]
    assert len(held) == len(set(held)) == min(k, len(expected))
    assert (numbers[len(held) :] == -1).all()
    assert np.isneginf(scores[len(held) :]).all()
    own = [expected[number] for number in held]
    np.testing.assert_allclose(scores[: len(held)], own, atol=error)
    assert (np.diff(scores[: len(held)]) <= 1e-6).all()
    # None of the vectors left out is better than one taken, beyond what rounding explains.
    np.testing.assert_array_less(
        sorted(expected.values(), reverse=True)[: len(held)], np.sort(own)[::-1] + 2 * error
    )


class StoreAgainstDictionary(RuleBasedStateMachine):
    """Random upserts, deletions and re-openings; after each step searches equal the exact scan."""

    engine: Any
    units: Units

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.oracle = {number: self.units(number)[0] for number in range(BASE)}
        self.store = self.engine.start(np.arange(BASE), self.units(*range(BASE)), Path(self.folder.name))

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()

    @rule(pairs=st.lists(st.tuples(st.integers(0, BASE + 20), st.integers(200, 900)), max_size=8))
    def upsert(self, pairs: list[tuple[int, int]]) -> None:
        self.store.upsert(ids(*(number for number, _ in pairs)), self.units(*(seed for _, seed in pairs)))
        self.oracle.update({number: self.units(seed)[0] for number, seed in pairs})

    @rule(numbers=st.lists(st.integers(0, BASE + 25), max_size=6))
    def delete(self, numbers: list[int]) -> None:
        assert self.store.delete(ids(*numbers)) == len(self.oracle.keys() & set(numbers))
        self._forget(numbers)

    @rule(
        bounds=st.lists(st.integers(0, BASE + 25), min_size=2, max_size=6, unique=True).map(sorted),
    )
    def delete_ranges(self, bounds: list[int]) -> None:
        pairs = list(zip(bounds[::2], bounds[1::2], strict=False))
        gone = [number for number in self.oracle if any(start <= number < stop for start, stop in pairs)]
        assert self.store.delete_ranges(ranges(*pairs)) == len(gone)
        self._forget(gone)

    @rule()
    def reopen(self) -> None:
        self.store = self.engine.reopen(self.store, Path(self.folder.name))

    @rule(
        seed=st.integers(0, 1_000),
        k=st.integers(1, 12),
        start=st.integers(0, BASE),
        length=st.integers(0, 20),
    )
    def search_within(self, seed: int, k: int, start: int, length: int) -> None:
        allowed = {number: v for number, v in self.oracle.items() if start <= number < start + length}
        query = self.units(seed)
        found = self.store.search(query, k, within=ranges((start, start + length)))
        check(found, allowed, query[0], k, self.engine.score_error)

    @invariant()
    def searches_equal_the_scan(self) -> None:
        if not hasattr(self, "store"):
            return
        assert len(self.store) == len(self.oracle)
        query = self.units(5)
        check(self.store.search(query, 7), self.oracle, query[0], 7, self.engine.score_error)

    def _forget(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            self.oracle.pop(number, None)


def run(engine: Any, units: Units, chosen: settings) -> None:
    class Machine(StoreAgainstDictionary):
        pass

    Machine.engine, Machine.units = engine, staticmethod(units)
    run_state_machine_as_test(Machine, settings=chosen)


def test_store_against_dictionary(engine: Any, units: Units) -> None:
    run(
        engine, units, settings(max_examples=engine.examples, stateful_step_count=engine.steps, deadline=None)
    )


@pytest.mark.parametrize("engine", ["faiss-flat"], indirect=True)
def test_the_machine_notices_a_lost_deletion(
    engine: Any, units: Units, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above is worth something: a store that keeps what it was told to delete is caught."""
    monkeypatch.setattr(FaissFlatStore, "delete_ranges", lambda _self, _ranges: 0)
    chosen = settings(
        max_examples=10, stateful_step_count=10, deadline=None, database=None,
        phases=[Phase.generate], derandomize=True,
    )  # fmt: skip
    with pytest.raises(AssertionError):
        run(engine, units, chosen)


@pytest.fixture
def store(engine: Any, units: Units, tmp_path: Path) -> Any:
    """A store with the unit vectors 0 to 39 under their numbers."""
    return engine.start(np.arange(BASE), units(*range(BASE)), tmp_path)


_UNCHANGED: dict[int, Any] = {}


@pytest.fixture
def unchanged(engine: Any, units: Units, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Such a store, one for all tests that leave it as it is."""
    if id(engine) not in _UNCHANGED:
        folder = tmp_path_factory.mktemp("unchanged")
        _UNCHANGED[id(engine)] = engine.start(np.arange(BASE), units(*range(BASE)), folder)
    return _UNCHANGED[id(engine)]


def test_many_questions_at_once_equal_one_by_one(engine: Any, unchanged: Any, units: Units) -> None:
    oracle = {number: units(number)[0] for number in range(BASE)}
    queries = units(*range(500, 512))
    scores, numbers = unchanged.search(queries, 5)
    assert scores.shape == numbers.shape == (12, 5)
    for row, query in enumerate(queries):
        check((scores[row : row + 1], numbers[row : row + 1]), oracle, query, 5, engine.score_error)


def test_no_question_has_no_answer(unchanged: Any, units: Units) -> None:
    scores, numbers = unchanged.search(units(), 3)
    assert scores.shape == numbers.shape == (0, 3)


def test_a_new_vector_is_found_at_once_and_a_replaced_one_by_its_new_form_only(
    store: Any, units: Units
) -> None:
    store.upsert(ids(100, 3), units(600, 601))
    assert len(store) == BASE + 1
    scores, numbers = store.search(units(600, 601), 1)
    assert numbers[:, 0].tolist() == [100, 3]
    assert scores[:, 0] == pytest.approx([1, 1], abs=1e-3)
    scores, numbers = store.search(units(3), BASE + 1)
    assert sorted(numbers[0].tolist()) == [*range(BASE), 100]
    # Under 3 the old vector would have had the score 1.
    assert dict(zip(numbers[0].tolist(), scores[0].tolist(), strict=True))[3] < 0.95


def test_large_ids(store: Any, units: Units) -> None:
    number = (1 << 62) + 12345
    store.upsert(ids(number), units(700))
    assert store.search(units(700), 1)[1][0, 0] == number
    assert store.delete(ids(number)) == 1


def test_the_last_of_repeated_ids_counts(store: Any, units: Units) -> None:
    store.upsert(ids(44, 44), units(701, 702))
    assert len(store) == BASE + 1
    scores, numbers = store.search(units(702), 1)
    assert numbers[0, 0] == 44
    assert scores[0, 0] == pytest.approx(1, abs=1e-3)


def test_whole_documents_within_which_is_searched(engine: Any, store: Any, units: Units) -> None:
    """Ids as the passage index makes them: the document above the 16th bit, the passage below."""
    numbers = [document * BLOCK + passage for document in range(1, 30) for passage in range(3)]
    store.upsert(ids(*numbers), units(*range(800, 800 + len(numbers))))
    vectors = dict(zip(numbers, units(*range(800, 800 + len(numbers))), strict=True))
    documents = [2, 3, 7, 11, 28]
    within = ranges(*((document * BLOCK, (document + 1) * BLOCK) for document in documents))
    allowed = {number: vector for number, vector in vectors.items() if number // BLOCK in documents}
    for k in (1, 4, 40):
        query = units(5)
        check(store.search(query, k, within=within), allowed, query[0], k, engine.score_error)
    assert store.search(units(5), 3, within=ranges())[1].tolist() == [[-1, -1, -1]]
    # What a changed document has fewer of is deleted from its last passage on.
    tails = ranges(*((document * BLOCK + 1, (document + 1) * BLOCK) for document in documents))
    assert store.delete_ranges(tails) == 2 * len(documents)
    firsts = {number: vector for number, vector in allowed.items() if number % BLOCK == 0}
    check(store.search(units(5), 40, within=within), firsts, units(5)[0], 40, engine.score_error)


def test_everything_deleted(store: Any, units: Units) -> None:
    assert store.delete_ranges(ranges((0, 1 << 62))) == BASE
    assert len(store) == 0
    scores, numbers = store.search(units(1), 3)
    assert numbers.tolist() == [[-1, -1, -1]]
    assert np.isneginf(scores).all()
    assert store.delete(ids(1)) == 0


def test_opened_again(engine: Any, store: Any, units: Units, tmp_path: Path) -> None:
    store.upsert(ids(1 << 40), units(703))
    store.delete(ids(5))
    again = engine.reopen(store, tmp_path)
    assert len(again) == BASE
    assert again.dimension == store.dimension
    oracle = {number: units(number)[0] for number in range(BASE) if number != 5} | {1 << 40: units(703)[0]}
    query = units(9)
    check(again.search(query, 50), oracle, query[0], 50, engine.score_error)
    # What was opened can be changed.
    again.upsert(ids(9), units(704))
    assert again.delete(ids(3)) == 1
    assert len(again) == BASE - 1


def test_health(unchanged: Any) -> None:
    unchanged.ping()


@pytest.mark.parametrize(
    ("numbers", "vectors", "message"),
    [
        (ids(1), np.zeros((1, 5), dtype=np.float32), "shape"),
        (ids(1, 2), np.zeros((1, 16), dtype=np.float32), "as many ids"),
        (ids(-1), np.zeros((1, 16), dtype=np.float32), "negative"),
        (ids(1), np.full((1, 16), np.nan, dtype=np.float32), "finite"),
        (ids(1), np.full((1, 16), np.inf, dtype=np.float32), "finite"),
    ],
)
def test_bad_vectors_are_refused(
    unchanged: Any, numbers: NDArray[np.int64], vectors: NDArray[np.float32], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        unchanged.upsert(numbers, vectors)
    assert len(unchanged) == BASE


def test_bad_searches_are_refused(unchanged: Any, units: Units) -> None:
    for k in (0, -1):
        with pytest.raises(ValueError, match="k must be positive"):
            unchanged.search(units(1), k)
    with pytest.raises(ValueError, match="shape"):
        unchanged.search(units(1)[0], 1)
