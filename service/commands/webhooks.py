"""`tamga webhooks`: have events sent to other programs, look at what became of them, send them again."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from service.auth.scopes import LOCAL

if TYPE_CHECKING:
    from service.store.deliveries import DeliveryState, StoredDelivery
    from service.store.webhooks import StoredWebhook
    from service.webhooks.endpoints import IssuedWebhook, Webhooks
    from service.webhooks.events import EventName

app = typer.Typer(help="Events sent to other programs, signed by Standard Webhooks.")

WebhookId = Annotated[str, typer.Argument(metavar="ID", help="Id of a webhook, wh_….")]
DeliveryId = Annotated[str, typer.Argument(metavar="DELIVERY", help="Id of a delivery, dlv_….")]
_HIDDEN = frozenset({"version", "secret", "previous_secret"})
_STATES = ("pending", "delivered", "failed")


@contextmanager
def _webhooks() -> Iterator[Webhooks]:
    from service.logs import configure_logging
    from service.settings import load_settings
    from service.store import open_store
    from service.webhooks.endpoints import Webhooks

    settings = load_settings()
    configure_logging("warning")
    store = open_store(settings.database)
    try:
        yield Webhooks(settings, store)
    finally:
        store.close()


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="Where events are posted to.")],
    event: Annotated[
        list[str] | None, typer.Option(help="An event; may be given again. By default all of them.")
    ] = None,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
) -> None:
    """Have events posted to an address. Prints the secret that they are signed with, this once."""
    from service.webhooks.events import EVENT_NAMES

    unknown = sorted(set(event or ()) - set(EVENT_NAMES))
    if unknown:
        raise typer.BadParameter(f"--event {', '.join(unknown)}; there are {', '.join(EVENT_NAMES)}")
    if description is not None and not (len(description) <= 500 and description.isprintable()):
        raise typer.BadParameter("--description must have at most 500 printable characters")
    events = cast("list[EventName] | None", event or None)
    with _webhooks() as webhooks:
        _print_secret(webhooks.create(url, events=events, description=description, by=LOCAL))


@app.command(name="list")
def list_webhooks() -> None:
    """Print all webhooks as JSON Lines, without their secrets."""
    with _webhooks() as webhooks:
        after: str | None = None
        while page := webhooks.list(after, 100):
            for webhook in page:
                _write(_line(webhook))
            after = page[-1].id


@app.command()
def deliveries(
    webhook_id: WebhookId,
    state: Annotated[str | None, typer.Option(help=" | ".join(_STATES))] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, from the newest on.")] = 50,
) -> None:
    """Print deliveries as JSON Lines, newest first, with all their attempts."""
    if state is not None and state not in _STATES:
        raise typer.BadParameter(f"--state {state!r}; there are {', '.join(_STATES)}")
    with _webhooks() as webhooks:
        after: str | None = None
        while limit > 0:
            page = webhooks.deliveries(
                webhook_id, cast("DeliveryState | None", state), after, min(limit, 200)
            )
            for delivery in page:
                _write(_delivery_line(delivery))
            if not page:
                return
            after, limit = page[-1].id, limit - len(page)


@app.command()
def ping(webhook_id: WebhookId) -> None:
    """Send a test event now and print what came of it; exit 1 if it was not taken."""
    with _webhooks() as webhooks:
        _print_outcome(webhooks.deliver_now(webhooks.ping(webhook_id)))


@app.command()
def redeliver(webhook_id: WebhookId, delivery_id: DeliveryId) -> None:
    """Send an event again now, under its own id, and print what came of it; exit 1 if it was not taken."""
    with _webhooks() as webhooks:
        _print_outcome(webhooks.deliver_now(webhooks.redeliver(webhook_id, delivery_id)))


@app.command()
def rotate(
    webhook_id: WebhookId,
    grace_hours: Annotated[
        float, typer.Option(min=0, max=168, help="Events are signed with the old secret too for so long.")
    ] = 24,
) -> None:
    """Give a webhook a new secret and print it."""
    with _webhooks() as webhooks:
        _print_secret(webhooks.rotate(webhook_id, grace=timedelta(hours=grace_hours)))


@app.command()
def enable(webhook_id: WebhookId) -> None:
    """Send events again, those that wait first."""
    with _webhooks() as webhooks:
        webhooks.update(webhook_id, {"enabled": True})


@app.command()
def disable(webhook_id: WebhookId) -> None:
    """Send nothing more. What happens while it is disabled is not kept for it."""
    with _webhooks() as webhooks:
        webhooks.update(webhook_id, {"enabled": False})


@app.command()
def remove(webhook_id: WebhookId) -> None:
    """Remove a webhook with its deliveries."""
    with _webhooks() as webhooks:
        webhooks.remove(webhook_id)


def _print_secret(issued: IssuedWebhook) -> None:
    # The secret alone on standard output, so that a script can take it.
    sys.stdout.write(issued.secret + "\n")
    typer.echo(f"webhook {issued.webhook.id}: store the secret now, it cannot be shown again", err=True)


def _print_outcome(delivery: StoredDelivery) -> None:
    _write(_delivery_line(delivery))
    if delivery.state != "delivered":
        raise typer.Exit(1)


def _line(webhook: StoredWebhook) -> dict[str, Any]:
    return {name: _plain(value) for name, value in asdict(webhook).items() if name not in _HIDDEN}


def _delivery_line(delivery: StoredDelivery) -> dict[str, Any]:
    return {name: _plain(value) for name, value in asdict(delivery).items()}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _write(line: dict[str, Any]) -> None:
    from service.commands.jsonl import write_line

    write_line(sys.stdout, line)
