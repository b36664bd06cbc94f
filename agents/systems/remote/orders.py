"""A company's order system behind an HTTP API."""

from __future__ import annotations

from agents.systems.remote.operation import Noun, Operation
from agents.systems.remote.system import RemoteSystem
from agents.systems.rules.words import check_action, check_key, check_query
from core.errors import InvalidInput, NotFound
from core.orders import CancelOrder, ChangeAddress, Order, OrderAction, OrderFilter, Refund
from core.systems import OrdersSettings


class RemoteOrders:
    """See `core.ports.Orders`. Raises `InvalidInput` when an expression in the settings is none."""

    def __init__(self, system: RemoteSystem, settings: OrdersSettings) -> None:
        self._system = system
        told, order = settings.operations, Noun("order", settings.nouns.order, Order)
        self._orders = Operation("orders", told.orders, order.each)
        self._pages = "placed_until" in f"{told.orders.query} {told.orders.path} {told.orders.body}"
        self._order = Operation("order", told.order, order.one) if told.order else None
        self._outcome = Operation("outcome", told.outcome, order.one)
        self._acts = {
            CancelOrder: Operation("cancel", told.cancel, order.one, acts=True),
            ChangeAddress: Operation("change_address", told.change_address, order.one, acts=True),
            Refund: Operation("refund", told.refund, order.one, acts=True),
        }

    async def orders(self, tenant: str, wanted: OrderFilter) -> list[Order]:
        """See `Orders.orders`. What the system gives beyond what was asked for is left out.

        Raises `InvalidInput` for older orders where the settings do not ask for them: the latest would come again.
        """
        check_query(wanted)
        if wanted.placed_until is not None and not self._pages:
            told = "this order system is not asked for older orders: its query has no placed_until"
            raise InvalidInput(told, param="systems.orders.operations.orders.query")
        if self._order is not None and wanted.order_id is not None:
            found = await self._system.read(self._order, tenant, wanted)
            orders = [] if found is None else [found]
        else:
            orders = await self._system.read(self._orders, tenant, wanted) or []
        fitting = [
            order
            for order in orders
            if wanted.order_id in (None, order.id)
            and wanted.customer_id in (None, order.customer_id)
            and (wanted.placed_until is None or order.placed <= wanted.placed_until)
        ]
        return fitting[: wanted.limit]

    async def act(self, tenant: str, key: str, action: OrderAction) -> Order:
        """See `Orders.act`. Whose order it is, is looked up first: few systems check that themselves."""
        check_key(key)
        check_action(action)
        if action.customer_id is not None:
            owned = OrderFilter(order_id=action.order_id, customer_id=action.customer_id)
            if not await self.orders(tenant, owned):
                raise NotFound(f"no order {action.order_id}", param="order_id")
        return await self._system.act(self._acts[type(action)], tenant, key, action)

    async def outcome(self, tenant: str, key: str) -> Order | None:
        """See `Orders.outcome`."""
        check_key(key)
        return await self._system.read(self._outcome, tenant, {}, key)
