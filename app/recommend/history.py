"""Purchases from the order system into the event log, and one customer's as they are now.

What a customer bought is read from the order system whenever a recommendation is asked for, and what the log does not
have yet is appended. So the next answer knows an order from the moment it stands there; no cursor can pass by an order
that changes later, nothing has to be folded when a gateway starts, and every gateway says the same. It costs one
reading of the customer's own orders. The log, which models are trained on, is made whole by `take_all`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.order_pages import order_pages
from core.database import Database, now
from core.orders import Order, OrderFilter, OrderStatus
from core.ports import Orders
from tabular.eventlog import EventLog
from tabular.events import Event
from tabular.recommend.history import KEPT, Basket, History
from tabular.recommend.purchases import day_of
from tabular.recommend.records import PURCHASE, WITHDRAWN, purchase_event, withdrawal_event

_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Taken:
    """How many purchases were appended, how many were known, and how many were withdrawn."""

    appended: int
    known: int
    withdrawn: int

    def __add__(self, other: Taken) -> Taken:
        """Of both."""
        return Taken(self.appended + other.appended, self.known + other.known, self.withdrawn + other.withdrawn)


class PurchaseHistory:
    """Reads orders. Cancelled ones are no purchases; lost ones are, for they were wanted."""

    def __init__(self, orders: Orders, database: Database, *, clock: Callable[[], datetime] = now) -> None:
        self._orders = orders
        self._database = database
        self._log = EventLog(database)
        self._clock = clock
        # What the log is known to have of the customers who asked last.
        self._logged: OrderedDict[tuple[str, str], frozenset[tuple[str, bool]]] = OrderedDict()

    async def of(self, tenant: str, customer: str) -> History:
        """What the customer bought, as of now; the log has all of it afterwards. Raises what the order system does."""
        found = await self._orders.orders(tenant, OrderFilter(customer_id=customer, limit=KEPT))
        marks = frozenset((order.id, _cancelled(order)) for order in found)
        if marks and self._logged.get((tenant, customer)) != marks:
            moment = _milliseconds(self._clock())
            await self._take(tenant, found, lambda at: max(at, moment), moment)
            self._logged[tenant, customer] = marks
            self._logged.move_to_end((tenant, customer))
            if len(self._logged) > _REMEMBERED:
                self._logged.popitem(last=False)
        return history_of(found)

    async def take_all(self, tenant: str, advance: Callable[[int], None] = lambda _: None) -> Taken:
        """Take every order of the tenant, the latest first: each known when it was placed.

        Done again, nothing comes twice, and what was cancelled since is withdrawn. `advance` is told of each page's
        length. Raises what `order_pages` does.
        """
        moment, taken = _milliseconds(self._clock()), Taken(0, 0, 0)
        async for page in order_pages(self._orders, tenant):
            taken += await self._take(tenant, page, lambda at: at, moment)
            advance(len(page))
        return taken

    async def _take(self, tenant: str, orders: Sequence[Order], known_at: Callable[[int], int], moment: int) -> Taken:
        # Mostly there is nothing new, which takes no lock to see; a transaction that writes begins with the lock.
        async with self._database.session() as session:
            fresh, ended = await self._lacking(session, tenant, orders)
        if fresh or ended:
            async with self._database.session() as session:
                last = await self._log.lock(session, tenant)
                fresh, ended = await self._lacking(session, tenant, orders)
                events = [_event(order, known_at) for order in reversed(fresh)]
                events += [withdrawal_event(each, moment) for each in ended]
                await self._log.append(session, tenant, last, events)
        bought = sum(not _cancelled(order) for order in orders)
        return Taken(len(fresh), bought - len(fresh), len(ended))

    async def _lacking(
        self, session: AsyncSession, tenant: str, orders: Sequence[Order]
    ) -> tuple[list[Order], list[str]]:
        """The purchases that the log does not have, and the orders whose cancelling it does not have."""
        there = await self._log.known(session, tenant, PURCHASE, [order.id for order in orders])
        cancelled = [order.id for order in orders if _cancelled(order) and order.id in there]
        gone = await self._log.known(session, tenant, WITHDRAWN, cancelled) if cancelled else {}
        fresh = [order for order in orders if not _cancelled(order) and order.id not in there]
        return fresh, [each for each in cancelled if each not in gone]


def history_of(orders: Sequence[Order]) -> History:
    """What was bought with these orders."""
    baskets = [
        Basket(_day(order.placed), order.id, tuple(sorted({line.sku for line in order.lines})))
        for order in orders
        if not _cancelled(order)
    ]
    return History(tuple(sorted(baskets)[-KEPT:]))


def _event(order: Order, known_at: Callable[[int], int]) -> Event:
    at = _milliseconds(order.placed)
    return purchase_event(order.id, order.customer_id, {line.sku for line in order.lines}, at, known_at(at))


def _cancelled(order: Order) -> bool:
    return order.status is OrderStatus.CANCELLED


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _day(moment: datetime) -> float:
    """As the log says it, which counts in milliseconds: models are trained on that."""
    return day_of(datetime.fromtimestamp(_milliseconds(moment) / 1000, UTC))
