"""Handing items to several places that work on them, of which any may be lost at any moment.

Every item gets exactly one result, in the order of the items: what a lost place was at is handed out again,
so an item may be analysed more than once, but only one of its results is taken. An item at which its place is
lost again and again gets an error, like one at which the service ends (`work.MAX_ATTEMPTS`).

What a place is the engine knows (`Fleet`): nothing here knows processes, machines or Ray.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from service.audits.items import Item
from service.audits.runner import Audited, refusal
from service.errors import TamgaError

log = logging.getLogger(__name__)

MAX_ATTEMPTS: Final = 5
# Items handed over at once, and bundles at one place: the second is there when the first is done.
BUNDLE: Final = 4
DEPTH: Final = 2
# Items of which the result is awaited, for each place: as far as fast places run ahead of a slow item.
AHEAD: Final = 8 * BUNDLE
_PATIENCE_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Ready:
    """A place has loaded what it needs; before that it is given nothing."""

    place: int


@dataclass(frozen=True, slots=True)
class Done:
    """A bundle has its results."""

    place: int
    bundle: int
    results: Sequence[Audited]


@dataclass(frozen=True, slots=True)
class Lost:
    """A place is gone with all it was at; the fleet sets up another in its stead, which will be `Ready`."""

    place: int
    reason: str


class Fleet(Protocol):
    """Places, numbered from 0, each of which works on its bundles in the order in which they are sent."""

    @property
    def places(self) -> int:
        """How many there are."""

    def send(self, place: int, bundle: int, items: Sequence[Item]) -> None:
        """Have a place work on a bundle."""

    def events(self, seconds: float) -> Sequence[Ready | Done | Lost]:
        """Wait until something happens, at most so long. Results of a place come before its loss.

        Raises TamgaError where no place can work.
        """


@dataclass(slots=True)
class _Work:
    item: Item
    ends: int = 0


class Dispatch:
    """Works on the items of one audit. Reads no further ahead than places need, so that a source of any size
    takes no more memory.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._ready: set[int] = set()
        # By place: its bundles in the order in which it works on them.
        self._at: list[dict[int, list[_Work]]] = [{} for _ in range(fleet.places)]
        self._waiting: deque[_Work] = deque()
        self._awaited: deque[int] = deque()
        self._results: dict[int, Audited] = {}
        self._bundles = 0
        self._failed_starts = 0

    def run(self, items: Iterable[Item]) -> Iterator[Audited]:
        """One result for each item, in order. Raises TamgaError where places are lost before they work."""
        source = iter(items)
        more = True
        while True:
            while more and len(self._awaited) < AHEAD * self._fleet.places:
                item = next(source, None)
                if item is None:
                    more = False
                else:
                    self._take(item)
            self._hand_out()
            while self._awaited and self._awaited[0] in self._results:
                yield self._results.pop(self._awaited.popleft())
            if not self._awaited:
                if not more:
                    return
                continue
            self._listen()

    def _take(self, item: Item) -> None:
        self._awaited.append(item.number)
        if item.source is None:
            self._results[item.number] = refusal(item, item.error or {})
        else:
            self._waiting.append(_Work(item))

    def _hand_out(self) -> None:
        """Give ready places what waits, those with the least first."""
        while self._waiting:
            # What has ended a place goes alone to one that has nothing else, so that it takes nobody along.
            suspect = self._waiting[0].ends > 0
            depth = 1 if suspect else DEPTH
            free = [place for place in self._ready if len(self._at[place]) < depth and not self._risky(place)]
            if not free:
                return
            bundle = [self._waiting.popleft()]
            while not suspect and self._waiting and len(bundle) < BUNDLE and self._waiting[0].ends == 0:
                bundle.append(self._waiting.popleft())
            place = min(free, key=lambda place: (len(self._at[place]), place))
            self._bundles += 1
            self._at[place][self._bundles] = bundle
            self._fleet.send(place, self._bundles, [work.item for work in bundle])

    def _risky(self, place: int) -> bool:
        return any(work.ends for bundle in self._at[place].values() for work in bundle)

    def _listen(self) -> None:
        events = self._fleet.events(_PATIENCE_SECONDS)
        if not events and not self._ready:
            log.warning("no worker could be started yet; the audit waits")
        for event in events:
            match event:
                case Ready(place):
                    self._ready.add(place)
                    self._failed_starts = 0
                case Done(place, number, results):
                    if self._at[place].pop(number, None) is not None:
                        self._results |= {result.number: result for result in results}
                case Lost(place, reason):
                    self._lose(place, reason)

    def _lose(self, place: int, reason: str) -> None:
        if place not in self._ready:
            self._failed_starts += 1
            if self._failed_starts > MAX_ATTEMPTS * self._fleet.places:
                raise TamgaError(f"Workers end before they can work: {reason}")
        self._ready.discard(place)
        bundles = list(self._at[place].values())
        self._at[place] = {}
        again: list[_Work] = []
        for position, bundle in enumerate(bundles):
            for work in bundle:
                if position == 0:
                    # It was at one of these; the others had not begun.
                    work.ends += 1
                if work.ends < MAX_ATTEMPTS:
                    again.append(work)
                    continue
                log.error("item %d is given up: its worker ended %d times", work.item.number, work.ends)
                error = TamgaError(f"The worker ended {work.ends} times while it was at this item.")
                self._results[work.item.number] = refusal(work.item, error.as_error())
        self._waiting.extendleft(reversed(again))
