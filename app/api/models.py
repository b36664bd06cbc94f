"""GET /v1/models: `wayside`, then every model of every engine."""

from __future__ import annotations

from collections.abc import Mapping
from time import time

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from app.api.json import Json, listing
from app.auth import Anyone
from app.engines.protocol import Engine
from app.errors import responses
from app.runs.wayside import WAYSIDE
from core.errors import NotFound


class Model(BaseModel):
    """A name to put into a request; `owned_by` is the engine that serves it."""

    id: str
    object: str
    created: int
    owned_by: str


class ModelList(BaseModel):
    """Every model."""

    object: str
    data: list[Model]


def routes(engines: Mapping[str, Engine], embedding_model: str) -> APIRouter:
    """The router of this surface. `created` is the time of this call: when the models became available here."""
    owners = {WAYSIDE: WAYSIDE, **{name: engine.name for name, engine in engines.items()}, embedding_model: "embedded"}
    born = int(time())
    models = {
        name: {"id": name, "object": "model", "created": born, "owned_by": owner} for name, owner in owners.items()
    }
    router = APIRouter(prefix="/v1/models", tags=["models"])

    @router.get("", response_model=ModelList, responses=responses())
    async def list_models(caller: Anyone) -> Response:
        """List the models, the agent first."""
        return listing(tuple(models.values()))

    # Hub names have slashes in them.
    @router.get("/{model:path}", response_model=Model, responses=responses(404))
    async def retrieve_model(model: str, caller: Anyone) -> Response:
        """Describe one model."""
        found = models.get(model)
        if found is None:
            raise NotFound(f"There is no model {model!r}.", param="model", code="model_not_found")
        return Json(found)

    return router
