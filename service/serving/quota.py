"""How many requests a caller may send: a token bucket for each."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import Final

from service.errors import QuotaExceeded

# A caller forgotten has a full bucket again; there are more callers than this only where somebody makes keys
# for sport.
_MAX_CALLERS: Final = 10_000


class Quota:
    """At most `per_minute` requests of one caller on average, up to a quarter of them at once."""

    def __init__(self, per_minute: int | None) -> None:
        self._rate = None if per_minute is None else per_minute / 60.0
        self._burst = 1.0 if per_minute is None else max(per_minute / 4.0, 1.0)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, caller: str) -> None:
        """Count a request. Raises QuotaExceeded."""
        if self._rate is None:
            return
        now = time.monotonic()
        with self._lock:
            tokens, since = self._buckets.pop(caller, (self._burst, now))
            tokens = min(tokens + (now - since) * self._rate, self._burst)
            allowed = tokens >= 1.0
            self._buckets[caller] = (tokens - 1.0 if allowed else tokens, now)
            if len(self._buckets) > _MAX_CALLERS:
                self._buckets.popitem(last=False)
        if not allowed:
            limit = round(self._rate * 60)
            raise QuotaExceeded(
                f"Your key may send {limit} requests a minute.", retry_after=(1.0 - tokens) / self._rate
            )
