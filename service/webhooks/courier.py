"""One attempt: sign an event, post it, and say what follows from the answer."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import Final

from service.errors import TamgaError
from service.fetching import FetchError, Poster
from service.store.deliveries import Attempt, Turn, Verdict
from service.store.webhooks import StoredWebhook
from service.webhooks.schedule import ending, next_attempt
from service.webhooks.signing import signed_headers
from service.webhooks.vault import SecretVault

log = logging.getLogger(__name__)

USER_AGENT: Final = "Tamga-Webhooks"
_BUSY: Final = frozenset({429, 503})


class Courier:
    """Makes attempts; keeps nothing. Safe to use from threads."""

    def __init__(self, poster: Poster, vault: SecretVault) -> None:
        self._poster = poster
        self._vault = vault

    def deliver(self, turn: Turn) -> tuple[Attempt, Verdict]:
        """Make the attempt of a turn; never raises for anything that the receiver or the network does."""
        now = datetime.now(UTC)
        started = time.monotonic()
        status: int | None = None
        body: str | None = None
        asked: float | None = None
        try:
            headers = signed_headers(turn.event_id, now, turn.body, self._secrets(turn.webhook, now))
            headers |= {"content-type": "application/json", "user-agent": USER_AGENT}
            answer = self._poster.post(turn.webhook.url, turn.body.encode(), headers)
            status, body = answer.status, answer.body
            asked = answer.retry_after if status in _BUSY else None
            error = _fault(status)
        except FetchError as refused:
            error = refused.detail
        except TamgaError as ours:
            error = f"{ours.title}: {ours.detail}"
        attempt = Attempt(now.isoformat(), round(time.monotonic() - started, 3), status, body, error)
        if error is None:
            return attempt, Verdict(delivered=True)
        after = datetime.now(UTC)
        end = ending(status, turn.webhook.failing_since, after)
        again = next_attempt(after, turn.tries + 1, asked=asked)
        log.info("webhook %s: delivery %s failed: %s", turn.webhook.id, turn.delivery_id, error)
        if end is not None:
            log.warning("webhook %s is disabled: %s", turn.webhook.id, end)
        return attempt, Verdict(delivered=False, next_at=again, disable=end)

    def _secrets(self, webhook: StoredWebhook, now: datetime) -> list[str]:
        sealed = [webhook.secret]
        if webhook.previous_secret and webhook.previous_expires_at and now < webhook.previous_expires_at:
            sealed.append(webhook.previous_secret)
        return [self._vault.unseal(secret) for secret in sealed]


def _fault(status: int) -> str | None:
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return f"answered {status}: redirects are not followed"
    return f"answered {status}"
