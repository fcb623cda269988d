"""Webhooks, and what was delivered to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Unpack

from service.api.webhooks import (
    CreatedWebhook,
    Delivery,
    DeliveryDetails,
    DeliveryPage,
    Webhook,
    WebhookPage,
)
from service.client.calls import Calls, path
from service.client.fields import WebhookChanges
from service.store.deliveries import DeliveryState
from service.webhooks.events import EventName


class WebhookCalls(Calls):
    """Who is told of what."""

    def create_webhook(
        self, url: str, events: Sequence[EventName] | None = None, *, description: str | None = None
    ) -> CreatedWebhook:
        """Have events (by default all) posted to an address. The answer holds the secret, this once."""
        wanted: dict[str, Any] = {"url": url, "events": None if events is None else list(events)}
        if description is not None:
            wanted["description"] = description
        return self._create(path("webhooks"), wanted, CreatedWebhook)

    def get_webhook(self, webhook_id: str) -> Webhook:
        """One webhook."""
        return self._get(path("webhooks", webhook_id), Webhook)

    def list_webhooks(self) -> Iterator[Webhook]:
        """All webhooks, fetched page by page."""
        return self._pages(path("webhooks"), WebhookPage, lambda page: (page.items, page.next))

    def update_webhook(
        self, webhook_id: str, *, if_match: str | None = None, **changes: Unpack[WebhookChanges]
    ) -> Webhook:
        """Change what is named; the rest stays."""
        return self._change(path("webhooks", webhook_id), changes, Webhook, if_match)

    def rotate_webhook(self, webhook_id: str, *, grace_seconds: int | None = None) -> CreatedWebhook:
        """Give a webhook a new secret; deliveries are signed with the old one too for `grace_seconds`."""
        body = {} if grace_seconds is None else {"grace_seconds": grace_seconds}
        return self._create(path("webhooks", webhook_id, "rotate"), body, CreatedWebhook)

    def ping_webhook(self, webhook_id: str) -> Delivery:
        """Send it an event that says nothing."""
        return self._create(path("webhooks", webhook_id, "ping"), None, Delivery)

    def delete_webhook(self, webhook_id: str, *, if_match: str | None = None) -> None:
        """End a webhook."""
        self._send("DELETE", path("webhooks", webhook_id), if_match=if_match)

    def list_deliveries(self, webhook_id: str, state: DeliveryState | None = None) -> Iterator[Delivery]:
        """Deliveries of a webhook, the newest first, fetched page by page."""
        address = path("webhooks", webhook_id, "deliveries")
        return self._pages(address, DeliveryPage, lambda page: (page.items, page.next), state=state)

    def get_delivery(self, webhook_id: str, delivery_id: str) -> DeliveryDetails:
        """One delivery with its body and its last attempts."""
        return self._get(path("webhooks", webhook_id, "deliveries", delivery_id), DeliveryDetails)

    def redeliver(self, webhook_id: str, delivery_id: str) -> Delivery:
        """Send an event once more."""
        address = path("webhooks", webhook_id, "deliveries", delivery_id, "redeliver")
        return self._create(address, None, Delivery)
