"""The three systems in dictionaries: what can be done is the rules' to say, the rest is as plain as can be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

from agents.systems.builtin.outcomes import fingerprint
from agents.systems.rules import orders as order_rules
from agents.systems.rules import purchasing, tickets
from agents.systems.rules.words import check_action, check_key, check_query
from core.database import now
from core.errors import KeyReused, NotFound
from core.orders import Order, OrderAction, OrderFilter
from core.purchasing import (
    ConfirmDelivery,
    Found_co,
    Product,
    ProductQuery,
    PurchaseAction,
    PurchaseOrder,
    PurchaseOrderQuery,
    PurchaseOrderStatus,
    Query,
    SalesHistory,
    SalesQuery,
    Supplier,
    SupplierQuery,
)
from core.tickets import CreateTicket, Escalate, Ticket, TicketAction, TicketFilter
from tests.fakes.company import FakeCompany

Companies = Mapping[str, FakeCompany]


class FakeOutcomes:
    """Results by tenant and key. Nothing awaits in between, so acts come one after the other."""

    def __init__(self) -> None:
        self._done: dict[tuple[str, str], tuple[str, Any]] = {}

    def once(self, tenant: str, key: str, action: Any, change: Callable[[], Any]) -> Any:
        check_key(key)
        check_action(action)
        if (tenant, key) not in self._done:
            self._done[tenant, key] = (fingerprint(action), change())
        mark, result = self._done[tenant, key]
        if mark != fingerprint(action):
            raise KeyReused("this key was used for another action", param="key")
        return result

    def find(self, tenant: str, key: str) -> Any:
        check_key(key)
        return self._done.get((tenant, key), ("", None))[1]


class FakeHelpDesk:
    """See `HelpDesk`."""

    def __init__(self, companies: Companies) -> None:
        self._companies = companies
        self._outcomes = FakeOutcomes()

    async def tickets(self, tenant: str, wanted: TicketFilter) -> list[Ticket]:
        check_query(wanted)
        found = [
            ticket
            for ticket in _company(self._companies, tenant).tickets.values()
            if wanted.ticket_id in (None, ticket.id)
            and wanted.customer_id in (None, ticket.customer_id)
            and wanted.order_id in (None, ticket.order_id)
            and (not wanted.statuses or ticket.status in wanted.statuses)
        ]
        return sorted(found, key=lambda ticket: (ticket.created, ticket.id), reverse=True)[: wanted.limit]

    async def act(self, tenant: str, key: str, action: TicketAction) -> Ticket:
        company = _company(self._companies, tenant)
        return cast("Ticket", self._outcomes.once(tenant, key, action, lambda: self._do(company, action)))

    async def outcome(self, tenant: str, key: str) -> Ticket | None:
        return cast("Ticket | None", self._outcomes.find(tenant, key))

    def _do(self, company: FakeCompany, action: TicketAction) -> Ticket:
        number = max((int(known.removeprefix("TCK-")) for known in company.tickets), default=0) + 1
        if isinstance(action, CreateTicket) or action.ticket_id is None:
            if action.customer_id not in (None, *company.customers):
                raise NotFound("no such customer")
            if isinstance(action, CreateTicket):
                order = company.orders.get(action.order_id or "")
                if action.order_id and (order is None or action.customer_id not in (None, order.customer_id)):
                    raise NotFound("no such order")
                ticket = tickets.created(f"TCK-{number:05}", action, now())
            else:
                ticket = tickets.opened(f"TCK-{number:05}", action, now())
        else:
            before = company.tickets.get(action.ticket_id)
            if before is None or action.customer_id not in (None, before.customer_id):
                raise NotFound("no such ticket")
            escalates = isinstance(action, Escalate)
            change: Callable[..., Ticket] = tickets.escalated if escalates else tickets.updated
            ticket = change(before, action, now())
        company.tickets[ticket.id] = ticket
        return ticket


class FakeOrders:
    """See `Orders`."""

    def __init__(self, companies: Companies) -> None:
        self._companies = companies
        self._outcomes = FakeOutcomes()

    async def orders(self, tenant: str, wanted: OrderFilter) -> list[Order]:
        check_query(wanted)
        found = [
            order
            for order in _company(self._companies, tenant).orders.values()
            if wanted.order_id in (None, order.id)
            and wanted.customer_id in (None, order.customer_id)
            and (wanted.placed_until is None or order.placed <= wanted.placed_until)
        ]
        return sorted(found, key=lambda order: (order.placed, order.id), reverse=True)[: wanted.limit]

    async def act(self, tenant: str, key: str, action: OrderAction) -> Order:
        orders = _company(self._companies, tenant).orders

        def change() -> Order:
            before = orders.get(action.order_id)
            if before is None or action.customer_id not in (None, before.customer_id):
                raise NotFound("no such order")
            orders[before.id] = order_rules.changed(before, action)
            return orders[before.id]

        return cast("Order", self._outcomes.once(tenant, key, action, change))

    async def outcome(self, tenant: str, key: str) -> Order | None:
        return cast("Order | None", self._outcomes.find(tenant, key))


class FakeProcurement:
    """See `Procurement`."""

    def __init__(self, companies: Companies) -> None:
        self._companies = companies
        self._outcomes = FakeOutcomes()

    async def read(self, tenant: str, wanted: Query[Found_co]) -> list[Found_co]:
        check_query(wanted)
        company = _company(self._companies, tenant)
        read: Any = {
            ProductQuery: _products,
            SupplierQuery: _suppliers,
            SalesQuery: _sales,
            PurchaseOrderQuery: _purchase_orders,
        }[type(wanted)]
        return cast("list[Found_co]", read(company, wanted)[: wanted.limit])  # type: ignore[attr-defined]

    async def act(self, tenant: str, key: str, action: PurchaseAction) -> PurchaseOrder:
        company = _company(self._companies, tenant)
        return cast("PurchaseOrder", self._outcomes.once(tenant, key, action, lambda: _buy(company, action)))

    async def outcome(self, tenant: str, key: str) -> PurchaseOrder | None:
        return cast("PurchaseOrder | None", self._outcomes.find(tenant, key))


def _company(companies: Companies, tenant: str) -> FakeCompany:
    return companies.get(tenant) or FakeCompany(customers=())


def _products(company: FakeCompany, wanted: ProductQuery) -> list[Product]:
    coming = [line for order in company.purchase_orders.values() for line in order.lines]
    return [
        replace(product, on_order=sum(line.outstanding for line in coming if line.sku == sku))
        for sku, product in sorted(company.products.items())
        if wanted.sku in (None, sku)
        and (wanted.after is None or sku > wanted.after)
        and wanted.supplier_id in (None, product.supplier_id)
        and all(word in f"{product.name} {product.family}".lower() for word in wanted.words.lower().split())
    ]


def _suppliers(company: FakeCompany, wanted: SupplierQuery) -> list[Supplier]:
    return [one for key, one in sorted(company.suppliers.items()) if wanted.supplier_id in (None, key)]


def _sales(company: FakeCompany, wanted: SalesQuery) -> list[SalesHistory]:
    found = []
    for sku, series in sorted(company.sales.items()):
        skip = max(0, (wanted.since - series.first_day).days)
        asked = (not wanted.skus or sku in wanted.skus) and (wanted.after is None or sku > wanted.after)
        if asked and skip < len(series.units):
            first = max(series.first_day, wanted.since)
            found.append(SalesHistory(sku, first, series.units[skip:], series.promoted[skip:]))
    return found


def _purchase_orders(company: FakeCompany, wanted: PurchaseOrderQuery) -> list[PurchaseOrder]:
    found = [
        order
        for order in company.purchase_orders.values()
        if wanted.po_id in (None, order.id)
        and (wanted.sku is None or wanted.sku in [line.sku for line in order.lines])
        and not (wanted.open_only and order.status is PurchaseOrderStatus.RECEIVED)
    ]
    return sorted(found, key=lambda order: (order.placed, order.id), reverse=True)


def _buy(company: FakeCompany, action: PurchaseAction) -> PurchaseOrder:
    if isinstance(action, ConfirmDelivery):
        if action.po_id not in company.purchase_orders:
            raise NotFound("no such purchase order")
        order, sku = purchasing.delivered(company.purchase_orders[action.po_id], action, now())
        product = company.products[sku]
        company.products[sku] = replace(product, stock=product.stock + action.quantity)
    else:
        purchasing.check_lines(action)
        if any(line.sku not in company.products for line in action.lines):
            raise NotFound("no such product")
        supplier_id = action.supplier_id or company.products[action.lines[0].sku].supplier_id
        if supplier_id not in company.suppliers:
            raise NotFound("no such supplier")
        supplier = company.suppliers[supplier_id]
        purchasing.check_terms(action, company.products, supplier)
        po_id = f"PO-{len(company.purchase_orders) + 1:05}"
        order = purchasing.placed(po_id, action, company.products, supplier, now())
    company.purchase_orders[order.id] = order
    return order
