"""When a delivery that failed is tried again, and when a webhook that keeps failing is ended."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Final, Literal

# Soon at first, for a receiver that restarts; then over about a day, for one that somebody has to mend.
WAITS: Final = (
    timedelta(seconds=5),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=8),
    timedelta(hours=8),
)
# Added to a wait, up to this share of it: what failed together does not come back together.
JITTER: Final = 0.2
# A receiver that asks for more than this is not being patient but gone.
MOST_ASKED: Final = timedelta(hours=24)
# Longer than a weekend without a single success.
DISABLE_AFTER: Final = timedelta(days=4)
GONE: Final = 410


def next_attempt(
    now: datetime, tries: int, *, asked: float | None = None, draw: random.Random | None = None
) -> datetime | None:
    """When to try again after `tries` tries in this round; None: never.

    `asked` is what the receiver's Retry-After says, in seconds: it is not bothered before.
    """
    if tries > len(WAITS):
        return None
    spread = (draw or random).uniform(1.0, 1.0 + JITTER)
    wait = WAITS[tries - 1] * spread
    if asked is not None:
        wait = max(wait, min(MOST_ASKED, timedelta(seconds=asked)))
    return now + wait


def ending(
    status: int | None, failing_since: datetime | None, now: datetime
) -> Literal["gone", "failing"] | None:
    """Whether a failed attempt ends the webhook: it says that it is gone, or has failed for days."""
    if status == GONE:
        return "gone"
    if failing_since is not None and now - failing_since > DISABLE_AFTER:
        return "failing"
    return None
