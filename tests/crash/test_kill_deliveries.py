"""`kill -9` at random moments of a service that delivers webhooks, on both databases: what was acknowledged
is delivered in the end, and nothing is told that did not happen.

The service runs without models, which webhooks do not need, and a day of retries passes in seconds.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from standardwebhooks import Webhook

from service.store import Store, open_store

KILLS = int(os.environ.get("CRASH_KILLS", "5"))
TEXT = "The museum opened its new wing in the presence of guest number {}."

# Imports once, then forks a service for each line on standard input.
SERVICES = """
import os, sys
from datetime import timedelta
from service import cli
import service.app, service.labels.issuing, service.labels.encodings.c2pa, cryptography.fernet
import service.webhooks.dispatch as dispatch, service.webhooks.endpoints as endpoints
import service.webhooks.schedule as schedule
from service.runtime import Runtime
Runtime.load = lambda self: None
schedule.WAITS = (timedelta(seconds=0.3),) * 200
dispatch.LOOK_EVERY_SECONDS = 0.05
dispatch.TURN_MARGIN = timedelta(seconds=0.5)
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        os.close(0)
        sys.exit(cli.run(["serve", "--port", line.strip()]))
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""


class Service:
    """A service on one home that can be started and killed again and again."""

    def __init__(self, home: Path, database_url: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "TAMGA_HOME": str(home),
            "TAMGA_DATABASE_URL": database_url,
            "TAMGA_WEBHOOKS": "true",
            "TAMGA_WEBHOOK_NETWORKS": "127.0.0.0/8",
            "TAMGA_WEBHOOK_SECONDS": "1",
        }
        self._log = (home.parent / "log").open("ab")
        self._parent = subprocess.Popen(
            [sys.executable, "-c", SERVICES],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            bufsize=1,
            env=environment,
        )
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._commands, self._answers = self._parent.stdin, self._parent.stdout
        self._child: int | None = None
        self.client = httpx2.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=20)

    def start(self) -> None:
        self._commands.write(f"{self.port}\n")
        self._child = int(self._answers.readline())
        deadline = time.monotonic() + 120
        while True:
            try:
                self.client.get("/livez")
                return
            except httpx2.TransportError:
                assert time.monotonic() < deadline
                time.sleep(0.02)

    def end(self, how: signal.Signals) -> int:
        assert self._child is not None
        os.kill(self._child, how)
        self._child = None
        return int(self._answers.readline())

    def close(self) -> None:
        if self._child is not None:
            self.end(signal.SIGKILL)
        self._parent.kill()
        self._parent.communicate()
        self._log.close()
        self.client.close()


class Writers:
    """Programs that make labels and pings, and note what was acknowledged."""

    def __init__(self, service: Service, webhook_id: str) -> None:
        self.labels: list[str] = []
        self.pings: list[str] = []
        self._address = f"/v1/webhooks/{webhook_id}/ping"
        self._service = service
        self._counter = 0

    @contextmanager
    def writing(self) -> Iterator[None]:
        ending = threading.Event()
        threads = [
            threading.Thread(target=work, args=(ending,)) for work in (self._label, self._label, self._ping)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            ending.set()
            for thread in threads:
                thread.join()

    def _label(self, ending: threading.Event) -> None:
        while not ending.is_set():
            self._counter += 1
            wanted = {"text": TEXT.format(self._counter), "declared": "none"}
            made = self._post("/v1/labels", wanted, 201)
            if made is not None:
                self.labels.append(made["id"])

    def _ping(self, ending: threading.Event) -> None:
        while not ending.is_set():
            made = self._post(self._address, None, 202)
            if made is not None:
                self.pings.append(made["event_id"])
            time.sleep(0.02)

    def _post(self, address: str, body: Any, expected: int) -> dict[str, Any] | None:
        try:
            answer = self._service.client.post(address, json=body)
        except httpx2.TransportError:
            time.sleep(0.01)
            return None
        assert answer.status_code == expected, answer.text
        made: dict[str, Any] = answer.json()
        return made


@pytest.mark.timeout(1_800)
def test_what_was_acknowledged_is_delivered_in_the_end(
    database_url: str, tmp_path: Path, receiver: Any
) -> None:
    service = Service(tmp_path / "home", database_url)
    draw = random.Random()
    try:
        service.start()
        secrets = {}
        for path in ("/ok", "/fail/1"):
            wanted = {"url": receiver.url + path, "events": ["label.issued"]}
            made = service.client.post("/v1/webhooks", json=wanted)
            assert made.status_code == 201, made.text
            secrets[path] = made.json()["secret"]
        writers = Writers(service, made.json()["id"])
        for _ in range(KILLS):
            before = len(writers.labels)
            with writers.writing():
                deadline = time.monotonic() + 60
                while len(writers.labels) == before:
                    assert time.monotonic() < deadline
                    time.sleep(0.005)
                time.sleep(draw.uniform(0, 1.0))
                assert service.end(signal.SIGKILL) == signal.SIGKILL
            service.start()
        store = open_store(database_url)
        try:
            wait_until_told(store)
            check(store, receiver, secrets, writers)
        finally:
            store.close()
        assert service.end(signal.SIGTERM) in (0, signal.SIGTERM)
    finally:
        service.close()


def wait_until_told(store: Store) -> None:
    webhooks = store.webhooks.list()
    deadline = time.monotonic() + 120 + 5 * KILLS
    while any(store.deliveries.list(webhook.id, "pending", limit=1) for webhook in webhooks):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def check(store: Store, receiver: Any, secrets: dict[str, str], writers: Writers) -> None:
    for webhook in store.webhooks.list():
        assert webhook.enabled
        assert list(store.deliveries.list(webhook.id, "failed", limit=1)) == []
    assert len(writers.labels) >= KILLS
    for path, secret in secrets.items():
        # Each at the moment when it came: the library refuses what is some minutes old.
        events = {one.id: one.event for one in receiver.at(path) if verified(one, secret)}
        assert len(events) == len({one.id for one in receiver.at(path)})
        told = {event["data"]["label_id"] for event in events.values() if event["type"] == "label.issued"}
        assert set(writers.labels) <= told
        # Told, and so committed: nobody hears of a label that is not there.
        assert all(store.labels.get(label_id) is not None for label_id in told)
        # The other way round: every label that is there was told, acknowledged or not.
        assert {label.id for label in store.labels.list(limit=1_000_000)} == told
    assert writers.pings
    assert set(writers.pings) <= {one.id for one in receiver.at("/fail/1")}
    assert store.audit_log.verify().broken_at is None


def verified(one: Any, secret: str) -> bool:
    at = datetime.fromtimestamp(int(one.headers["webhook-timestamp"]), UTC)
    assert abs(one.at - at.timestamp()) < 60
    signature = Webhook(secret).sign(one.id, at, one.body.decode())
    return signature == one.headers["webhook-signature"]
