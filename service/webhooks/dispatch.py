"""Deliveries while the service runs: a thread that looks for what is due, and others that send.

Everything is in the database: a process that is killed leaves turns that lapse, and the next one, or another
process, takes them up. An event is therefore delivered at least once, always under the same id.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Final

from service.auth.actor import acting_as
from service.store.deliveries import SqlDeliveryRepository, Turn
from service.webhooks.courier import Courier

log = logging.getLogger(__name__)

ACTOR: Final = "webhooks"
LOOK_EVERY_SECONDS: Final = 1.0
# Senders in all, and for one webhook: a slow receiver has its share and no more.
SENDERS: Final = 32
SENDERS_PER_WEBHOOK: Final = 4
# How much longer than an exchange a turn lasts: for resolving a name and writing the result down.
TURN_MARGIN: Final = timedelta(seconds=15)


class Dispatcher:
    """Sends what is due until it is stopped. `seconds` is the longest that one exchange takes."""

    def __init__(self, deliveries: SqlDeliveryRepository, courier: Courier, *, seconds: float) -> None:
        self._deliveries = deliveries
        self._courier = courier
        self._turn = timedelta(seconds=seconds) + TURN_MARGIN
        self._busy: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._look = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
        self._senders = ThreadPoolExecutor(SENDERS, thread_name_prefix="webhook-sender")

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    def stop(self) -> None:
        """Begin nothing more and wait for what is on its way, which takes no longer than one exchange."""
        self._stopping = True
        self._look.set()
        if self._thread.is_alive():
            self._thread.join()
        self._senders.shutdown(wait=True)

    def _run(self) -> None:
        while not self._stopping:
            self._look.clear()
            try:
                self._begin()
            except Exception:
                # The database is away, say: it will be back.
                log.exception("looking for deliveries failed; it is tried again")
            self._look.wait(LOOK_EVERY_SECONDS)

    def _begin(self) -> None:
        with self._lock:
            busy = dict(self._busy)
        free = SENDERS - sum(busy.values())
        if free <= 0:
            return
        now = datetime.now(UTC)
        turns = self._deliveries.take(
            now, now + self._turn, limit=free, per_webhook=SENDERS_PER_WEBHOOK, busy=busy
        )
        for turn in turns:
            with self._lock:
                self._busy[turn.webhook.id] += 1
            self._senders.submit(self._send, turn)

    def _send(self, turn: Turn) -> None:
        try:
            with acting_as(ACTOR):
                self._deliveries.finish(turn, *self._courier.deliver(turn))
        except Exception:
            log.exception("delivery %s could not be made; it is taken up again", turn.delivery_id)
        finally:
            with self._lock:
                self._busy[turn.webhook.id] -= 1
                if self._busy[turn.webhook.id] == 0:
                    del self._busy[turn.webhook.id]
            # There may be more for this webhook: do not wait for the next look.
            self._look.set()
