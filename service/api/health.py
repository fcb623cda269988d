"""Is the process alive, and may it get traffic?"""

from __future__ import annotations

import logging
from typing import Literal

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from index.errors import VectorStoreUnavailable
from service.api.access import public
from service.api.problems import PROBLEM_JSON, Problem, responses
from service.api.state import ModelWorkerDep
from service.errors import NotReady
from service.serving.worker import ModelWorker, WorkerState

log = logging.getLogger(__name__)
router = APIRouter(tags=["health"])


class Alive(BaseModel):
    status: Literal["alive"] = "alive"


class Check(BaseModel):
    status: Literal["ok", "loading", "failed"]
    detail: str | None = None


class Ready(BaseModel):
    status: Literal["ready"] = "ready"
    checks: dict[str, Check]
    records: int = Field(description="Verified records in the database.")
    index_generation: int


class NotReadyProblem(Problem):
    """The problem of /readyz, with the checks beside it."""

    checks: dict[str, Check]


@router.get("/livez", dependencies=[public])
async def livez() -> Alive:
    """Answers as long as the event loop turns."""
    return Alive()


@router.get("/readyz", dependencies=[public], response_model=Ready, responses=responses(503))
async def readyz(worker: ModelWorkerDep) -> Ready | Response:
    """200 once models are loaded and database and index answer; 503 with the reason otherwise."""
    checks: dict[str, Check] = {"models": _models(worker)}
    if worker.draining:
        checks["worker"] = Check(status="failed", detail="shutting down")
    elif worker.stalled:
        checks["worker"] = Check(status="failed", detail="one request has been running for too long")
    elif worker.state is WorkerState.READY:
        try:
            records, generation = await run_in_threadpool(_library, worker)
        except VectorStoreUnavailable as error:
            log.warning("%s", error)
            checks |= {"database": Check(status="ok"), "index": Check(status="failed")}
        except Exception as error:
            checks["database"] = Check(status="failed", detail=type(error).__name__)
        else:
            checks |= {"database": Check(status="ok"), "index": Check(status="ok")}
            return Ready(checks=checks, records=records, index_generation=generation)
    problem = NotReadyProblem(
        type=NotReady("").type,
        title=NotReady.title,
        status=NotReady.status,
        detail="; ".join(f"{name} {check.status}" for name, check in checks.items() if check.status != "ok"),
        instance="/readyz",
        checks=checks,
    )
    return Response(
        problem.model_dump_json(exclude_none=True),
        status_code=NotReady.status,
        media_type=PROBLEM_JSON,
        headers={"Retry-After": "2"},
    )


def _models(worker: ModelWorker) -> Check:
    if worker.state is WorkerState.READY:
        return Check(status="ok")
    return Check(status="failed" if worker.state is WorkerState.FAILED else "loading", detail=worker.failure)


def _library(worker: ModelWorker) -> tuple[int, int]:
    library = worker.runtime.library
    library.ping()
    return library.store.records.count(), library.records.generation
