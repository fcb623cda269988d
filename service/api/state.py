"""What the routes get from the application, handed in by the lifespan."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, TypedDict, TypeVar, cast

from fastapi import Depends, Request

from service.api.access import CALLER
from service.audits.desk import AuditDesk
from service.auth.accounts import Accounts
from service.auth.keys import Keys
from service.auth.scopes import Caller
from service.auth.sessions import Sessions
from service.errors import ClientLeft
from service.policy import PolicyDesk
from service.runtime import Runtime
from service.serving.queue import waited_too_long
from service.serving.quota import Quota
from service.serving.worker import ModelWorker
from service.store.idempotency import SqlIdempotencyRepository
from service.telemetry.metrics import Metrics
from service.webhooks.endpoints import Webhooks

T = TypeVar("T")


class State(TypedDict):
    """The lifespan state that Starlette copies into every request."""

    worker: ModelWorker
    quota: Quota
    keys: Keys
    accounts: Accounts
    sessions: Sessions
    idempotency: SqlIdempotencyRepository
    webhooks: Webhooks
    audits: AuditDesk
    metrics: Metrics


async def worker_of(request: Request) -> ModelWorker:
    return cast(ModelWorker, request.state.worker)


async def keys_of(request: Request) -> Keys:
    return cast(Keys, request.state.keys)


async def accounts_of(request: Request) -> Accounts:
    return cast(Accounts, request.state.accounts)


async def sessions_of(request: Request) -> Sessions:
    return cast(Sessions, request.state.sessions)


async def webhooks_of(request: Request) -> Webhooks:
    return cast(Webhooks, request.state.webhooks)


async def policy_of(request: Request) -> PolicyDesk:
    # Of the runtime this touches the settings and the store alone, which any thread may.
    return (await worker_of(request)).runtime.policy


class RequestWorker:
    """The model worker as one request sees it: work counts as its caller's, and is dropped when the caller
    leaves before it has begun.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._worker = cast(ModelWorker, request.state.worker)

    @property
    def runtime(self) -> Runtime:
        """The runtime, for its settings; it belongs to the model thread."""
        return self._worker.runtime

    async def run(self, call: Callable[[Runtime], T], *, characters: int = 0) -> T:
        """Run `call(runtime)`, which works on about so many characters of text, in the model thread.

        Raises:
            NotReady, Overloaded, QuotaExceeded: see `ModelWorker.submit`.
            ClientLeft: the caller left while the call was waiting.
        """
        caller = self._account()
        cast(Quota, self._request.state.quota).take(caller)
        future = self._worker.submit(call, characters=characters, caller=caller)
        answer = asyncio.ensure_future(asyncio.wrap_future(future))
        left = asyncio.ensure_future(self._left())
        seconds = self._worker.queue.limits.seconds
        try:
            ends: set[asyncio.Future[Any]] = {answer, left}
            await asyncio.wait(ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            # Work that has begun is finished, whether or not somebody still listens: what it stores is then
            # told to whoever sends the same request again.
            if not answer.done() and future.cancel():
                if left.done():
                    raise ClientLeft("The caller left before the work was begun.")
                raise waited_too_long(seconds, self._worker.queue.wait())
            return await answer
        finally:
            left.cancel()

    def _account(self) -> str:
        """Whose work it is: a key's, or on a public route an address's."""
        caller = self._request.scope.get(CALLER)
        if caller is not None:
            return cast(Caller, caller).id
        client = self._request.client
        return f"public {client.host}" if client is not None else "public"

    async def read(self, call: Callable[[Runtime], T]) -> T:
        """Run `call(runtime)` in any thread, for the database alone. Raises NotReady."""
        return await self._worker.read(call)

    async def _left(self) -> None:
        while (await self._request.receive())["type"] != "http.disconnect":
            pass


async def request_worker(request: Request) -> RequestWorker:
    return RequestWorker(request)


ModelWorkerDep = Annotated[ModelWorker, Depends(worker_of)]
Worker = Annotated[RequestWorker, Depends(request_worker)]
KeysDep = Annotated[Keys, Depends(keys_of)]
WebhooksDep = Annotated[Webhooks, Depends(webhooks_of)]
AccountsDep = Annotated[Accounts, Depends(accounts_of)]
SessionsDep = Annotated[Sessions, Depends(sessions_of)]
PolicyDep = Annotated[PolicyDesk, Depends(policy_of)]
