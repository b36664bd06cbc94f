"""Somebody else's order system, help desk and procurement as an HTTP API, in words and shapes that are not ours.

Amounts are cents, states have other names, everything lies deeper. It keeps its things in the fakes of the three
ports, and misbehaves when told to: each of `moods` is for one request, in turn.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.errors import Conflict, InvalidInput, KeyReused, NotFound, WaysideError
from core.orders import CancelOrder, ChangeAddress, Order, OrderFilter, Refund
from core.purchasing import (
    ConfirmDelivery,
    PlacePurchaseOrder,
    Product,
    ProductQuery,
    PurchaseOrder,
    PurchaseOrderQuery,
    SalesQuery,
    SupplierQuery,
    Wanted,
)
from core.tickets import (
    CreateTicket,
    Escalate,
    Team,
    Ticket,
    TicketCategory,
    TicketFilter,
    TicketPriority,
    TicketStatus,
    UpdateTicket,
)
from tests.fakes.company import FakeCompany
from tests.fakes.systems import FakeHelpDesk, FakeOrders, FakeProcurement

STATES = {
    "placed": "OPEN",
    "packing": "PICKING",
    "shipped": "SENT",
    "delivered": "DONE",
    "cancelled": "VOID",
    "lost": "GONE",
}
PHASES = {"placed": "ordered", "partial": "arriving", "received": "in"}
STATUSES: dict[type[WaysideError], int] = {NotFound: 404, Conflict: 409, InvalidInput: 400, KeyReused: 422}
SECRET = "open sesame"

Handler = Callable[[Request, str, str], Awaitable[Any]]


class ForeignServer:
    """The API's state. `requests` has (method, path, key) of every request that came, refused ones included.

    Moods: an integer answers with that status (`retry_after` is its header) and does nothing; `mute` does what was
    asked and never answers; `slow` does it after half a second; `cut` does it and drops the connection; `garbage`
    does it and answers no JSON.
    """

    def __init__(self) -> None:
        self.companies: dict[str, FakeCompany] = {}
        self.moods: deque[int | str] = deque()
        self.retry_after = "0"
        self.requests: list[tuple[str, str, str]] = []
        self._desk = FakeHelpDesk(self.companies)
        self._orders = FakeOrders(self.companies)
        self._procurement = FakeProcurement(self.companies)

    def app(self) -> Starlette:
        """The API."""
        routes: list[tuple[str, str, Handler]] = [
            ("GET", "/shop/orders", self._list_orders),
            ("GET", "/shop/orders/{id}", self._one_order),
            ("POST", "/shop/orders/{id}/void", self._cancel),
            ("PUT", "/shop/orders/{id}/destination", self._redirect),
            ("POST", "/shop/orders/{id}/returns", self._refund),
            ("GET", "/shop/done/{key}", self._order_done),
            ("GET", "/desk/cases", self._list_tickets),
            ("POST", "/desk/cases", self._create),
            ("PATCH", "/desk/cases/{id}", self._update),
            ("POST", "/desk/handovers", self._escalate),
            ("GET", "/desk/done/{key}", self._ticket_done),
            ("GET", "/buy/articles", self._products),
            ("GET", "/buy/vendors", self._suppliers),
            ("GET", "/buy/sales", self._sales),
            ("GET", "/buy/orders", self._purchases),
            ("POST", "/buy/orders", self._place),
            ("POST", "/buy/orders/{id}/arrivals", self._confirm),
            ("GET", "/buy/done/{key}", self._purchase_done),
        ]
        return Starlette(routes=[Route(path, self._guarded(run), methods=[method]) for method, path, run in routes])

    def _guarded(self, run: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            key = request.headers.get("x-once", "")
            self.requests.append((request.method, request.url.path, key))
            if request.headers.get("authorization") != f"Key {SECRET}":
                return JSONResponse({"problem": {"text": "who are you?"}}, 401)
            mood = self.moods.popleft() if self.moods else ""
            if isinstance(mood, int):
                return JSONResponse({"problem": {"text": "not now"}}, mood, {"retry-after": self.retry_after})
            if mood == "slow":
                await asyncio.sleep(0.5)
            try:
                content = await run(request, request.headers["x-shop"], key)
            except WaysideError as problem:
                return JSONResponse({"problem": {"text": problem.message}}, STATUSES[type(problem)])
            if mood == "mute":
                await asyncio.sleep(30)
            if mood == "cut":
                raise ConnectionAbortedError("as ordered")
            if mood == "garbage":
                return Response("<html>", media_type="text/html")
            return JSONResponse({"data": content} if content is not None else None, 200 if content is not None else 404)

        return answer

    async def _list_orders(self, request: Request, shop: str, key: str) -> Any:
        asked = request.query_params
        until = datetime.fromisoformat(asked["until"]) if "until" in asked else None
        wanted = OrderFilter(None, asked.get("buyer"), int(asked["max"]), until)
        return [_order(order) for order in await self._orders.orders(shop, wanted)]

    async def _one_order(self, request: Request, shop: str, key: str) -> Any:
        found = await self._orders.orders(shop, OrderFilter(request.path_params["id"]))
        return _order(found[0]) if found else None

    async def _cancel(self, request: Request, shop: str, key: str) -> Any:
        action = CancelOrder(request.path_params["id"], (await request.json())["why"])
        return _order(await self._orders.act(shop, key, action))

    async def _redirect(self, request: Request, shop: str, key: str) -> Any:
        action = ChangeAddress(request.path_params["id"], (await request.json())["to"])
        return _order(await self._orders.act(shop, key, action))

    async def _refund(self, request: Request, shop: str, key: str) -> Any:
        said = await request.json()
        action = Refund(request.path_params["id"], Decimal(said["cents"]).scaleb(-2), said["why"])
        return _order(await self._orders.act(shop, key, action))

    async def _order_done(self, request: Request, shop: str, key: str) -> Any:
        found = await self._orders.outcome(shop, request.path_params["key"])
        return _order(found) if found else None

    async def _list_tickets(self, request: Request, shop: str, key: str) -> Any:
        asked = request.query_params
        statuses = tuple(TicketStatus(state.lower()) for state in asked.getlist("state"))
        wanted = TicketFilter(asked.get("case"), asked.get("who"), asked.get("about"), statuses, int(asked["max"]))
        return [_ticket(ticket) for ticket in await self._desk.tickets(shop, wanted)]

    async def _create(self, request: Request, shop: str, key: str) -> Any:
        said = await request.json()
        action = CreateTicket(
            said["title"],
            TicketCategory(said["kind"]),
            TicketPriority(said["haste"]),
            said["text"],
            said.get("who"),
            said.get("about"),
        )
        return _ticket(await self._desk.act(shop, key, action))

    async def _update(self, request: Request, shop: str, key: str) -> Any:
        said = await request.json()
        status = TicketStatus(said["state"].lower()) if said.get("state") else None
        action = UpdateTicket(request.path_params["id"], status, said.get("owner"), said.get("note"))
        return _ticket(await self._desk.act(shop, key, action))

    async def _escalate(self, request: Request, shop: str, key: str) -> Any:
        said = await request.json()
        action = Escalate(Team(said["to"]), said["why"], said.get("case"), said.get("who"))
        return _ticket(await self._desk.act(shop, key, action))

    async def _ticket_done(self, request: Request, shop: str, key: str) -> Any:
        found = await self._desk.outcome(shop, request.path_params["key"])
        return _ticket(found) if found else None

    async def _products(self, request: Request, shop: str, key: str) -> Any:
        asked = request.query_params
        wanted = ProductQuery(
            asked.get("article"), asked.get("vendor"), asked.get("words", ""), int(asked["max"]), asked.get("behind")
        )
        return [_product(product) for product in await self._procurement.read(shop, wanted)]

    async def _suppliers(self, request: Request, shop: str, key: str) -> Any:
        wanted = SupplierQuery(request.query_params.get("vendor"), int(request.query_params["max"]))
        return [
            {
                "vendor": supplier.id,
                "name": supplier.name,
                "from": supplier.country,
                "terms": {
                    "days": supplier.lead_time_days,
                    "leastCents": _cents(supplier.minimum_order),
                    "pack": supplier.pack_size,
                    "payWithin": supplier.payment_days,
                },
            }
            for supplier in await self._procurement.read(shop, wanted)
        ]

    async def _sales(self, request: Request, shop: str, key: str) -> Any:
        asked = request.query_params
        since, articles = date.fromisoformat(asked["since"]), tuple(asked.getlist("article"))
        wanted = SalesQuery(since, articles, int(asked["max"]), asked.get("behind"))
        return [
            {
                "article": series.sku,
                "begins": series.first_day.isoformat(),
                "days": [
                    {"sold": sold, "reduced": reduced}
                    for sold, reduced in zip(series.units, series.promoted, strict=True)
                ],
            }
            for series in await self._procurement.read(shop, wanted)
        ]

    async def _purchases(self, request: Request, shop: str, key: str) -> Any:
        asked = request.query_params
        wanted = PurchaseOrderQuery(
            asked.get("order"), asked.get("article"), asked["open"] == "true", int(asked["max"])
        )
        return [_purchase(order) for order in await self._procurement.read(shop, wanted)]

    async def _place(self, request: Request, shop: str, key: str) -> Any:
        said = await request.json()
        lines = tuple(Wanted(item["article"], item["count"]) for item in said["items"])
        return _purchase(await self._procurement.act(shop, key, PlacePurchaseOrder(lines, said.get("vendor"))))

    async def _confirm(self, request: Request, shop: str, key: str) -> Any:
        said = await request.json()
        action = ConfirmDelivery(request.path_params["id"], said["count"], said.get("article"))
        return _purchase(await self._procurement.act(shop, key, action))

    async def _purchase_done(self, request: Request, shop: str, key: str) -> Any:
        found = await self._procurement.outcome(shop, request.path_params["key"])
        return _purchase(found) if found else None


def _cents(amount: Decimal) -> int:
    return int(amount.scaleb(2))


def _order(order: Order) -> dict[str, Any]:
    return {
        "number": order.id,
        "buyer": {"id": order.customer_id},
        "state": STATES[order.status],
        "times": {
            "placed": order.placed.isoformat(),
            "sent": order.shipped.isoformat() if order.shipped else None,
            "arrived": order.delivered.isoformat() if order.delivered else None,
        },
        "to": {"text": order.address, "service": order.method, "by": order.carrier, "code": order.tracking},
        "items": [
            {"article": line.sku, "count": line.quantity, "cents": _cents(line.unit_price)} for line in order.lines
        ],
        "sums": {
            "sending": _cents(order.delivery_fee),
            "all": _cents(order.total),
            "taken": _cents(order.charged),
            "returned": _cents(order.refunded),
        },
        "paidBy": order.paid_with,
    }


def _ticket(ticket: Ticket) -> dict[str, Any]:
    return {
        "case": ticket.id,
        "who": ticket.customer_id,
        "about": ticket.order_id,
        "title": ticket.subject,
        "text": ticket.message,
        "kind": ticket.category,
        "haste": ticket.priority,
        "state": ticket.status.upper(),
        "owner": ticket.assignee,
        "team": ticket.team,
        "since": ticket.created.isoformat(),
        "sameAs": ticket.duplicate_of,
        "history": [{"when": note.at.isoformat(), "what": note.text, "team": note.team} for note in ticket.notes],
    }


def _product(product: Product) -> dict[str, Any]:
    return {
        "article": product.sku,
        "name": product.name,
        "group": product.family,
        "sellsFor": str(product.price),
        "buysFor": str(product.cost),
        "pieces": {"here": product.stock, "coming": product.on_order},
        "days": product.lead_time_days,
        "vendor": product.supplier_id,
    }


def _purchase(order: PurchaseOrder) -> dict[str, Any]:
    return {
        "order": order.id,
        "vendor": order.supplier_id,
        "phase": PHASES[order.status],
        "sent": order.placed.isoformat(),
        "due": order.expected.isoformat(),
        "complete": order.received.isoformat() if order.received else None,
        "items": [
            {"article": line.sku, "count": line.quantity, "cents": _cents(line.unit_cost), "came": line.received}
            for line in order.lines
        ],
    }
