"""docs/webhooks.md: its code accepts what we send and nothing else; its lists are complete."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import WebhookVerificationError

from service.webhooks.events import EVENT_NAMES
from service.webhooks.schedule import WAITS
from service.webhooks.signing import signed_headers
from service.webhooks.vault import new_secret

PAGE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
BODY = '{"type":"label.issued","data":{"state":"жасанды"}}'

Receive = Callable[[str, dict[str, str], bytes], dict[str, Any]]


@pytest.fixture(params=BLOCKS, ids=["package", "standard library"])
def receive(request: pytest.FixtureRequest) -> Receive:
    names: dict[str, Any] = {}
    exec(request.param, names)
    receive: Receive = names["receive"]
    return receive


def test_what_we_send_is_accepted_also_while_the_secret_is_rotated(receive: Receive) -> None:
    old, new = new_secret(), new_secret()
    headers = signed_headers("msg_1", datetime.now(UTC), BODY, [new, old])
    for secret in (old, new):
        assert receive(secret, headers, BODY.encode())["type"] == "label.issued"


@pytest.mark.parametrize("change", ["body", "secret", "id", "time", "age"])
def test_anything_else_is_refused(receive: Receive, change: str) -> None:
    secret = new_secret()
    at = datetime.now(UTC) - timedelta(minutes=10 if change == "age" else 0)
    headers, body = signed_headers("msg_1", at, BODY, [secret]), BODY
    if change == "body":
        body = BODY.replace("issued", "forged")
    if change == "secret":
        secret = new_secret()
    if change == "id":
        headers["webhook-id"] = "msg_2"
    if change == "time":
        headers["webhook-timestamp"] = str(int(at.timestamp()) - 1)
    with pytest.raises((ValueError, WebhookVerificationError)):
        receive(secret, headers, body.encode())


def test_every_event_and_every_wait_is_named() -> None:
    rows = "\n".join(line for line in PAGE.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`([a-z]+\.[a-z_]+)`", rows)) == set(EVENT_NAMES)
    units = {"second": 1, "minute": 60, "hour": 3600}
    waits = []
    for attempts, number, unit in re.findall(
        r"^\| ([\d, ]+) \| (\d+) (\w+?)s?(?: each)? \|$", PAGE, re.MULTILINE
    ):
        waits += [timedelta(seconds=int(number) * units[unit])] * len(attempts.split(","))
    assert tuple(waits) == WAITS
