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
    stages: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    languages: Counter[str] = Counter()
    outlets: Counter[str] = Counter()
    for item in store.reviews.counts():
        stages[item.stage] += item.reviews
        languages[item.language] += item.reviews
        for kind in kinds_of(item.kinds):
            kinds[kind] += item.reviews
        if item.outlet is not None:
            outlets[item.outlet] += item.reviews
    return QueueCounts(
        undecided=stages.total(),
        locked=store.reviews.locked_count(now),
        by_stage=dict(stages),
        by_kind=dict(kinds),
        by_language=dict(languages.most_common()),
        by_outlet=dict(outlets.most_common()),
    )
