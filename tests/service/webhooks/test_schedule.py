"""Retries over about a day, spread, never before the receiver wants them; secrets at rest."""

from __future__ import annotations

import base64
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook

from service.errors import ConfigurationError
from service.webhooks.schedule import DISABLE_AFTER, JITTER, MOST_ASKED, WAITS, ending, next_attempt
from service.webhooks.signing import signed_headers
from service.webhooks.vault import SecretVault, new_secret

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_tries_grow_apart_and_end_after_about_a_day() -> None:
    assert list(WAITS) == sorted(WAITS)
    assert timedelta(hours=20) < sum(WAITS, timedelta()) < timedelta(hours=26)
    moment, tries = NOW, 1
    while (again := next_attempt(moment, tries)) is not None:
        assert again > moment
        moment, tries = again, tries + 1
    assert tries == len(WAITS) + 1
    assert timedelta(hours=20) < moment - NOW < timedelta(hours=30)


@given(st.integers(1, len(WAITS)), st.none() | st.floats(0, 1e9), st.integers())
def test_no_sooner_than_planned_or_asked_and_not_much_later(
    tries: int, asked: float | None, seed: int
) -> None:
    again = next_attempt(NOW, tries, asked=asked, draw=random.Random(seed))
    assert again is not None
    least = WAITS[tries - 1]
    if asked is not None:
        least = max(least, min(MOST_ASKED, timedelta(seconds=asked)))
    assert least <= again - NOW <= max(least, WAITS[tries - 1] * (1 + JITTER))


def test_what_failed_together_does_not_come_back_together() -> None:
    assert len({next_attempt(NOW, 3) for _ in range(50)}) > 25


def test_what_ends_a_webhook() -> None:
    assert ending(410, None, NOW) == "gone"
    assert ending(500, None, NOW) is None
    assert ending(None, NOW - DISABLE_AFTER / 2, NOW) is None
    assert ending(None, NOW - DISABLE_AFTER * 2, NOW) == "failing"


@settings(max_examples=50)
@given(st.text(max_size=200), st.lists(st.binary(min_size=24, max_size=64), min_size=1, max_size=3))
def test_the_reference_library_reads_every_signature(body: str, keys: list[bytes]) -> None:
    secrets = ["whsec_" + base64.b64encode(key).decode() for key in keys]
    at = datetime.now(UTC)
    headers = signed_headers("msg_1", at, body, secrets)
    for secret in secrets:
        assert Webhook(secret).verify(body, headers, json_parse=False) is None


def test_secrets_open_with_the_key_of_the_home_alone(tmp_path: Path) -> None:
    secret = new_secret()
    sealed = SecretVault(tmp_path / "keys").seal(secret)
    assert secret.removeprefix("whsec_") not in sealed
    assert SecretVault(tmp_path / "keys").unseal(sealed) == secret
    with pytest.raises(ConfigurationError, match="another key"):
        SecretVault(tmp_path / "other").unseal(sealed)
    (tmp_path / "keys" / "webhooks.key").write_text("broken")
    with pytest.raises(ConfigurationError, match="cannot be used"):
        SecretVault(tmp_path / "keys").seal(secret)
