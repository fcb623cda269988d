"""`kill -9` of a service in the middle of reviewers' decisions, on both databases: every acknowledged one is
there once, with its label, its entry in the audit log and its event; none is there in part.

The service runs without models, which reviews do not need. CRASH_KILLS sets the number of kills.
"""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest
from forks import ForkedService, Forks

from service.labels.history import first_break
from service.labels.opening import LabelOffice
from service.labels.verification import verify
from service.settings import Settings
from service.store import Store, open_store
from service.store.labels import StoredLabel
from service.store.reviews import ReviewFilter, StoredReview

KILLS = int(os.environ.get("CRASH_KILLS", "2"))
REVIEWERS: Final = 2
ALL: Final = 1_000_000
TEXT = "The gallery showed the works of painter number {} for the first time."

CODE = """
import service.app, service.commands.serve, service.labels.encodings.c2pa, service.labels.issuing
import service.labels.verification, service.reviews.desk, uvicorn
import cryptography.fernet, sqlalchemy.dialects.postgresql.psycopg
from service.cli import run as tamga
from service.runtime import Runtime
Runtime.load = lambda self: None

def run(port):
    return tamga(["serve", "--port", port])
"""


@dataclass
class Case:
    """What one reviewer did with one review, in order; only the last step can be without an answer."""

    steps: list[str] = field(default_factory=list)
    labels: list[str | None] = field(default_factory=list)
    open_step: str | None = None

    def count(self, step: str) -> tuple[int, int]:
        """How often it was done: at least, at most."""
        done = self.steps.count(step)
        return done, done + (self.open_step == step)


class Desk:
    """A newsroom with an editor, who hands in texts, and reviewers, who decide and change their minds."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.cases: dict[str, Case] = {}
        self.waiting: list[str] = []
        self.errors: list[str] = []
        self.tokens: dict[str, str] = {}
        self._texts = 0

    def open(self, receiver_url: str) -> None:
        """Make keys and a webhook for everything."""
        with httpx2.Client(base_url=self.address, timeout=30) as client:
            for name, role in [("admin", "admin"), ("editor", "editor")] + [
                (f"reviewer {n}", "reviewer") for n in range(REVIEWERS)
            ]:
                made = client.post("/v1/keys", json={"name": name, "role": role})
                assert made.status_code == 201, made.text
                self.tokens[name] = made.json()["token"]
                client.headers["Authorization"] = f"Bearer {self.tokens['admin']}"
            made = client.post("/v1/webhooks", json={"url": receiver_url})
            assert made.status_code == 201, made.text

    @contextmanager
    def working(self) -> Iterator[None]:
        """Everybody works until the service does not answer any more."""
        threads = [threading.Thread(target=self._work, args=("editor", self._hand_in))]
        for number in range(REVIEWERS):
            work = threading.Thread(target=self._work, args=(f"reviewer {number}", self._decide, number))
            threads.append(work)
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            for thread in threads:
                thread.join()

    @property
    def decided(self) -> int:
        """Decisions that were acknowledged."""
        return sum(case.steps.count("decide") for case in self.cases.values())

    def _work(self, name: str, turn: Any, *arguments: Any) -> None:
        headers = {"Authorization": f"Bearer {self.tokens[name]}"}
        draw = random.Random()
        with httpx2.Client(base_url=self.address, headers=headers, timeout=30) as client:
            while True:
                try:
                    turn(client, draw, *arguments)
                except httpx2.TransportError:
                    return

    def _hand_in(self, client: httpx2.Client, draw: random.Random) -> None:
        self._texts += 1
        body = {"text": TEXT.format(self._texts), "language": "en", "actor": "desk"}
        made = self._sent(client, "/v1/labels", body)
        if made is not None:
            assert made["status"] == "draft"
            self.waiting.append(made["id"])
        time.sleep(draw.uniform(0, 0.05))

    def _decide(self, client: httpx2.Client, draw: random.Random, number: int) -> None:
        page = client.get("/v1/reviews", params={"limit": 200, "sort": "age"})
        assert page.status_code == 200, page.text
        mine = [
            review["id"]
            for review in page.json()["items"]
            # Each has reviews of their own, and leaves alone what was cut off under their hands.
            if int(review["id"][-1], 16) % REVIEWERS == number and review["id"] not in self.cases
        ]
        if not mine:
            time.sleep(0.01)
            return
        review_id = draw.choice(mine)
        if draw.random() < 0.3:
            client.post(f"/v1/reviews/{review_id}/lock")
        case = self.cases[review_id] = Case()
        for _ in range(draw.choice((1, 1, 2))):
            decision = {"action": "change", "involvement": draw.choice(("none", "assisted", "generated"))}
            label = {"action": "dismiss"} if draw.random() < 0.2 else decision
            made = self._step(client, review_id, case, "decide", "decision", {"label": label})
            if made is None:
                return
            case.labels.append(made["issued_label_id"])
            if draw.random() < 0.6 or self._step(client, review_id, case, "undo", "undo", {}) is None:
                return

    def _step(
        self, client: httpx2.Client, review_id: str, case: Case, step: str, end: str, body: dict[str, Any]
    ) -> dict[str, Any] | None:
        case.open_step = step
        made = self._sent(client, f"/v1/reviews/{review_id}/{end}", body)
        if made is not None:
            case.open_step = None
            case.steps.append(step)
        return made

    def _sent(self, client: httpx2.Client, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        answer = client.post(path, json=body)
        if not answer.is_success:
            self.errors.append(f"{path}: {answer.status_code} {answer.text}")
            return None
        made: dict[str, Any] = answer.json()
        return made


@pytest.mark.timeout(3_600)
def test_decisions_are_there_once_and_whole(
    database_url: str, tmp_path: Path, kills: Any, receiver: Any
) -> None:
    home, draw = tmp_path / "home", random.Random()
    settings = Settings(home=home, database_url=database_url)
    environment = {
        "TAMGA_HOME": str(home),
        "TAMGA_DATABASE_URL": database_url,
        "TAMGA_REVIEW_OVERLAP": "0",
        "TAMGA_WEBHOOKS": "true",
        "TAMGA_WEBHOOK_NETWORKS": "127.0.0.0/8",
    }
    with Forks(CODE, tmp_path / "log", **environment) as forks:
        service = ForkedService(forks)
        service.start()
        desk = Desk(service.address)
        desk.open(receiver.url + "/ok")
        checked: set[str] = set()
        for _ in range(KILLS):
            before = desk.decided
            with desk.working():
                deadline = time.monotonic() + 120
                while desk.decided == before:
                    assert time.monotonic() < deadline, (desk.errors, forks.said())
                    time.sleep(0.005)
                time.sleep(draw.uniform(0, 0.7))
                assert service.end() == signal.SIGKILL
            kills.settle()
            assert desk.errors == []
            checked |= check(settings, desk, checked)
            service.start()
        assert service.end(signal.SIGTERM) in (0, signal.SIGTERM), forks.said()
    # Every label once more: what came later has not touched them.
    check(settings, desk, set())
    assert desk.decided >= KILLS


def check(settings: Settings, desk: Desk, checked: set[str]) -> set[str]:
    """Look at everything, at signatures only of labels not in `checked`. Returns the labels issued."""
    store = open_store(settings.database)
    try:
        told = Told(store)
        labels = {label.id: label for label in store.labels.list(limit=ALL)}
        reviews = store.reviews.page(ReviewFilter(), sort="age", after=None, limit=ALL, now=datetime.now(UTC))
        assert desk.cases.keys() <= {review.id for review in reviews}
        # A text that was handed in is a label that waits and its review, both or neither.
        assert set(desk.waiting) <= {review.label_id for review in reviews}
        handed_in = [label.id for label in labels.values() if label.jws is None]
        assert sorted(handed_in) == sorted(review.label_id or "" for review in reviews)
        issued: list[str] = []
        for review in reviews:
            issued += check_review(store, review, desk.cases.get(review.id, Case()), labels, told)
        # No label was issued but by a decision that is there, and each by one.
        assert sorted(issued) == sorted(label.id for label in labels.values() if label.jws is not None)
        assert all(told.events["label.issued", label_id] == 1 for label_id in issued)
        undecided = sum(review.state != "decided" for review in reviews)
        assert sum(store.reviews.counts().stages.values()) == undecided
        assert store.audit_log.verify().broken_at is None
        assert first_break(store.labels.log(), whole_log=True) is None
        check_signatures(settings, store, [labels[name] for name in issued if name not in checked])
        return set(issued)
    finally:
        store.close()


class Told:
    """How often the audit log and the outbox tell of what."""

    def __init__(self, store: Store) -> None:
        self.log = Counter((entry.action, entry.subject) for entry in store.audit_log.list(limit=ALL))
        (webhook,) = store.webhooks.list()
        self.events: Counter[tuple[str, str]] = Counter()
        for delivery in store.deliveries.list(webhook.id, limit=ALL):
            data = json.loads(delivery.body)["data"]
            self.events[delivery.event, data.get("review_id") or data.get("label_id")] += 1


def check_review(
    store: Store, review: StoredReview, case: Case, labels: dict[str, StoredLabel], told: Told
) -> list[str]:
    """One review with its opinions, its history and its labels; returns the labels issued by it."""
    whole = store.reviews.whole(review.id)
    assert whole is not None
    _, opinions, events = whole
    kinds = Counter(event.kind for event in events)
    undone = [opinion for opinion in opinions if opinion.undone_at is not None]
    least, most = case.count("decide")
    assert least <= len(opinions) <= most
    assert len(opinions) == kinds["decided"] == told.log["review.decide", review.id]
    assert len(opinions) == told.events["review.decided", review.id]
    least, most = case.count("undo")
    assert least <= len(undone) <= most
    assert len(undone) == kinds["undone"] == told.log["review.undo", review.id]
    assert len(undone) == told.events["review.undone", review.id]
    assert told.log["review.open", review.id] == told.events["review.opened", review.id] == 1
    # One opinion decides here, as long as it counts.
    assert len(opinions) - len(undone) == (review.state == "decided") == (review.decided_at is not None)

    issued_by = [event.detail["label_id"] for event in events if event.kind == "decided"]
    assert issued_by[: len(case.labels)] == case.labels
    standing = None
    for opinion, label_id in zip(opinions, issued_by, strict=True):
        assert (label_id is None) == (opinion.outcome == "dismissed")
        if label_id is not None:
            revoked = opinion.undone_at is not None
            assert labels[label_id].status == ("revoked" if revoked else "active")
            assert labels[label_id].involvement == opinion.outcome
            standing = None if revoked else label_id
    assert review.issued_label_id == standing
    assert review.label_id is not None
    outcomes = {opinion.outcome for opinion in opinions}
    ended = "revoked" if "dismissed" in outcomes else "superseded" if outcomes else "draft"
    assert labels[review.label_id].status == ended
    return [label_id for label_id in issued_by if label_id is not None]


def check_signatures(settings: Settings, store: Store, labels: list[StoredLabel]) -> None:
    desk = LabelOffice(settings).desk(store)
    for label in labels:
        found = verify(desk, jws=label.jws)
        assert (found.signature, found.status) == ("valid", label.status)
        assert found.verdict == ("valid" if label.status == "active" else "not_valid")
