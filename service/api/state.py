"""What the routes get from the application, handed in by the lifespan."""

from __future__ import annotations

from typing import Annotated, TypedDict, cast

from fastapi import Depends, Request

from service.auth.keys import Keys
from service.serving.worker import ModelWorker
from service.store.idempotency import SqlIdempotencyRepository


class State(TypedDict):
    """The lifespan state that Starlette copies into every request."""

    worker: ModelWorker
    keys: Keys
    idempotency: SqlIdempotencyRepository


def worker_of(request: Request) -> ModelWorker:
    return cast(ModelWorker, request.state.worker)


def keys_of(request: Request) -> Keys:
    return cast(Keys, request.state.keys)


Worker = Annotated[ModelWorker, Depends(worker_of)]
KeysDep = Annotated[Keys, Depends(keys_of)]
