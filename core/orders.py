"""The words of customers' orders: what an order is, what may be asked for, and what may be done."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from pydantic import AwareDatetime


class OrderStatus(StrEnum):
    """Where an order is. It can be cancelled or redirected only while it is placed."""

    PLACED = "placed"
    PACKING = "packing"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class OrderLine:
    """Pieces of one product in an order, at the price of the day."""

    sku: str
    quantity: int
    unit_price: Decimal


@dataclass(frozen=True, slots=True)
class Order:
    """An order. `charged` is what was taken from the customer so far and `refunded` what was paid back."""

    id: str
    customer_id: str
    status: OrderStatus
    placed: AwareDatetime
    shipped: AwareDatetime | None
    delivered: AwareDatetime | None
    address: str
    method: str
    carrier: str
    tracking: str | None
    lines: tuple[OrderLine, ...]
    delivery_fee: Decimal
    total: Decimal
    paid_with: str
    charged: Decimal
    refunded: Decimal

    @property
    def refundable(self) -> Decimal:
        """The most that can still be paid back."""
        return self.charged - self.refunded


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders are wanted: those that fit everything that is given.

    `placed_until` wants those placed at that moment or before it: the next page begins at the last one's.
    """

    order_id: str | None = None
    customer_id: str | None = None
    limit: int = 50
    placed_until: AwareDatetime | None = None


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Cancel an order and pay back what was charged. With a `customer_id` only that customer's order is found."""

    order_id: str
    reason: str
    customer_id: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeAddress:
    """Send an order elsewhere. With a `customer_id` only that customer's order is found."""

    order_id: str
    address: str
    customer_id: str | None = None


@dataclass(frozen=True, slots=True)
class Refund:
    """Pay `amount` back, in the company's currency. With a `customer_id` only that customer's order is found."""

    order_id: str
    amount: Decimal
    reason: str
    customer_id: str | None = None


OrderAction = CancelOrder | ChangeAddress | Refund
