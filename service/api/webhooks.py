"""Webhooks: make, change, rotate and end them; look at their deliveries, repeat one, send a test."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, FastAPI, Path, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, create_model
from pydantic.config import JsonDict

from index.records import Text, WebAddress
from service.api.access import CallerDep, requires
from service.api.etags import IfMatch, etag, version_of
from service.api.idempotency import idempotent
from service.api.problems import responses
from service.api.state import WebhooksDep
from service.fetching.posting import MAX_CHARACTERS
from service.store.deliveries import DeliveryState, StoredDelivery
from service.store.webhooks import StoredWebhook
from service.webhooks.endpoints import DEFAULT_GRACE, MAX_GRACE, DisabledReason, IssuedWebhook, WebhookChanges
from service.webhooks.events import DATA_OF, EventName

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])

MAX_PAGE: Final = 200

Description = Annotated[Text, Field(max_length=500, description="What it is for, for people.")]
Events = Annotated[
    list[EventName],
    Field(min_length=1, max_length=len(DATA_OF), description="null: all, also those of later versions."),
]
_ID: Final = r"^[A-Za-z0-9_]+$"
WebhookId = Annotated[str, Path(max_length=40, pattern=_ID, examples=["wh_5f0c1d2e3b4a59687786f5e4"])]
DeliveryId = Annotated[
    str, Path(max_length=40, pattern=_ID, examples=["dlv_0b7b2f0e59b54a0eb0c18f4f7b7d2a11"])
]
After = Annotated[str | None, Query(max_length=40, pattern=_ID, description="`next` of the page before.")]

EXAMPLE: Final[JsonDict] = {
    "url": "https://cms.example.org/hooks/tamga",
    "events": ["label.issued", "label.revoked"],
    "description": "CMS of the newsroom",
}


class WebhookRequest(BaseModel):
    """A webhook to make."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    url: WebAddress = Field(description="Where events are posted to. https, but for opened networks.")
    events: Events | None = None
    description: Description | None = None


class WebhookPatch(BaseModel):
    """What is to change; absent fields stay."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"enabled": False}]})

    url: WebAddress | None = None
    events: Events | None = None
    description: Description | None = None
    enabled: bool | None = Field(None, description="Enabling it also forgets for how long it failed.")


class RotateWebhookRequest(BaseModel):
    """For how long deliveries are signed with the old secret too."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"grace_seconds": 3600}]})

    grace_seconds: int = Field(int(DEFAULT_GRACE.total_seconds()), ge=0, le=int(MAX_GRACE.total_seconds()))


class Webhook(BaseModel):
    """An address that events are posted to, without its secret."""

    id: str
    url: str
    events: list[EventName] | None
    description: str | None
    enabled: bool
    disabled_reason: DisabledReason | None = Field(
        description="`gone`: it answered 410; `failing`: it took nothing for days."
    )
    failing_since: AwareDatetime | None = Field(
        description="First failure after the last success; null where the last delivery succeeded."
    )
    previous_secret_until: AwareDatetime | None = Field(
        description="Until when deliveries are signed with the secret before the last rotation too."
    )
    created_by: str = Field(description="Id of the key it was made with, or `local`.")
    created_at: AwareDatetime


class CreatedWebhook(Webhook):
    """A webhook with its secret, which is shown this once."""

    secret: str = Field(description="What deliveries are signed with.", examples=["whsec_…"])


class WebhookPage(BaseModel):
    """Webhooks in order of creation."""

    items: list[Webhook]
    next: str | None = Field(description="Pass as `after` to get the next page; null on the last one.")


class DeliveryAttempt(BaseModel):
    """One request to the address of a webhook."""

    at: AwareDatetime
    seconds: float
    status: int | None = Field(description="Status of the answer; null where there was none.")
    body: str | None = Field(
        max_length=MAX_CHARACTERS, description=f"Its first {MAX_CHARACTERS:,} characters."
    )
    error: str | None = Field(description="Why it does not count as delivered; null where it does.")


class Delivery(BaseModel):
    """One event for one webhook."""

    id: str
    event_id: str = Field(description="Sent as `webhook-id`, the same at every attempt.")
    event: EventName
    state: DeliveryState
    attempts: int = Field(description="How many there were, of the last 20.")
    last_attempt: DeliveryAttempt | None
    next_attempt_at: AwareDatetime | None = Field(
        description="null where none follows. While one is under way: when it would be taken up again if "
        "the service died."
    )
    created_at: AwareDatetime


class DeliveryDetails(Delivery):
    """A delivery with everything that is known about it."""

    body: str = Field(description="What is posted, byte for byte.")
    history: list[DeliveryAttempt] = Field(description="The last attempts, oldest first.")


class DeliveryPage(BaseModel):
    """Deliveries, newest first."""

    items: list[Delivery]
    next: str | None = Field(description="Pass as `after` to get the next page; null on the last one.")


def _shown(webhook: StoredWebhook) -> Webhook:
    fields = {name: getattr(webhook, name, None) for name in Webhook.model_fields}
    return Webhook.model_validate({**fields, "previous_secret_until": webhook.previous_expires_at})


def _issued(issued: IssuedWebhook, response: Response) -> CreatedWebhook:
    response.headers["ETag"] = etag(issued.webhook.version)
    # The secret must not lie in any cache on the way.
    response.headers["Cache-Control"] = "no-store"
    return CreatedWebhook(**_shown(issued.webhook).model_dump(), secret=issued.secret)


def _fields_of(delivery: StoredDelivery) -> dict[str, Any]:
    history = [DeliveryAttempt.model_validate(item, from_attributes=True) for item in delivery.attempts]
    return {
        "id": delivery.id,
        "event_id": delivery.event_id,
        "event": delivery.event,
        "state": delivery.state,
        "attempts": len(history),
        "last_attempt": history[-1] if history else None,
        "next_attempt_at": delivery.next_at,
        "created_at": delivery.created_at,
        "history": history,
        "body": delivery.body,
    }


def _delivery(delivery: StoredDelivery) -> Delivery:
    fields = _fields_of(delivery)
    return Delivery(**{name: fields[name] for name in Delivery.model_fields})


@router.post(
    "",
    status_code=201,
    dependencies=[requires("webhooks:write"), idempotent],
    responses=responses(400, 401, 403, 408, 409, 413, 415, 422, 503),
)
async def create_webhook(
    body: WebhookRequest, webhooks: WebhooksDep, caller: CallerDep, response: Response
) -> CreatedWebhook:
    """Have events posted to an address, signed by Standard Webhooks with the secret in this answer."""
    issued = await asyncio.to_thread(
        webhooks.create, body.url, events=body.events, description=body.description, by=caller
    )
    response.headers["Location"] = f"/v1/webhooks/{issued.webhook.id}"
    return _issued(issued, response)


@router.get("", dependencies=[requires("webhooks:read")], responses=responses(401, 403, 422, 503))
async def list_webhooks(
    webhooks: WebhooksDep,
    after: After = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
) -> WebhookPage:
    """All webhooks, page by page."""
    found = await asyncio.to_thread(webhooks.list, after, limit + 1)
    page = [_shown(webhook) for webhook in found[:limit]]
    return WebhookPage(items=page, next=page[-1].id if len(found) > limit else None)


@router.get(
    "/{webhook_id}", dependencies=[requires("webhooks:read")], responses=responses(401, 403, 404, 422, 503)
)
async def get_webhook(webhook_id: WebhookId, webhooks: WebhooksDep, response: Response) -> Webhook:
    """One webhook."""
    webhook = await asyncio.to_thread(webhooks.get, webhook_id)
    response.headers["ETag"] = etag(webhook.version)
    return _shown(webhook)


@router.patch(
    "/{webhook_id}",
    dependencies=[requires("webhooks:write")],
    responses=responses(400, 401, 403, 404, 408, 409, 412, 413, 415, 422, 503),
)
async def update_webhook(
    webhook_id: WebhookId,
    body: WebhookPatch,
    webhooks: WebhooksDep,
    response: Response,
    if_match: IfMatch = None,
) -> Webhook:
    """Change the address, events or description of a webhook, or disable or enable it. While it is disabled,
    events are not kept for it.
    """
    changes = WebhookChanges()
    for field in body.model_fields_set:
        value = getattr(body, field)
        # `url` and `enabled` cannot be taken away: null means the same as absent.
        if value is not None or field in ("events", "description"):
            changes[field] = value  # type: ignore[literal-required]
    version = version_of(if_match)
    webhook = await asyncio.to_thread(webhooks.update, webhook_id, changes, version=version)
    response.headers["ETag"] = etag(webhook.version)
    return _shown(webhook)


@router.delete(
    "/{webhook_id}",
    status_code=204,
    dependencies=[requires("webhooks:write")],
    responses=responses(401, 403, 404, 412, 422, 503),
)
async def delete_webhook(webhook_id: WebhookId, webhooks: WebhooksDep, if_match: IfMatch = None) -> Response:
    """Remove a webhook and its deliveries."""
    await asyncio.to_thread(webhooks.remove, webhook_id, version=version_of(if_match))
    return Response(status_code=204)


@router.post(
    "/{webhook_id}/rotate",
    dependencies=[requires("webhooks:write"), idempotent],
    responses=responses(400, 401, 403, 404, 408, 409, 412, 413, 415, 422, 503),
)
async def rotate_webhook(
    webhook_id: WebhookId,
    webhooks: WebhooksDep,
    response: Response,
    body: RotateWebhookRequest | None = None,
) -> CreatedWebhook:
    """Give a webhook a new secret. For `grace_seconds`, deliveries carry a signature by each of the two."""
    wanted = body or RotateWebhookRequest.model_validate({})
    grace = timedelta(seconds=wanted.grace_seconds)
    return _issued(await asyncio.to_thread(webhooks.rotate, webhook_id, grace=grace), response)


@router.post(
    "/{webhook_id}/ping",
    status_code=202,
    dependencies=[requires("webhooks:write"), idempotent],
    responses=responses(400, 401, 403, 404, 408, 409, 413, 415, 422, 503),
)
async def ping_webhook(webhook_id: WebhookId, webhooks: WebhooksDep, response: Response) -> Delivery:
    """Send a test event, `webhook.ping`, whatever the webhook asked for. What came of it stands at the
    `Location` of this answer.
    """
    delivery = await asyncio.to_thread(webhooks.ping, webhook_id)
    response.headers["Location"] = f"/v1/webhooks/{webhook_id}/deliveries/{delivery.id}"
    return _delivery(delivery)


@router.get(
    "/{webhook_id}/deliveries",
    dependencies=[requires("webhooks:read")],
    responses=responses(401, 403, 404, 422, 503),
)
async def list_deliveries(
    webhook_id: WebhookId,
    webhooks: WebhooksDep,
    state: Annotated[DeliveryState | None, Query()] = None,
    after: After = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
) -> DeliveryPage:
    """What was sent to a webhook and what it answered, newest first."""
    found = await asyncio.to_thread(webhooks.deliveries, webhook_id, state, after, limit + 1)
    page = [_delivery(delivery) for delivery in found[:limit]]
    return DeliveryPage(items=page, next=page[-1].id if len(found) > limit else None)


@router.get(
    "/{webhook_id}/deliveries/{delivery_id}",
    dependencies=[requires("webhooks:read")],
    responses=responses(401, 403, 404, 422, 503),
)
async def get_delivery(
    webhook_id: WebhookId, delivery_id: DeliveryId, webhooks: WebhooksDep
) -> DeliveryDetails:
    """One delivery with its body and its last attempts."""
    delivery = await asyncio.to_thread(webhooks.delivery, webhook_id, delivery_id)
    return DeliveryDetails(**_fields_of(delivery))


@router.post(
    "/{webhook_id}/deliveries/{delivery_id}/redeliver",
    status_code=202,
    dependencies=[requires("webhooks:write"), idempotent],
    responses=responses(400, 401, 403, 404, 408, 409, 413, 415, 422, 503),
)
async def redeliver(webhook_id: WebhookId, delivery_id: DeliveryId, webhooks: WebhooksDep) -> Delivery:
    """Send an event once more, whatever became of it, under the same `webhook-id`. It may then fail as often
    as a new one.
    """
    return _delivery(await asyncio.to_thread(webhooks.redeliver, webhook_id, delivery_id))


def describe_events(app: FastAPI) -> None:
    """Add what webhooks post to the schema, each event with the form of its body."""
    for name, data in DATA_OF.items():
        words = "".join(part.capitalize() for part in name.replace("_", ".").split("."))
        body = create_model(
            f"{words}Event",
            __doc__=data.__doc__,
            type=(str, Field(json_schema_extra={"const": name})),
            timestamp=(AwareDatetime, Field(description="When it happened.")),
            data=(data, ...),
        )
        app.webhooks.add_api_route(
            name,
            _receiver(body),
            methods=["POST"],
            status_code=204,
            operation_id=f"on_{name.replace('.', '_')}",
            # Anything else than 2xx is sent again.
            responses={"4XX": {"description": "Not taken; it is sent again later."}},
            description=data.__doc__,
            tags=["webhooks"],
        )


def _receiver(body: type[BaseModel]) -> Any:
    """The signature that OpenAPI describes: the newsroom's own program answers, nothing here is called."""

    def receive(event: Any) -> None:
        """Answer 204 once the event is stored."""

    receive.__annotations__ = {"event": body, "return": None}
    return receive
