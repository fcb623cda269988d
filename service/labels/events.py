"""What others in this process hear about labels. Webhooks and the review queue subscribe here."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

log = logging.getLogger(__name__)

LabelEventName = Literal[
    "label.issued", "label.disputed", "label.superseded", "label.revoked", "label.review_needed"
]


@dataclass(frozen=True, slots=True)
class LabelNotice:
    """One event, after its commit. `reasons` says why a review is needed."""

    name: LabelEventName
    label_id: str
    at: datetime
    url: str | None = None
    article_id: str | None = None
    reasons: tuple[str, ...] = ()


class LabelEvents:
    """Subscribers are called in turn, in the thread of the change; one that fails keeps none of the others
    from hearing.
    """

    def __init__(self) -> None:
        self._subscribers: list[Callable[[LabelNotice], None]] = []

    def subscribe(self, subscriber: Callable[[LabelNotice], None]) -> None:
        """Call `subscriber` after every change of a label."""
        self._subscribers.append(subscriber)

    def publish(self, notice: LabelNotice) -> None:
        """Tell everyone."""
        for subscriber in self._subscribers:
            try:
                subscriber(notice)
            except Exception:
                log.exception("a subscriber failed on %s of label %s", notice.name, notice.label_id)
