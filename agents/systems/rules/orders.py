"""What may be done with a customer's order."""

from __future__ import annotations

from dataclasses import replace

from core.errors import Conflict
from core.orders import CancelOrder, ChangeAddress, Order, OrderAction, OrderStatus


def changed(order: Order, action: OrderAction) -> Order:
    """The order after the action. Raises `Conflict` where its state does not allow it."""
    if isinstance(action, CancelOrder):
        _must_be_placed(order, "cancelled")
        return replace(order, status=OrderStatus.CANCELLED, refunded=order.charged)
    if isinstance(action, ChangeAddress):
        _must_be_placed(order, "sent elsewhere")
        return replace(order, address=action.address)
    if action.amount > order.refundable:
        raise Conflict(
            f"{order.id} has {order.refundable} left to refund ({order.charged} charged, {order.refunded} refunded), "
            f"not {action.amount}",
            param="amount",
        )
    return replace(order, refunded=order.refunded + action.amount)


def _must_be_placed(order: Order, done: str) -> None:
    if order.status is not OrderStatus.PLACED:
        raise Conflict(f"{order.id} is {order.status}: only a placed order can be {done}", param="order_id")
