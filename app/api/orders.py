"""/api/orders: customers' orders. Clients see and change their own; staff any of the company's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from agents.tools.arguments import Amount, Arguments, CancelsOrder, IssueRefund, RedirectsOrder, Text
from agents.tools.tool import Caller, as_json
from app.api.calls import ID, ApprovalView, PathId, perform
from app.api.json import Json, StrictJsonRoute, listing
from app.auth import Anyone
from app.errors import responses
from app.tools import Tools
from core.errors import NotFound
from core.orders import OrderFilter, OrderStatus
from core.ports import Orders
from core.types import Role


class OrderLineView(BaseModel):
    """Pieces of one product, at the price of the day."""

    sku: str
    quantity: int
    unit_price: str


class OrderView(BaseModel):
    """An order; amounts are decimals as strings. `charged` was taken so far, `refunded` paid back."""

    object: str = "order"
    id: str
    customer_id: str
    status: OrderStatus
    placed: datetime
    shipped: datetime | None
    delivered: datetime | None
    address: str
    method: str
    carrier: str
    tracking: str | None
    lines: list[OrderLineView]
    delivery_fee: str
    total: str
    paid_with: str
    charged: str
    refunded: str


class OrderList(BaseModel):
    """Orders, the latest first; `has_more` when there are more than `limit`."""

    object: str
    data: list[OrderView]
    has_more: bool


class Cancellation(Arguments):
    """Why an order is cancelled."""

    reason: Text


class NewAddress(Arguments):
    """Where an order is to go."""

    address: Annotated[str, Field(min_length=1, max_length=500)]


class NewRefund(Arguments):
    """How much is paid back, and why."""

    amount: Amount
    reason: Text


def routes(tools: Tools, orders: Orders) -> APIRouter:
    """The router of this surface."""
    router = APIRouter(prefix="/api/orders", tags=["orders"], route_class=StrictJsonRoute)
    answers: dict[int | str, dict[str, Any]] = {202: {"model": ApprovalView}}
    answers |= responses(403, 404, 409, 422, 502, 504)

    @router.get("", response_model=OrderList, responses=responses(502, 504))
    async def list_orders(
        caller: Anyone,
        customer_id: Annotated[str | None, Query(pattern=ID)] = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> Response:
        """List orders: the company's, or one customer's, for staff; a client's own for a client."""
        who = Caller(caller)
        # A client's key without a customer has no orders: to the port, no customer would mean everybody's.
        other = caller.role is Role.CLIENT and customer_id not in (None, caller.customer_id)
        if who.visitor or other:
            return listing([], has_more=False)
        wanted = OrderFilter(customer_id=who.subject.customer_id or customer_id, limit=limit + 1)
        found = await orders.orders(caller.tenant, wanted)
        return listing([_view(as_json(each)) for each in found[:limit]], has_more=len(found) > limit)

    @router.get("/{order_id}", response_model=OrderView, responses=responses(404, 502, 504))
    async def get_order(order_id: PathId, caller: Anyone) -> Response:
        """Show an order."""
        who = Caller(caller)
        wanted = OrderFilter(order_id=order_id, customer_id=who.subject.customer_id, limit=1)
        found = [] if who.visitor else await orders.orders(caller.tenant, wanted)
        if not found:
            raise NotFound(f"no order {order_id}", param="order_id")
        return Json(_view(as_json(found[0])))

    @router.post("/{order_id}/cancel", response_model=OrderView, responses=answers)
    async def cancel_order(request: Request, order_id: PathId, body: Cancellation, caller: Anyone) -> Response:
        """Cancel an order that is not packed yet, and pay back what was charged."""
        given = CancelsOrder(order_id=order_id, reason=body.reason)
        return await perform(tools.acting, request, caller, "cancel_order", given.model_dump(), _view)

    @router.post("/{order_id}/address", response_model=OrderView, responses=answers)
    async def change_address(request: Request, order_id: PathId, body: NewAddress, caller: Anyone) -> Response:
        """Send an order that is not packed yet to another address."""
        given = RedirectsOrder(order_id=order_id, address=body.address)
        return await perform(tools.acting, request, caller, "change_delivery_address", given.model_dump(), _view)

    @router.post("/{order_id}/refund", response_model=OrderView, responses=answers)
    async def refund_order(request: Request, order_id: PathId, body: NewRefund, caller: Anyone) -> Response:
        """Pay money back; above the policy's limit, 202 and an approval."""
        given = IssueRefund(order_id=order_id, amount=body.amount, reason=body.reason)
        return await perform(tools.acting, request, caller, "issue_refund", given.model_dump(), _view)

    return router


def _view(order: Any) -> Mapping[str, Any]:
    return {"object": "order", **order}
