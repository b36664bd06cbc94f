"""/api/sync: what a device brings when it is back on the network, and what it takes along."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from agents.reconciling import Reconciling
from app.api.json import Json, StrictJsonRoute, listing
from app.auth import Anyone
from app.errors import responses
from core.intents import MOST, Intent, Records, Settlement


class IntentList(BaseModel):
    """Intents to settle. To send one again is how to hear what became of it."""

    model_config = ConfigDict(extra="forbid")

    intents: Annotated[list[Intent], Field(max_length=MOST)]


class SettlementList(BaseModel):
    """What became of each intent, in the order in which they were made."""

    object: str
    data: list[Settlement]


def routes(reconciling: Reconciling) -> APIRouter:
    """The router of this surface."""
    router = APIRouter(prefix="/api/sync", tags=["sync"], route_class=StrictJsonRoute)

    @router.post("/intents", response_model=SettlementList, responses=responses())
    async def settle(body: IntentList, caller: Anyone) -> Response:
        """Bring about what was wanted without a network, each once. What cannot be done is said of that one alone."""
        settled = await reconciling.settle(caller, body.intents)
        return listing([each.model_dump(mode="json") for each in settled])

    @router.get("/records", response_model=Records, responses=responses())
    async def records(caller: Anyone) -> Response:
        """Give the caller's own orders, with the versions that intents refer to."""
        return Json((await reconciling.records(caller)).model_dump(mode="json"))

    return router
