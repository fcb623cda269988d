"""Refreshing feeds while the service runs: fetched in a thread of their own, embedded in the model thread."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Final

from index.records import VerifiedRecord
from service.auth.actor import acting_as
from service.feeds.refresh import FeedRefresh, Refreshed, fetcher_of
from service.records import CHUNK_SIZE, IngestOutcome
from service.runtime import Runtime
from service.serving.worker import ModelWorker, WorkerState
from service.settings import Settings
from service.store.feeds import Feed
from service.store.store import Store

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS: Final = 30


class ServedIngest:
    """Adds records by way of the model thread, chunk by chunk, so that analyses get their turn in between."""

    def __init__(self, worker: ModelWorker) -> None:
        self._worker = worker

    def add(self, items: Iterable[VerifiedRecord]) -> Iterator[IngestOutcome]:
        """See `RecordIngest.add`; not for the event loop's thread, which it would block."""
        records = list(items)
        for first in range(0, len(records), CHUNK_SIZE):
            chunk = records[first : first + CHUNK_SIZE]
            yield from self._worker.submit(partial(_add, records=chunk)).result()


def _add(runtime: Runtime, records: list[VerifiedRecord]) -> list[IngestOutcome]:
    return list(runtime.library.ingest.add(records))


def refresh_now(worker: ModelWorker, store: Store, settings: Settings, feed: Feed) -> Refreshed:
    """Refresh one feed; nothing was changed where another process has its turn just now. Blocks."""
    refreshing = FeedRefresh(store, ServedIngest(worker), fetcher_of(settings))
    return next(iter(refreshing.refresh(feed)), Refreshed(feed.id))


async def refresh_regularly(worker: ModelWorker, store: Store, settings: Settings) -> None:
    """Refresh feeds when they are due, as long as fetching is switched on. When each is due stands in the
    store: a restart neither forgets a turn nor takes one twice.
    """
    if not settings.fetching:
        return
    refreshing = FeedRefresh(store, ServedIngest(worker), fetcher_of(settings))
    while True:
        await asyncio.sleep(LOOK_EVERY_SECONDS)
        if worker.state is not WorkerState.READY:
            continue
        try:
            with acting_as("feeds"):
                await asyncio.to_thread(lambda: list(refreshing.due()))
        except Exception:
            log.exception("refreshing feeds failed; it is tried again")
