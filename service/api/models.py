"""Models: what runs here, in which versions, with which limits."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from service.api.access import requires
from service.api.problems import responses
from service.api.state import Worker
from service.models_catalogue import CataloguedModel, catalogue, catalogued

router = APIRouter(prefix="/v1/models", tags=["models"])


class ModelSummary(BaseModel):
    """One model of the service."""

    name: str = Field(examples=["ai_text"])
    purpose: str
    version: str = Field(description="The name under which analyses record it in `models`.")


class Model(ModelSummary):
    """One model with its card."""

    card: str = Field(description="Data, figures per language, limits: Markdown.")


class ModelList(BaseModel):
    items: list[ModelSummary]


@router.get("", dependencies=[requires("models:read")], responses=responses(401, 403, 429, 503))
async def list_models(worker: Worker) -> ModelList:
    """The models that analyses are made with."""
    found = await worker.run(catalogue)
    return ModelList(
        items=[ModelSummary(name=item.name, purpose=item.purpose, version=item.version) for item in found]
    )


@router.get(
    "/{name}",
    dependencies=[requires("models:read")],
    responses=responses(401, 403, 404, 422, 429, 503),
)
async def get_model(name: str, worker: Worker) -> Model:
    """One model with its card: what it was trained on, how it does per language, where it stops."""

    found: CataloguedModel = await worker.run(lambda runtime: catalogued(name, runtime))
    return Model(name=found.name, purpose=found.purpose, version=found.version, card=found.card)
