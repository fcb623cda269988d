"""`tamga webhooks`: made, listed, tested against a real receiver, sent again, ended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from service.cli import run


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAMGA_HOME", str(tmp_path))
    monkeypatch.setenv("TAMGA_WEBHOOKS", "true")
    monkeypatch.setenv("TAMGA_WEBHOOK_NETWORKS", "127.0.0.0/8")


def test_from_making_to_removing(capsys: pytest.CaptureFixture[str], receiver: Any) -> None:
    def lines() -> list[dict[str, Any]]:
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert run(["webhooks", "add", f"{receiver.url}/status/500", "--event", "label.issued"]) == 0
    secret = capsys.readouterr().out.strip()
    assert run(["webhooks", "list"]) == 0
    (webhook,) = lines()
    assert (webhook["events"], webhook["enabled"]) == (["label.issued"], True)
    assert not {"secret", "previous_secret"} & webhook.keys()
    # Refused: it waits for its next try, and the exit status says so.
    assert run(["webhooks", "ping", webhook["id"]]) == 1
    (refused,) = lines()
    assert (refused["state"], refused["attempts"][0]["status"]) == ("pending", 500)
    receiver.healed = True
    assert run(["webhooks", "redeliver", webhook["id"], refused["id"]]) == 0
    (taken,) = lines()
    assert (taken["state"], len(taken["attempts"])) == ("delivered", 2)
    assert run(["webhooks", "rotate", webhook["id"], "--grace-hours", "1"]) == 0
    newer = capsys.readouterr().out.strip()
    assert run(["webhooks", "ping", webhook["id"]]) == 0
    told = receiver.received[-1]
    for key in (secret, newer):
        assert Webhook(key).verify(told.body, told.headers)["type"] == "webhook.ping"
    capsys.readouterr()
    assert run(["webhooks", "deliveries", webhook["id"], "--state", "delivered", "--limit", "1"]) == 0
    assert [line["event_id"] for line in lines()] == [told.id]
    assert run(["webhooks", "disable", webhook["id"]]) == 0
    assert run(["webhooks", "ping", webhook["id"]]) == 2
    assert run(["webhooks", "enable", webhook["id"]]) == 0
    assert run(["webhooks", "remove", webhook["id"]]) == 0
    assert run(["webhooks", "remove", webhook["id"]]) == 2


@pytest.mark.parametrize(
    "arguments",
    [["add", "file:///etc/passwd"], ["add", "https://10.0.0.1/"],
     ["add", "https://x.example/", "--event", "x"], ["ping", "wh_none"], ["deliveries", "wh_none"],
     ["redeliver", "wh_none", "dlv_none"], ["deliveries", "wh_none", "--state", "lost"]],
)  # fmt: skip
def test_bad_usage_is_one_line_and_exit_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["webhooks", *arguments]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert len(shown.err.strip().splitlines()) == 1


def test_switched_off(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TAMGA_WEBHOOKS")
    assert run(["webhooks", "add", "https://cms.example/hook"]) == 2
    assert "TAMGA_WEBHOOKS=true" in capsys.readouterr().err
    assert run(["webhooks", "list"]) == 0
