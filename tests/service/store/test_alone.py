"""What processes share outside the database is changed by one of them at a time."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from service.store import Store, open_store


def test_one_at_a_time_changes_what_is_shared(store: Store, url: str) -> None:
    """Two processes that wait for each other, here two stores in two threads."""
    other = open_store(url)
    inside: list[str] = []

    def change(at: Store, name: str) -> None:
        for _ in range(5):
            with at.records.alone("vectors"):
                inside.append(name)
                time.sleep(0.01)
                inside.append(name)

    with ThreadPoolExecutor(2) as threads:
        for future in [threads.submit(change, store, "a"), threads.submit(change, other, "b")]:
            future.result(timeout=60)
    assert inside[::2] == inside[1::2]
    with store.records.alone("vectors"), other.articles.alone("vectors"), other.records.alone("rebuild"):
        pass  # other collections and purposes do not wait
    other.close()
