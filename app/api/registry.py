"""/api/models: the registered models, for the engineers of the installation's own tenant.

Models belong to the installation: all its tenants are answered by them, so another tenant's engineers neither see nor
change which.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.api.json import Json, StrictJsonRoute, listing
from app.api.registry_views import (
    DecisionList,
    Findings,
    ModelList,
    ModelView,
    TrialView,
    WholeVersion,
    decision_view,
    finding_view,
    model_view,
    payments_trial_view,
    trial_view,
    version_view,
    whole_view,
)
from app.auth import Engineer
from app.errors import responses
from app.fraud.trials import FraudTrials
from app.trials.trials import Trials
from core.errors import Forbidden
from core.registry import Registry
from core.types import Principal
from core.versions import LARGEST_SHARE, NAME, Alias, Mode, Plan

ModelName = Annotated[str, Path(pattern=NAME)]
_LARGEST = 2**31 - 1
Number = Annotated[int, Path(ge=1, le=_LARGEST)]
Why = Annotated[str, Field(min_length=1, max_length=2000, description="for the ledger")]


class NewTrial(BaseModel):
    """A version that is to be tried: as a shadow, or as a canary for some percent of the people."""

    model_config = ConfigDict(extra="forbid")

    version: int = Field(ge=1, le=_LARGEST)
    mode: Mode
    percent: int = Field(0, ge=0, le=LARGEST_SHARE, description="of the people, for a canary")
    why: Why


class NewChampion(BaseModel):
    """A version that is to be the champion. With `champion`, only if that is the champion still (0: none)."""

    model_config = ConfigDict(extra="forbid")

    version: int = Field(ge=1, le=_LARGEST)
    why: Why
    champion: int | None = Field(None, ge=0, le=_LARGEST)


class Rollback(BaseModel):
    """What is to be rolled back: the challenger's trial ends, or the champion before this one is back in force."""

    model_config = ConfigDict(extra="forbid")

    alias: Alias
    why: Why
    version: int | None = Field(None, ge=1, le=_LARGEST, description="only if it is this version still")


def routes(trials: Trials, payments: FraudTrials, tenant: str) -> APIRouter:
    """The router of this surface; `tenant` is the installation's own."""
    router = APIRouter(prefix="/api/models", tags=["registry"], route_class=StrictJsonRoute)
    registry = trials.registry

    def trying(model: str) -> Trials | FraudTrials:
        return payments if model == payments.model else trials

    def own(caller: Principal) -> str:
        if caller.tenant != tenant:
            raise Forbidden("The models belong to the installation: this needs a key of its own tenant.")
        return caller.key_id

    @router.get("", response_model=ModelList, responses=responses(403))
    async def list_registered_models(caller: Engineer) -> Response:
        """List the registered models, and which version of each is champion and challenger."""
        own(caller)
        return listing([model_view(each) for each in await registry.models()])

    @router.get("/{model}", response_model=ModelView, responses=responses(403, 404))
    async def get_registered_model(model: ModelName, caller: Engineer) -> Response:
        """Show where a model stands, and its versions, the latest first."""
        own(caller)
        versions = [version_view(each) for each in await registry.versions(model)]
        return Json(model_view(await registry.standing(model), versions))

    @router.get("/{model}/versions/{number}", response_model=WholeVersion, responses=responses(403, 404))
    async def get_model_version(model: ModelName, number: Number, caller: Engineer) -> Response:
        """Show a version with its lineage, its metrics and its model card."""
        own(caller)
        return Json(whole_view(await registry.version(model, number)))

    @router.get("/{model}/history", response_model=DecisionList, responses=responses(403, 404))
    async def get_model_history(model: ModelName, caller: Engineer) -> Response:
        """Show everything that was decided about a model, oldest first, and whether the ledger is whole."""
        own(caller)
        decisions = [decision_view(each) for each in await registry.history(model)]
        broken = (await registry.verify()).broken
        return listing(decisions, broken=None if broken is None else f"entry {broken.number}: {broken.reason}")

    @router.get("/{model}/trial", response_model=TrialView, responses=responses(403, 404))
    async def get_model_trial(model: ModelName, caller: Engineer) -> Response:
        """Show how the challenger does beside the champion: as this process saw it, or on all payments of the trial."""
        own(caller)
        standing = await registry.standing(model)
        if model == payments.model:
            return Json(payments_trial_view(standing, payments.served.tried, await payments.compared()))
        return Json(trial_view(standing, trials))

    @router.post("/{model}/challenge", response_model=ModelView, responses=responses(403, 404, 409, 422))
    async def challenge_model(model: ModelName, body: NewTrial, caller: Engineer) -> Response:
        """Try a version on live traffic, in place of an earlier challenger."""
        by = own(caller)
        trying(model).check(await registry.version(model, body.version))
        await registry.challenge(model, body.version, Plan(body.mode, body.percent), by, body.why)
        await trying(model).refresh()
        return Json(await _standing(registry, model))

    @router.post("/{model}/promote", response_model=Findings, responses=responses(403, 404, 409, 422))
    async def promote_model(model: ModelName, body: NewChampion, caller: Engineer) -> Response:
        """Make a version the champion, if no gating metric is worse than the champion's."""
        found = await registry.promote(model, body.version, own(caller), body.why, against=body.champion)
        await trying(model).refresh()
        return Json({**await _standing(registry, model), "findings": [finding_view(each) for each in found]})

    @router.post("/{model}/rollback", response_model=ModelView, responses=responses(403, 404, 409, 422))
    async def roll_back_model(model: ModelName, body: Rollback, caller: Engineer) -> Response:
        """Take the champion or the challenger out of its part."""
        await registry.rollback(model, body.alias, own(caller), body.why, number=body.version)
        await trying(model).refresh()
        return Json(await _standing(registry, model))

    return router


async def _standing(registry: Registry, model: str) -> Mapping[str, Any]:
    return model_view(await registry.standing(model))
