"""The orders of an order system, page by page: it gives no more than a thousand at once."""

from __future__ import annotations

from collections.abc import AsyncIterator

from core.errors import InvalidInput
from core.orders import Order, OrderFilter
from core.ports import Orders

PAGE = 1_000
"""Orders that are asked for at once, the most that an order system gives."""


async def order_pages(orders: Orders, tenant: str, customer: str | None = None) -> AsyncIterator[list[Order]]:
    """Every order of the tenant, or of one of its customers, the latest first; none comes twice.

    Raises `InvalidInput` for more than `PAGE` orders of one moment, which cannot be told apart by time, and what the
    order system raises.
    """
    until, last = None, set[str]()
    while True:
        page = await orders.orders(tenant, OrderFilter(customer_id=customer, limit=PAGE, placed_until=until))
        fresh = [order for order in page if order.id not in last]
        if fresh:
            yield fresh
        if len(page) < PAGE:
            return
        if not fresh:
            raise InvalidInput(f"more than {PAGE} orders of {until}: no next page can be told", param="orders")
        until = page[-1].placed
        last = {order.id for order in page}
