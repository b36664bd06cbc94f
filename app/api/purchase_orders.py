"""/api/purchase-orders: goods bought from suppliers. For staff."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from agents.tools.arguments import Arguments, ConfirmsDelivery, CreatePurchaseOrder, Pieces
from agents.tools.tool import as_json
from app.api.calls import ID, ApprovalView, PathId, perform
from app.api.json import Json, StrictJsonRoute, listing
from app.auth import Staff
from app.errors import responses
from app.tools import Tools
from core.errors import NotFound
from core.ports import Procurement
from core.purchasing import PurchaseOrderQuery, PurchaseOrderStatus


class PurchaseOrderLineView(BaseModel):
    """Pieces of one product, `received` of them in the warehouse by now."""

    sku: str
    quantity: int
    unit_cost: str
    received: int


class PurchaseOrderView(BaseModel):
    """Goods bought from one supplier; amounts are decimals as strings, `total` is at cost."""

    object: str = "purchase_order"
    id: str
    supplier_id: str
    status: PurchaseOrderStatus
    placed: datetime
    expected: date
    received: datetime | None
    lines: list[PurchaseOrderLineView]
    total: str


class PurchaseOrderList(BaseModel):
    """Purchase orders, the latest first; `has_more` when there are more than `limit`."""

    object: str
    data: list[PurchaseOrderView]
    has_more: bool


class NewDelivery(Arguments):
    """How many pieces arrived."""

    received_quantity: Pieces


def routes(tools: Tools, procurement: Procurement) -> APIRouter:
    """The router of this surface."""
    router = APIRouter(prefix="/api/purchase-orders", tags=["purchase orders"], route_class=StrictJsonRoute)
    answers: dict[int | str, dict[str, Any]] = {202: {"model": ApprovalView}}
    answers |= responses(403, 404, 409, 422, 502, 504)

    @router.get("", response_model=PurchaseOrderList, responses=responses(403, 502, 504))
    async def list_purchase_orders(
        caller: Staff,
        sku: Annotated[str | None, Query(pattern=ID)] = None,
        open_only: Annotated[bool, Query()] = False,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> Response:
        """List purchase orders; `open_only` leaves out those of which all has come."""
        wanted = PurchaseOrderQuery(sku=sku, open_only=open_only, limit=limit + 1)
        found = await procurement.read(caller.tenant, wanted)
        return listing([_view(as_json(each)) for each in found[:limit]], has_more=len(found) > limit)

    @router.get("/{po_id}", response_model=PurchaseOrderView, responses=responses(403, 404, 502, 504))
    async def get_purchase_order(po_id: PathId, caller: Staff) -> Response:
        """Show a purchase order."""
        for found in await procurement.read(caller.tenant, PurchaseOrderQuery(po_id=po_id, limit=1)):
            return Json(_view(as_json(found)))
        raise NotFound(f"no purchase order {po_id}", param="po_id")

    @router.post("", status_code=201, response_model=PurchaseOrderView, responses=answers)
    async def create_purchase_order(request: Request, body: CreatePurchaseOrder, caller: Staff) -> Response:
        """Buy pieces of a product; above the policy's limit, 202 and an approval."""
        arguments = body.model_dump()
        return await perform(tools.acting, request, caller, "create_purchase_order", arguments, _view, status=201)

    @router.post("/{po_id}/delivery", response_model=PurchaseOrderView, responses=answers)
    async def confirm_delivery(request: Request, po_id: PathId, body: NewDelivery, caller: Staff) -> Response:
        """Book in pieces that arrived."""
        given = ConfirmsDelivery(po_id=po_id, received_quantity=body.received_quantity)
        return await perform(tools.acting, request, caller, "confirm_delivery", given.model_dump(), _view)

    return router


def _view(order: Any) -> Mapping[str, Any]:
    total = sum((Decimal(line["unit_cost"]) * line["quantity"] for line in order["lines"]), Decimal("0.00"))
    return {"object": "purchase_order", **order, "total": str(total)}
