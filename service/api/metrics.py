"""Metrics for Prometheus."""

from __future__ import annotations

from typing import cast

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from service.api.access import requires
from service.api.problems import responses
from service.telemetry.metrics import Metrics

router = APIRouter(tags=["health"])


@router.get(
    "/metrics",
    dependencies=[requires("metrics:read")],
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **responses(401, 403, 503)},
)
async def get_metrics(request: Request) -> Response:
    """What the service counts, in the text format of Prometheus, or OpenMetrics where that is asked for."""
    counted = cast(Metrics, request.state.metrics)
    content, media_type = await run_in_threadpool(counted.exposition, request.headers.get("accept", ""))
    return Response(content, headers={"Content-Type": media_type, "Cache-Control": "no-store"})
