"""Webhooks as their owners see them: make, change, rotate, end; look at deliveries and repeat them."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, TypedDict
from urllib.parse import urlsplit

from service.auth.scopes import Caller
from service.errors import Conflict, InvalidInput, NotFound, TamgaError
from service.fetching import FetchError, Poster
from service.fetching.addresses import in_networks, permitted, read_networks
from service.fetching.fetcher import check_address
from service.store.deliveries import DeliveryState, StoredDelivery
from service.store.webhooks import StoredWebhook
from service.webhooks.courier import Courier
from service.webhooks.dispatch import TURN_MARGIN, Dispatcher
from service.webhooks.events import EventName
from service.webhooks.vault import SecretVault, new_secret

if TYPE_CHECKING:
    from service.settings import Settings
    from service.store import Store

MAX_GRACE: Final = timedelta(days=7)
DEFAULT_GRACE: Final = timedelta(days=1)
MAX_WEBHOOKS: Final = 100

DisabledReason = Literal["by_request", "gone", "failing"]


class WebhooksOff(TamgaError):  # noqa: N818 - named for what is the matter, like the others
    """Webhooks were not switched on."""

    status = 409
    slug = "webhooks-off"
    title = "Webhooks are switched off"


@dataclass(frozen=True, slots=True)
class IssuedWebhook:
    """A webhook just made or rotated, with the secret that is never shown again."""

    webhook: StoredWebhook
    secret: str


class WebhookChanges(TypedDict, total=False):
    """What may change after a webhook was made."""

    url: str
    description: str | None
    events: Collection[EventName] | None
    enabled: bool


class Webhooks:
    """The webhooks of one home. Safe to use from threads."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._webhooks = store.webhooks
        self._deliveries = store.deliveries
        self._networks = read_networks(settings.webhook_networks)
        self._vault = SecretVault(settings.home / "keys")
        poster = Poster(seconds=settings.webhook_seconds, networks=self._networks)
        self._courier = Courier(poster, self._vault)

    def dispatcher(self) -> Dispatcher:
        """What delivers while the service runs."""
        return Dispatcher(self._deliveries, self._courier, seconds=self._settings.webhook_seconds)

    def create(
        self, url: str, *, events: Collection[EventName] | None, description: str | None, by: Caller
    ) -> IssuedWebhook:
        """Make a webhook for `events` (None: all, also those of later versions).

        Raises:
            WebhooksOff: the settings do not switch webhooks on.
            InvalidInput: nothing can be sent to this address.
            Conflict: there are too many.
        """
        self._require_on()
        self._check(url)
        if len(self._webhooks.list(limit=MAX_WEBHOOKS)) >= MAX_WEBHOOKS:
            raise Conflict(f"There are {MAX_WEBHOOKS} webhooks, which is the most; remove one.")
        secret = new_secret()
        webhook = StoredWebhook(
            id="wh_" + secrets.token_hex(12),
            version=1,
            url=url,
            description=description,
            events=_stored_events(events),
            enabled=True,
            disabled_reason=None,
            failing_since=None,
            secret=self._vault.seal(secret),
            previous_secret=None,
            previous_expires_at=None,
            created_by=by.id,
            created_at=datetime.now(UTC),
        )
        self._webhooks.add(webhook)
        return IssuedWebhook(webhook, secret)

    def get(self, webhook_id: str) -> StoredWebhook:
        """One webhook. Raises NotFound."""
        return _present(self._webhooks.get(webhook_id))

    def list(self, after: str | None = None, limit: int = 100) -> Sequence[StoredWebhook]:
        """Webhooks in order of creation, those made after the webhook `after`."""
        return self._webhooks.list(after, limit)

    def update(
        self, webhook_id: str, changes: WebhookChanges, *, version: int | None = None
    ) -> StoredWebhook:
        """Change a webhook. While it is disabled, nothing new is written down for it; what already waits for
        it is sent once it is enabled again.

        Raises:
            NotFound, PreconditionFailed: see `SqlWebhookRepository.update`.
            InvalidInput, WebhooksOff: see `create`.
        """
        self.get(webhook_id)
        values: dict[str, Any] = dict(changes)
        if "url" in changes:
            self._require_on()
            self._check(changes["url"])
        if "events" in changes:
            values["events"] = _stored_events(changes["events"])
        if "enabled" in changes:
            values["disabled_reason"] = None if changes["enabled"] else "by_request"
            if changes["enabled"]:
                self._require_on()
                # It gets the whole time again to show that it works.
                values["failing_since"] = None
        return _present(self._webhooks.update(webhook_id, values, action="webhook.update", version=version))

    def rotate(self, webhook_id: str, *, grace: timedelta = DEFAULT_GRACE) -> IssuedWebhook:
        """Give a webhook a new secret. For `grace`, deliveries are signed with the old one too.

        Raises:
            InvalidInput: more than `MAX_GRACE`.
            NotFound: there is no such webhook.
            PreconditionFailed: somebody else changed it at this moment.
        """
        if not timedelta(0) <= grace <= MAX_GRACE:
            raise InvalidInput(f"The old secret may stay good for at most {MAX_GRACE.days} days.")
        known = self.get(webhook_id)
        secret = new_secret()
        values = {
            "secret": self._vault.seal(secret),
            "previous_secret": known.secret if grace else None,
            "previous_expires_at": datetime.now(UTC) + grace if grace else None,
        }
        # With the version it was read at: of two rotations at once, one is refused rather than lost.
        changed = self._webhooks.update(webhook_id, values, action="webhook.rotate", version=known.version)
        return IssuedWebhook(_present(changed), secret)

    def remove(self, webhook_id: str, *, version: int | None = None) -> None:
        """Remove a webhook with its deliveries. Raises NotFound and PreconditionFailed."""
        if not self._webhooks.remove(webhook_id, version):
            raise NotFound("No webhook has this id.")

    def ping(self, webhook_id: str) -> StoredDelivery:
        """Write a test event for a webhook, whatever it asked for; it is due at once.

        Raises NotFound, WebhooksOff, and Conflict where the webhook is disabled.
        """
        webhook = self._able(webhook_id)
        return self.delivery(webhook_id, self._deliveries.ping(webhook, datetime.now(UTC)))

    def redeliver(self, webhook_id: str, delivery_id: str) -> StoredDelivery:
        """Send an event again, under its own id; it is due at once and may be tried as often as a new one.

        Raises NotFound, WebhooksOff, and Conflict where the webhook is disabled.
        """
        self._able(webhook_id)
        if not self._deliveries.redeliver(webhook_id, delivery_id, datetime.now(UTC)):
            raise NotFound("This webhook has no delivery with this id.")
        return self.delivery(webhook_id, delivery_id)

    def deliver_now(self, delivery: StoredDelivery) -> StoredDelivery:
        """Make the next attempt of a pending delivery in this thread, unless another process is at it."""
        turn_ends = datetime.now(UTC) + timedelta(seconds=self._settings.webhook_seconds) + TURN_MARGIN
        turn = self._deliveries.take_one(delivery.id, turn_ends)
        if turn is not None:
            self._deliveries.finish(turn, *self._courier.deliver(turn))
        return self.delivery(delivery.webhook_id, delivery.id)

    def delivery(self, webhook_id: str, delivery_id: str) -> StoredDelivery:
        """One delivery of a webhook. Raises NotFound."""
        found = self._deliveries.get(webhook_id, delivery_id)
        if found is None:
            raise NotFound("This webhook has no delivery with this id.")
        return found

    def deliveries(
        self,
        webhook_id: str,
        state: DeliveryState | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> Sequence[StoredDelivery]:
        """Deliveries of a webhook, newest first, those before the delivery `after`. Raises NotFound."""
        self.get(webhook_id)
        return self._deliveries.list(webhook_id, state, after, limit)

    def _able(self, webhook_id: str) -> StoredWebhook:
        self._require_on()
        webhook = self.get(webhook_id)
        if not webhook.enabled:
            raise Conflict("The webhook is disabled; enable it first.")
        return webhook

    def _require_on(self) -> None:
        if not self._settings.webhooks:
            raise WebhooksOff("Set TAMGA_WEBHOOKS=true to let Tamga send events to other programs.")

    def _check(self, url: str) -> None:
        """What can be told of an address without asking the network. Names are looked up when something is
        sent, every time.
        """
        try:
            check_address(url)
            parts = urlsplit(url)
            address = ipaddress.ip_address(parts.hostname or "")
        except FetchError as error:
            raise InvalidInput(f"Nothing can be sent there: {error.detail}.", pointer="#/url") from error
        except ValueError:
            if parts.scheme == "http" and not self._networks:
                raise InvalidInput(
                    "Only https, unless TAMGA_WEBHOOK_NETWORKS opens a private network.", pointer="#/url"
                ) from None
            return
        if not permitted(address, self._networks):
            raise InvalidInput("This is not a public address.", pointer="#/url")
        if parts.scheme == "http" and not in_networks(address, self._networks):
            raise InvalidInput("A public address must be https.", pointer="#/url")


def _stored_events(events: Collection[EventName] | None) -> list[str] | None:
    return None if events is None else sorted(set(events))


def _present(webhook: StoredWebhook | None) -> StoredWebhook:
    if webhook is None:
        raise NotFound("No webhook has this id.")
    return webhook
