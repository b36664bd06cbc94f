"""/api/forecasts and /api/reorders: what products are expected to sell, and what to buy for that. For staff."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.responses import Response

from agents.tools.tool import Caller
from app.api.calls import PathId
from app.api.json import Json, StrictJsonRoute
from app.auth import Staff
from app.errors import responses
from app.tools import Tools
from core.demand import Demand, Outlook
from core.errors import InvalidInput, NotFound
from core.ports import Forecaster, Procurement
from core.purchasing import ProductQuery

LEVELS = {"p10": 0.1, "p50": 0.5, "p90": 0.9}
WEEK = 7


class SpanView(BaseModel):
    """Pieces wanted in the days from `begins` on: the expectation, and what is not exceeded in 10, 50 and 90 of 100."""

    begins: date
    days: int
    mean: float
    p10: float
    p50: float
    p90: float


class ForecastView(BaseModel):
    """A forecast by the week; quantiles are each span's own, so that those of the weeks do not add up to the total's.

    `method` says who foretold it, from sales until `known_until`; `models` are the shares of the library's models, none
    where the built-in method spoke.
    """

    object: str = "forecast"
    sku: str
    method: str
    known_until: date
    weeks_of_history: int
    models: dict[str, float]
    weeks: list[SpanView]
    total: SpanView


class ProspectView(BaseModel):
    """What a position comes to in the protection interval: pieces short and left, and what either costs (decimals)."""

    position: int
    short: float
    short_share: float
    left: float
    shortage_cost: str
    holding_cost: str


class ReorderView(BaseModel):
    """What to buy, with the numbers in the order in which they follow from each other; amounts are decimals."""

    sku: str
    supplier_id: str
    lead_time_days: int
    review_days: int
    protection_days: int
    protection_demand: float
    protection_sd: float
    service_level: float
    safety_factor: float
    safety_stock: float
    reorder_point: int
    cover_days: int
    cover_demand: float
    order_up_to: int
    stock: int
    on_order: int
    position: int
    shortfall: int
    pack_size: int
    minimum_order: str
    least_quantity: int
    quantity: int
    unit_cost: str
    total: str
    days_left: float | None
    unchanged: ProspectView
    ordered: ProspectView
    method: str
    known_until: date


class PolicyView(BaseModel):
    """What the company wants of its stock, see `agents/reorder.py`."""

    service_level: float
    review_days: int
    cover_days: int
    holding_rate: float


class ReorderList(BaseModel):
    """The most urgent reorders of the `due` ones."""

    object: str = "reorders"
    policy: PolicyView
    products_looked_at: int
    products_without_forecast: int
    due: int
    suggestions: list[ReorderView]


def routes(tools: Tools, procurement: Procurement, forecaster: Forecaster) -> APIRouter:
    """The router of this surface."""
    router = APIRouter(prefix="/api", tags=["forecasts"], route_class=StrictJsonRoute)

    @router.get("/forecasts/{sku}", response_model=ForecastView, responses=responses(403, 404, 422, 502, 504))
    async def get_forecast(
        sku: PathId, caller: Staff, weeks: Annotated[int, Query(ge=1, le=52, description="how far ahead")] = 8
    ) -> Response:
        """Say what a product is expected to sell in the coming weeks, and who says so."""
        if not await procurement.read(caller.tenant, ProductQuery(sku=sku, limit=1)):
            raise NotFound(f"no product {sku}", param="sku")
        found = (await forecaster.outlooks(caller.tenant, {sku: WEEK * weeks})).get(sku)
        if found is None:
            told = f"{sku} has not been sold for long enough to forecast from"
            raise InvalidInput(told, param="sku", code="no_history")
        return Json(_view(found, weeks))

    @router.get("/reorders", response_model=ReorderList, responses=responses(403, 422, 502, 504))
    async def list_reorders(
        caller: Staff, limit: Annotated[int, Query(ge=1, le=100, description="the most urgent so many")] = 10
    ) -> Response:
        """Say which products to reorder now, how many and why: what the tool `suggest_reorders` says."""
        told: Any = await tools.toolbox.read(Caller(caller), "suggest_reorders", {"limit": limit})
        return Json({"object": "reorders", **told})

    return router


def _view(found: Outlook, weeks: int) -> dict[str, Any]:
    spans = [_span(found.over(WEEK, WEEK * week), found.begins, WEEK * week, WEEK) for week in range(weeks)]
    return {
        "object": "forecast",
        "sku": found.sku,
        "method": found.method,
        "known_until": found.known_until,
        "weeks_of_history": found.history,
        "models": dict(found.models),
        "weeks": spans,
        "total": _span(found.over(WEEK * weeks), found.begins, 0, WEEK * weeks),
    }


def _span(demand: Demand, begins: date, after: int, days: int) -> dict[str, Any]:
    quantiles = {name: round(demand.quantile(level), 3) for name, level in LEVELS.items()}
    return {"begins": begins + timedelta(days=after), "days": days, "mean": round(demand.mean, 3), **quantiles}
