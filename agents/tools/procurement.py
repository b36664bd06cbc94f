"""What the agents read and do to keep the shelves full, with the arithmetic shown."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal
from typing import Any

from agents.reorder import ReorderAdvice, ReorderPolicy, advise
from agents.systems.rules.purchasing import check_terms
from agents.tools.arguments import (
    CheckStock,
    ConfirmsDelivery,
    CreatePurchaseOrder,
    ForecastDemand,
    SearchCatalog,
    SuggestReorders,
    TrackPurchaseOrder,
)
from agents.tools.tool import Action, Caller, Reading, Subject, SystemDestination, as_json
from core.canonical import JSON
from core.demand import MOST_DAYS, Outlook
from core.errors import InvalidInput, NotFound
from core.ports import Forecaster, Procurement
from core.purchase_pages import all_products
from core.purchasing import (
    ConfirmDelivery,
    PlacePurchaseOrder,
    Product,
    ProductQuery,
    PurchaseOrder,
    PurchaseOrderQuery,
    Supplier,
    SupplierQuery,
    Wanted,
)

Tools = list[Reading[Any] | Action[Any]]

# The port gives at most this many suppliers at once.
_MOST = 1000
_FOUND = 20


def procurement_tools(procurement: Procurement, forecaster: Forecaster, policy: ReorderPolicy | None = None) -> Tools:
    """The tools on stock, suppliers and purchase orders."""
    reorder = policy or ReorderPolicy()

    async def product(tenant: str, sku: str) -> Product:
        for found in await procurement.read(tenant, ProductQuery(sku=sku, limit=1)):
            return found
        raise NotFound(f"no product {sku}", param="sku")

    async def supplier(tenant: str, supplier_id: str) -> Supplier:
        for found in await procurement.read(tenant, SupplierQuery(supplier_id=supplier_id, limit=1)):
            return found
        raise NotFound(f"no supplier {supplier_id}", param="supplier_id")

    async def purchase_order(tenant: str, po_id: str) -> PurchaseOrder:
        for found in await procurement.read(tenant, PurchaseOrderQuery(po_id=po_id, limit=1)):
            return found
        raise NotFound(f"no purchase order {po_id}", param="po_id")

    async def search_catalog(caller: Caller, given: SearchCatalog) -> JSON:
        return as_json(await procurement.read(caller.tenant, ProductQuery(words=given.query, limit=_FOUND)))

    async def check_stock(caller: Caller, given: CheckStock) -> JSON:
        found = await product(caller.tenant, given.sku)
        coming = await procurement.read(caller.tenant, PurchaseOrderQuery(sku=given.sku, open_only=True))
        return {
            "product": as_json(found),
            "purchase_orders": [
                {"id": order.id, "expected": order.expected.isoformat(), "outstanding": line.outstanding}
                for order in coming
                for line in order.lines
                if line.sku == given.sku
            ],
        }

    async def forecast_demand(caller: Caller, given: ForecastDemand) -> JSON:
        await product(caller.tenant, given.sku)
        days = 7 * given.weeks
        found = (await forecaster.outlooks(caller.tenant, {given.sku: days})).get(given.sku)
        if found is None:
            told = f"{given.sku} has not been sold for long enough to forecast from"
            raise InvalidInput(told, param="sku", code="no_history")
        demand = found.over(days)
        return {
            "sku": given.sku,
            "sales_until": (found.begins - timedelta(days=1)).isoformat(),
            "weeks": [round(found.over(7, 7 * week).mean, 2) for week in range(given.weeks)],
            "total": round(demand.mean, 2),
            "standard_deviation": round(demand.sd, 2),
            "weeks_of_history": found.history,
            "method": found.method,
            "known_until": found.known_until.isoformat(),
        }

    async def suggest_reorders(caller: Caller, given: SuggestReorders) -> JSON:
        tenant = caller.tenant
        products = await all_products(procurement, tenant)
        suppliers = await _suppliers(procurement, tenant, products)
        buyable = [each for each in products if each.supplier_id in suppliers and each.cost > 0]
        days = {each.sku: reorder.days(each.lead_time_days) for each in buyable}
        reached = {sku: count for sku, count in days.items() if count <= MOST_DAYS}
        outlooks = await forecaster.outlooks(tenant, reached)
        advice = await asyncio.to_thread(_advise, buyable, suppliers, outlooks, reorder)
        due = sorted((each for each in advice if each.quantity), key=_urgency)
        return {
            "policy": asdict(reorder),
            "products_looked_at": len(advice),
            "products_without_forecast": len(products) - len(advice),
            "due": len(due),
            "suggestions": [_told(each) for each in due[: given.limit]],
        }

    async def track_purchase_order(caller: Caller, given: TrackPurchaseOrder) -> JSON:
        order = await purchase_order(caller.tenant, given.po_id)
        return {"purchase_order": as_json(order), "total": str(order.total)}

    async def costs(tenant: str, _subject: Subject, given: CreatePurchaseOrder) -> Mapping[str, Decimal]:
        bought = await product(tenant, given.sku)
        seller = await supplier(tenant, given.supplier_id or bought.supplier_id)
        check_terms(_placing(given), {given.sku: bought}, seller)
        return {"total": bought.cost * given.quantity}

    async def arrives(tenant: str, _subject: Subject, given: ConfirmsDelivery) -> Mapping[str, Decimal]:
        await purchase_order(tenant, given.po_id)
        return {}

    return [
        Reading(
            name="search_catalog",
            description="Find products by words of their name or family.",
            arguments=SearchCatalog,
            read=search_catalog,
        ),
        Reading(
            name="check_stock",
            description="Show how many pieces of a product are in the warehouse and on order.",
            arguments=CheckStock,
            read=check_stock,
        ),
        Reading(
            name="forecast_demand",
            description="Forecast how many pieces of a product will be sold in the coming weeks.",
            arguments=ForecastDemand,
            read=forecast_demand,
        ),
        Reading(
            name="suggest_reorders",
            description="Say which products to reorder now, how many, and why, the most urgent first.",
            arguments=SuggestReorders,
            read=suggest_reorders,
        ),
        Action(
            name="create_purchase_order",
            description="Buy pieces of a product from its supplier.",
            arguments=CreatePurchaseOrder,
            examine=costs,
            measures=("total",),
            destination=lambda _subject, given: SystemDestination(procurement, _placing(given)),
            object_of=_made_order,
            additive=True,
        ),
        Reading(
            name="track_purchase_order",
            description="Show a purchase order: what was bought, when it is expected, what has come.",
            arguments=TrackPurchaseOrder,
            read=track_purchase_order,
        ),
        Action(
            name="confirm_delivery",
            description="Book in pieces that arrived for a purchase order.",
            arguments=ConfirmsDelivery,
            examine=arrives,
            destination=lambda _subject, given: SystemDestination(
                procurement, ConfirmDelivery(given.po_id, given.received_quantity)
            ),
            object_of=lambda given, _result: f"purchase_order/{given.po_id}",
        ),
    ]


def _placing(given: CreatePurchaseOrder) -> PlacePurchaseOrder:
    return PlacePurchaseOrder((Wanted(given.sku, given.quantity),), given.supplier_id)


def _made_order(_given: CreatePurchaseOrder, result: JSON) -> str:
    return f"purchase_order/{result['id']}" if isinstance(result, Mapping) else "purchase_order/"


async def _suppliers(procurement: Procurement, tenant: str, products: Sequence[Product]) -> dict[str, Supplier]:
    """The suppliers by id, those of these products among them as far as they exist."""
    found = {each.id: each for each in await procurement.read(tenant, SupplierQuery(limit=_MOST))}
    if len(found) == _MOST:
        # There may be more of them. Few companies have as many, so these are asked for one by one.
        for supplier_id in sorted({each.supplier_id for each in products} - found.keys()):
            for each in await procurement.read(tenant, SupplierQuery(supplier_id, limit=1)):
                found[each.id] = each
    return found


def _advise(
    products: Sequence[Product],
    suppliers: Mapping[str, Supplier],
    outlooks: Mapping[str, Outlook],
    policy: ReorderPolicy,
) -> list[ReorderAdvice]:
    """Advice on every product that has a forecast."""
    return [
        advise(each, suppliers[each.supplier_id], outlooks[each.sku], policy)
        for each in products
        if each.sku in outlooks
    ]


def _urgency(advice: ReorderAdvice) -> tuple[float, str]:
    """The one that lasts least first; the share of the lead time that is left says how soon it is too late."""
    left = float("inf") if advice.days_left is None else advice.days_left
    return left / max(1, advice.lead_time_days), advice.sku


def _told(advice: ReorderAdvice) -> JSON:
    """The advice as JSON, its reals to four places: enough to follow the arithmetic."""
    return as_json(_rounded(asdict(advice)))


def _rounded(told: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _rounded(value) if isinstance(value, Mapping) else round(value, 4) if isinstance(value, float) else value
        for name, value in told.items()
    }
