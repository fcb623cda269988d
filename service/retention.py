"""What is kept, and for how long."""

from __future__ import annotations

from datetime import datetime, timedelta

from service.auth.sessions import WINDOW, limits_of
from service.settings import Settings
from service.store import Store

_PART = 100
# Longer than any upload takes to be stored: one that is not by then was left by a process that died.
_UPLOAD = timedelta(hours=6)


def purge(store: Store, settings: Settings, now: datetime) -> int:
    """Remove what the settings keep no longer: answers kept for repeated requests, sessions that are over,
    events that webhooks heard of, and the texts of articles; their hashes, analyses, labels and decisions
    stay. Returns how many texts were dropped. Raises StoreError.
    """
    store.idempotency.purge(now)
    ended = None if settings.keep_texts_days is None else now - timedelta(days=settings.keep_texts_days)
    store.audits.purge(now - _UPLOAD, ended)
    while store.deliveries.purge(now - timedelta(days=settings.webhook_keep_days), limit=_PART):
        pass
    idle = limits_of(settings).idle
    store.accounts.purge(now, idle_since=now - idle, failures_since=now - WINDOW)
    if settings.keep_texts_days is None:
        return 0
    before = now - timedelta(days=settings.keep_texts_days)
    dropped = 0
    # In parts: whoever else writes need not wait for all of it.
    while part := store.articles.drop_texts(before, limit=_PART):
        dropped += part
    return dropped
