"""Settings of the newsroom in the database: versions, the log, and what is left to the environment."""

from __future__ import annotations

import threading

import pytest

from service.auth.actor import acting_as
from service.errors import PreconditionFailed
from service.store import Store

ANCHOR = {"ab" * 32: ("-----BEGIN CERTIFICATE-----", "CN=Press council")}


def actions(store: Store) -> list[tuple[str, str, str]]:
    return [(item.actor, item.action, item.subject) for item in store.audit_log.list()]


def test_before_a_change_everything_is_left_to_the_environment(store: Store) -> None:
    found = store.policy.get()
    assert (found.version, found.target_fpr, found.countries) == (0, None, None)
    assert store.policy.anchors() == []
    assert actions(store) == []


def test_a_change_is_kept_and_logged_with_who_made_it(store: Store) -> None:
    with acting_as("acc_1"):
        store.policy.update({"target_fpr": 0.05, "countries": ["KZ", "UZ"]}, version=0)
        changed = store.policy.update({"countries": []})
    assert (changed.version, changed.target_fpr, changed.countries) == (2, 0.05, [])
    assert changed == store.policy.get()
    assert changed.changed_by == "acc_1"
    # None at all is a choice; what nobody chose is the environment's.
    assert store.policy.update({"countries": None}).countries is None
    assert actions(store)[:2] == [("acc_1", "settings.update", "settings")] * 2
    assert store.audit_log.list()[0].detail == {"target_fpr": 0.05, "countries": ["KZ", "UZ"]}
    assert store.audit_log.verify().broken_at is None


def test_a_change_of_an_older_version_is_refused_and_leaves_nothing(store: Store) -> None:
    store.policy.update({"target_fpr": 0.05}, version=0)
    with pytest.raises(PreconditionFailed):
        store.policy.update({"target_fpr": 0.001}, version=0)
    assert store.policy.get().target_fpr == 0.05
    assert len(store.audit_log.list()) == 1


def test_of_changes_at_once_of_one_version_one_is_made(store: Store) -> None:
    done: list[float] = []

    def change(rate: float) -> None:
        try:
            store.policy.update({"target_fpr": rate}, version=0)
            done.append(rate)
        except PreconditionFailed:
            pass

    threads = [threading.Thread(target=change, args=(rate,)) for rate in (0.001, 0.01, 0.05)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 1
    assert store.policy.get().target_fpr == done[0]


def test_anchors_are_trusted_once_and_until_they_are_removed(store: Store) -> None:
    assert store.policy.add_anchors(ANCHOR) == 1
    assert store.policy.add_anchors(ANCHOR) == 0
    (fingerprint,) = ANCHOR
    assert [item.fingerprint for item in store.policy.anchors()] == [fingerprint]
    assert store.policy.get().version == 1
    assert store.policy.remove_anchor(fingerprint)
    assert not store.policy.remove_anchor(fingerprint)
    assert [name for _, name, _ in actions(store)] == ["trust_anchor.add", "trust_anchor.remove"]
