"""What may be bought, and what may be booked in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from agents.systems.rules.quantities import nearest_quantity
from agents.systems.rules.words import check_action
from core.errors import Conflict, InvalidInput
from core.purchasing import (
    ConfirmDelivery,
    PlacePurchaseOrder,
    Product,
    PurchaseOrder,
    PurchaseOrderLine,
    PurchaseOrderStatus,
    Supplier,
    Wanted,
)

MOST_LINES = 100


def check_lines(action: PlacePurchaseOrder) -> None:
    """Refuse a purchase order of nothing, of too much, or with the same product twice."""
    if not 1 <= len(action.lines) <= MOST_LINES:
        raise InvalidInput(f"a purchase order has 1 to {MOST_LINES} lines, not {len(action.lines)}", param="lines")
    for line in action.lines:
        check_action(line)
    if len({line.sku for line in action.lines}) < len(action.lines):
        raise InvalidInput("each product may have one line only", param="lines")


def check_terms(action: PlacePurchaseOrder, products: Mapping[str, Product], supplier: Supplier) -> None:
    """Refuse what the supplier does not sell, does not pack so, or what is below its minimum.

    `products` has every product of the action. The message tells the nearest quantity that works.
    """
    for line in action.lines:
        if products[line.sku].supplier_id != supplier.id:
            raise InvalidInput(
                f"{line.sku} comes from {products[line.sku].supplier_id}, not {supplier.id}", param="supplier_id"
            )
    total = sum((products[line.sku].cost * line.quantity for line in action.lines), Decimal("0.00"))
    for line in action.lines:
        if line.quantity % supplier.pack_size:
            why = f"sells packs of {supplier.pack_size}"
            raise _unfit(why, "not_in_packs", line, products[line.sku].cost, total, supplier)
    if total < supplier.minimum_order:
        why = f"takes orders from {supplier.minimum_order}, and this one comes to {total}"
        first = action.lines[0]
        raise _unfit(why, "below_minimum", first, products[first.sku].cost, total, supplier)


def _unfit(why: str, code: str, line: Wanted, cost: Decimal, total: Decimal, supplier: Supplier) -> InvalidInput:
    """The refusal of a line, with the nearest quantity that works while the other lines stay as they are."""
    if cost <= 0:
        return InvalidInput(f"{supplier.id} {why}: {line.sku} has no cost to order by", param="quantity", code=code)
    others = total - cost * line.quantity
    nearest = nearest_quantity(line.quantity, cost, supplier.pack_size, supplier.minimum_order - others)
    told = f"the nearest quantity of {line.sku} that works is {nearest}, not {line.quantity}"
    return InvalidInput(f"{supplier.id} {why}: {told}", param="quantity", code=code)


def placed(
    po_id: str, action: PlacePurchaseOrder, products: Mapping[str, Product], supplier: Supplier, at: datetime
) -> PurchaseOrder:
    """The purchase order, at today's costs. Its terms have been checked."""
    slowest = max(products[line.sku].lead_time_days for line in action.lines)
    return PurchaseOrder(
        id=po_id,
        supplier_id=supplier.id,
        status=PurchaseOrderStatus.PLACED,
        placed=at,
        expected=at.date() + timedelta(days=slowest),
        received=None,
        lines=tuple(PurchaseOrderLine(line.sku, line.quantity, products[line.sku].cost) for line in action.lines),
    )


def delivered(order: PurchaseOrder, action: ConfirmDelivery, at: datetime) -> tuple[PurchaseOrder, str]:
    """The purchase order with the pieces booked in, and the product that they are of."""
    due = [line for line in order.lines if line.outstanding]
    if action.sku is not None:
        if action.sku not in (line.sku for line in order.lines):
            raise InvalidInput(f"{order.id} has no {action.sku}", param="sku")
        due = [line for line in due if line.sku == action.sku]
    if not due:
        raise Conflict(f"all of {action.sku or order.id} has come already", param="po_id")
    if len(due) > 1:
        raise InvalidInput(f"say which: {order.id} waits for {', '.join(line.sku for line in due)}", param="sku")
    if action.quantity > due[0].outstanding:
        raise Conflict(
            f"{order.id} waits for {due[0].outstanding} of {due[0].sku}, not {action.quantity}", param="quantity"
        )
    came = replace(due[0], received=due[0].received + action.quantity)
    lines = tuple(came if line is due[0] else line for line in order.lines)
    complete = not any(line.outstanding for line in lines)
    status = PurchaseOrderStatus.RECEIVED if complete else PurchaseOrderStatus.PARTIAL
    return replace(order, lines=lines, status=status, received=at if complete else None), came.sku
