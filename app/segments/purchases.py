"""What an order says of who bought when and for how much: the money that was taken for it and not paid back.

Recency is counted up to the company's latest order, not to the clock: where orders have stopped coming in, it is not
the customers who have stopped buying.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal

from core.orders import Order, OrderStatus
from tabular.tasks.segments import Purchase

_DAY = 86_400.0
"""Seconds."""


def bought(orders: Iterable[Order]) -> Iterator[Order]:
    """The orders that are purchases: all but the cancelled. Lost ones are, for they were wanted."""
    return (order for order in orders if order.status is not OrderStatus.CANCELLED)


def paid(order: Order) -> Decimal:
    """What was really paid for the order so far, in the company's currency: charged and not refunded.

    It is never more than the order's total: what was charged twice is owed back. Before dispatch it may be nothing.
    """
    return max(Decimal(0), min(order.refundable, order.total))


def latest(orders: Iterable[Order], now: datetime) -> datetime:
    """When the latest of the orders was placed, or `now` where that is earlier, or where there are none."""
    return min(now, max((order.placed for order in orders), default=now))


def purchase_of(order: Order, moment: datetime) -> Purchase:
    """The order as segments are found by. What came after the moment is taken to be of the moment."""
    return Purchase(order.customer_id, day_of(min(order.placed, moment)), float(paid(order)))


def day_of(moment: datetime) -> float:
    """Days since 1970, with fractions."""
    return moment.timestamp() / _DAY
