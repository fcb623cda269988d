"""How many reviews wait, by everything that the queue is filtered by."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field

from service.reviews.model import kinds_of

if TYPE_CHECKING:
    from service.store import Store


class QueueCounts(BaseModel):
    """Reviews that are not decided. One of several kinds counts for each of them."""

    undecided: int
    locked: int = Field(description="Of these, taken by somebody at this moment.")
    by_stage: dict[str, int]
    by_kind: dict[str, int]
    by_language: dict[str, int]
    by_outlet: dict[str, int] = Field(description="Those without an outlet are not among them.")


def count_queue(store: Store, now: datetime) -> QueueCounts:
    """Count what waits."""
    counts = store.reviews.counts()
    kinds: Counter[str] = Counter()
    for bits, reviews in counts.kinds.items():
        for kind in kinds_of(bits):
            kinds[kind] += reviews
    outlets = Counter({name: reviews for name, reviews in counts.outlets.items() if name})
    return QueueCounts(
        undecided=sum(counts.stages.values()),
        locked=store.reviews.locked_count(now),
        by_stage=counts.stages,
        by_kind=dict(kinds),
        by_language=dict(Counter(counts.languages).most_common()),
        by_outlet=dict(outlets.most_common()),
    )
