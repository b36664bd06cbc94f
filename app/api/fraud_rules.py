"""/api/fraud/rules and /api/fraud/lists: what people decided about payments beforehand. Every change is audited."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.api.json import Json, StrictJsonRoute, listing
from app.auth import Engineer, Staff
from app.errors import responses
from app.fraud.payments import NAME, Name
from tabular.fraud.rulebook import FraudList, Limits, Listed, Rulebook

_LARGEST = 2**31 - 1


class NewLimits(BaseModel):
    """Both limits; null lets everything pass."""

    model_config = ConfigDict(extra="forbid")

    most_amount: Annotated[Decimal, Field(gt=0, max_digits=12, decimal_places=2)] | None = Field(
        description="the largest amount that passes without a look"
    )
    most_uses_an_hour: Annotated[int, Field(ge=1, le=_LARGEST)] | None = Field(
        description="uses of a card within an hour that pass without a look"
    )


class LimitsView(BaseModel):
    """The limits in force; `changed_by` and `changed_at` are null where they are the settings'."""

    object: str = "fraud.limits"
    most_amount: str | None
    most_uses_an_hour: int | None
    changed_by: str | None
    changed_at: datetime | None


class NewListed(BaseModel):
    """A card or a terminal to be put on a list, and why."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]


class ListedView(BaseModel):
    """A name on a list."""

    object: str = "fraud.listed"
    list: FraudList
    name: str
    reason: str
    by: str
    at: datetime


class ListedPage(BaseModel):
    """Names on a list, in their order; the next page begins `after` the last one."""

    object: str
    data: list[ListedView]
    has_more: bool


def routes(rulebook: Rulebook) -> APIRouter:
    """The router of this surface."""
    router = APIRouter(prefix="/api/fraud", tags=["fraud"], route_class=StrictJsonRoute)

    @router.get("/rules", response_model=LimitsView, responses=responses(403))
    async def get_rules(caller: Staff) -> Response:
        """The limits above which a payment gets a person's look, whatever the model says."""
        return Json(_limits(await rulebook.limits(caller.tenant)))

    @router.put("/rules", response_model=LimitsView, responses=responses(403))
    async def set_rules(body: NewLimits, caller: Engineer) -> Response:
        """Set both limits. From now on the settings' no longer count."""
        cents = None if body.most_amount is None else int(body.most_amount.scaleb(2))
        return Json(_limits(await rulebook.limit(caller, cents, body.most_uses_an_hour)))

    @router.get("/lists/{which}", response_model=ListedPage, responses=responses(403))
    async def list_names(
        which: FraudList,
        caller: Staff,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        after: Annotated[str, Query(max_length=128, description="the last name of the page before")] = "",
    ) -> Response:
        """What people put on the list. What the settings block or trust is in force too, and not shown here."""
        found = await rulebook.listed(caller.tenant, which, limit=limit + 1, after=after)
        return listing([_listed(each) for each in found[:limit]], has_more=len(found) > limit)

    @router.post("/lists/{which}", status_code=201, response_model=ListedView, responses=responses(403, 409, 422))
    async def put_on_list(which: FraudList, body: NewListed, caller: Staff) -> Response:
        """Block a card or a terminal, or trust a card; 200 when it is there already. The next payment is judged so."""
        listed, new = await rulebook.put(caller, which, body.name, body.reason)
        return Json(_listed(listed), 201 if new else 200)

    @router.delete("/lists/{which}/{name}", status_code=204, responses=responses(403, 404))
    async def take_off_list(which: FraudList, name: Annotated[str, Path(pattern=NAME)], caller: Staff) -> Response:
        """Take a name off a list."""
        await rulebook.remove(caller, which, name)
        return Response(status_code=204)

    return router


def _limits(limits: Limits) -> dict[str, Any]:
    return {
        "object": "fraud.limits",
        "most_amount": None if limits.most_cents is None else str(Decimal(limits.most_cents).scaleb(-2)),
        "most_uses_an_hour": limits.most_uses_an_hour,
        "changed_by": limits.by,
        "changed_at": limits.at,
    }


def _listed(listed: Listed) -> dict[str, Any]:
    return {
        "object": "fraud.listed",
        "list": listed.list,
        "name": listed.name,
        "reason": listed.reason,
        "by": listed.by,
        "at": listed.at,
    }
