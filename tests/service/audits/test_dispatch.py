"""Handing items out: whatever places do, each item has exactly one result, in order."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.audits.dispatch import AHEAD, MAX_ATTEMPTS, Dispatch, Done, Lost, Ready
from service.audits.items import AuditArticle, Item
from service.audits.runner import Audited
from service.errors import PROBLEM_PREFIX, TamgaError

POISON = "poison"


class Places:
    """Places that finish, hang back or are lost, as a seed has it. An item that says so ends its place."""

    def __init__(self, count: int, seed: int = 0, losses: float = 0.0, starts: bool = True) -> None:
        self.places = count
        self.analysed: list[int] = []
        self._draw = random.Random(seed)
        self._losses = losses
        self._starts = starts
        self._up = [False] * count
        self._queues: list[list[tuple[int, Sequence[Item]]]] = [[] for _ in range(count)]

    def send(self, place: int, bundle: int, items: Sequence[Item]) -> None:
        assert self._up[place]
        self._queues[place].append((bundle, items))

    def events(self, seconds: float) -> list[Ready | Done | Lost]:
        place = self._draw.choice([n for n in range(self.places) if self._queues[n] or not self._up[n]])
        if not self._up[place]:
            self._up[place] = self._starts
            return [Ready(place) if self._starts else Lost(place, "no memory")]
        bundle, items = self._queues[place].pop(0)
        results = []
        for item in items:
            self.analysed.append(item.number)
            assert item.source is not None
            if item.source.text == POISON or self._draw.random() < self._losses:
                self._queues[place].clear()
                self._up[place] = False
                return [Lost(place, "killed")]
            results.append(Audited(item.number, {"id": item.id}, {}))
        return [Done(place, bundle, results)]


def items_of(count: int, poison: Sequence[int] = (), first: int = 0) -> Iterator[Item]:
    for number in range(first, first + count):
        if number % 7 == 3:
            yield Item(number, number, None, {"type": "bad"})
        else:
            text = POISON if number in poison else f"text {number}"
            yield Item(number, number, AuditArticle(text=text), None)


@settings(deadline=None, max_examples=80)
@given(
    count=st.integers(0, 300),
    places=st.integers(1, 5),
    seed=st.integers(0, 10_000),
    losses=st.sampled_from([0.0, 0.02, 0.1]),
    first=st.integers(0, 50),
)
def test_each_item_has_one_result_in_order_whatever_is_lost(
    count: int, places: int, seed: int, losses: float, first: int
) -> None:
    fleet = Places(places, seed, losses)
    results = list(Dispatch(fleet).run(items_of(count, first=first)))
    assert [result.number for result in results] == list(range(first, first + count))
    for result in results:
        if result.number % 7 == 3:
            assert result.result["error"] == {"type": "bad"}
        elif losses == 0:
            assert not result.refused
    if losses == 0:
        assert sorted(fleet.analysed) == sorted(set(fleet.analysed))


@pytest.mark.parametrize("places", [1, 3])
def test_an_item_that_ends_its_place_is_given_up_alone(places: int) -> None:
    fleet = Places(places, seed=1)
    results = list(Dispatch(fleet).run(items_of(60, poison=[20, 21, 40])))
    refused = {result.number: result.result["error"] for result in results if result.refused}
    assert {number for number in refused if number % 7 != 3} == {20, 21, 40}
    assert refused[20]["type"] == PROBLEM_PREFIX + "internal-error"
    assert f"{MAX_ATTEMPTS} times" in refused[20]["detail"]
    # The first time others were handed over with it, and which of them it was nobody knows.
    assert all(1 <= fleet.analysed.count(number) <= MAX_ATTEMPTS for number in (20, 21, 40))


def test_no_more_is_read_than_places_need() -> None:
    read = 0

    def source() -> Iterator[Item]:
        nonlocal read
        for item in items_of(10_000):
            read += 1
            yield item

    results = Dispatch(Places(2)).run(source())
    for expected in range(500):
        assert next(results).number == expected
        assert read <= expected + 1 + 2 * AHEAD


def test_places_that_never_work_end_the_audit() -> None:
    with pytest.raises(TamgaError, match="no memory"):
        list(Dispatch(Places(2, starts=False)).run(items_of(5)))
