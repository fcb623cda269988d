"""The application: settings in, ASGI app out. Wires routers, errors, limits and the model worker together."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final

from fastapi import FastAPI
from fastapi.routing import APIRoute

from service import dashboard
from service.api import (
    accounts,
    articles,
    audits,
    claims,
    feeds,
    health,
    keys,
    labels,
    metrics,
    models,
    policy,
    problems,
    reader_page,
    records,
    reference,
    reviews,
    sessions,
    verify,
    webhooks,
)
from service.api.access import AccessControl
from service.api.body_limit import BodyLimit, UploadLimit
from service.api.idempotency import Idempotency
from service.api.state import State
from service.audits.desk import AuditDesk
from service.auth.accounts import Accounts
from service.auth.actor import acting_as
from service.auth.keys import Keys
from service.auth.sessions import Sessions, limits_of
from service.feeds.schedule import refresh_regularly
from service.retention import purge
from service.runtime import Runtime
from service.serving.queue import QueueLimits
from service.serving.quota import Quota
from service.serving.worker import ModelWorker, WorkerState
from service.settings import Settings
from service.store import Store
from service.telemetry.metrics import Metrics
from service.telemetry.observer import TelemetryObserver
from service.telemetry.requests import RequestTelemetry
from service.telemetry.state import ServiceState
from service.telemetry.tracing import fastapi_telemetry, open_tracing

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
from service.webhooks.endpoints import Webhooks

log = logging.getLogger(__name__)

SAVE_EVERY_SECONDS: Final = 300
PURGE_EVERY_SECONDS: Final = 600
RESUME_EVERY_SECONDS: Final = 60
# What the models may take for the request they are at, and the index for its snapshot.
STOP_SECONDS: Final = 60

DESCRIPTION: Final = """
Send an article; get back where it seems to come from and what is already known about its claims.

The service gives evidence and abstains where it has none: the detector says `likely_ai_unconfirmed` or
`undetermined`, and a claim is matched with quoted, named sources, never called true or false. Offsets count
Unicode code points. Errors are `application/problem+json` (RFC 9457) with stable `type` URIs.
"""


def _version() -> str:
    try:
        return version("tamga-newsroom")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "0+unknown"


def _operation_id(route: APIRoute) -> str:
    return route.name


def create_app(
    settings: Settings,
    *,
    prepare: Callable[[Runtime], None] | None = None,
    runtime: Runtime | None = None,
    tracing: TracerProvider | None = None,
) -> FastAPI:
    """The service over one home. Models load in the background once it starts; /readyz says when they are
    there.

    `prepare` runs in the model thread after loading and before the service is ready (loading the samples,
    say). `runtime` may have opened its store already; by default one is made of the settings.
    """

    counted = Metrics()
    provider = tracing or open_tracing(settings, _version())
    tracer = provider.get_tracer("tamga") if provider is not None else None

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[State]:
        serving = runtime or Runtime(settings)
        serving.observe(TelemetryObserver(counted, tracer))
        # Keys are looked up from the first request on, long before the models are there.
        store = await asyncio.to_thread(lambda: serving.store)
        worker = app.state.worker = ModelWorker(
            serving,
            prepare,
            limits=QueueLimits(settings.queue_items, settings.queue_items_per_caller, settings.queue_seconds),
            stall_seconds=settings.stall_seconds,
        )
        counted.collect_from(ServiceState(app.version, worker, store))
        worker.start()
        saving = asyncio.create_task(_save_regularly(worker))
        purging = asyncio.create_task(_purge_regularly(store, settings))
        hooks = Webhooks(settings, store)
        dispatcher = hooks.dispatcher()
        if settings.webhooks:
            dispatcher.start()
        auditing = AuditDesk(store, worker, settings)
        resuming = asyncio.create_task(_resume_regularly(auditing))
        feeding = asyncio.create_task(refresh_regularly(worker, store, settings))
        try:
            yield State(
                worker=worker,
                quota=Quota(settings.requests_per_minute),
                keys=Keys(store.access_keys),
                accounts=Accounts(store.accounts),
                sessions=Sessions(store.accounts, limits_of(settings)),
                idempotency=store.idempotency,
                webhooks=hooks,
                audits=auditing,
                metrics=counted,
            )
        finally:
            for task in (saving, purging, resuming, feeding):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
            await asyncio.to_thread(auditing.close)
            await asyncio.to_thread(dispatcher.stop)
            await asyncio.to_thread(worker.stop, settings.drain_seconds + STOP_SECONDS)
            if provider is not None and tracing is None:
                await asyncio.to_thread(provider.shutdown)

    app = FastAPI(
        title="Tamga",
        summary="Marks AI content and matches claims against verified reporting.",
        description=DESCRIPTION,
        version=_version(),
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        lifespan=lifespan,
        # `reference` serves schema and page itself.
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
        # A redirect would lose nothing but hides the caller's mistake; /v1/articles/ is simply not there.
        redirect_slashes=False,
        telemetry=fastapi_telemetry(provider),
    )
    # The last one added sees a request first: its id, who calls, then the body, then whether it came before.
    keep = timedelta(hours=settings.idempotency_hours)
    app.add_middleware(Idempotency, routes=lambda: app.routes, keep=keep)
    uploads = {"/v1/audits": UploadLimit(settings.audit_max_bytes, settings.audit_upload_seconds)}
    app.add_middleware(
        BodyLimit, max_bytes=settings.max_body_bytes, seconds=settings.body_seconds, uploads=uploads
    )
    app.add_middleware(AccessControl, routes=lambda: app.routes)
    app.add_middleware(RequestTelemetry, routes=lambda: app.routes, metrics=counted)
    problems.install(app)
    for router in (
        articles.router,
        records.router,
        claims.router,
        audits.router,
        feeds.router,
        labels.router,
        reviews.router,
        verify.router,
        models.router,
        policy.router,
        keys.router,
        webhooks.router,
        accounts.router,
        sessions.router,
        health.router,
        metrics.router,
    ):
        app.include_router(router)
    webhooks.describe_events(app)
    reader_page.install(app)
    reference.install(app)
    dashboard.install(app)
    return app


async def _save_regularly(worker: ModelWorker) -> None:
    """Write index snapshots now and then: a start after a crash then has little to replay."""
    while True:
        await asyncio.sleep(SAVE_EVERY_SECONDS)
        # On the way out it is saved once more, and nothing else is taken.
        if worker.state is WorkerState.READY and not worker.draining:
            try:
                await worker.run(lambda runtime: runtime.library.save())
            except Exception:
                log.exception("saving the index snapshot failed; the database has everything")


async def _resume_regularly(auditing: AuditDesk) -> None:
    """Go on with audits that were interrupted: at the start, and where handing one on has failed."""
    while True:
        try:
            await asyncio.to_thread(auditing.resume)
        except Exception:
            log.exception("going on with audits failed; it is tried again")
        await asyncio.sleep(RESUME_EVERY_SECONDS)


async def _purge_regularly(store: Store, settings: Settings) -> None:
    """Remove what is kept no longer."""
    while True:
        try:
            with acting_as("retention"):
                dropped = await asyncio.to_thread(purge, store, settings, datetime.now(UTC))
            if dropped:
                log.info("texts of %d articles dropped", dropped)
        except Exception:
            log.exception("removing what is kept no longer failed; it is tried again")
        await asyncio.sleep(PURGE_EVERY_SECONDS)
