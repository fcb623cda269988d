"""What the routes get from the application: the model worker, handed in by the lifespan."""

from __future__ import annotations

from typing import Annotated, TypedDict, cast

from fastapi import Depends, Request

from service.serving.worker import ModelWorker


class State(TypedDict):
    """The lifespan state that Starlette copies into every request."""

    worker: ModelWorker


def worker_of(request: Request) -> ModelWorker:
    return cast(ModelWorker, request.state.worker)


Worker = Annotated[ModelWorker, Depends(worker_of)]
