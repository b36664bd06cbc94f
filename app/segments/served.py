"""The segments that are in force: the registry's champion, taken up while the gateway runs, and who belongs to which.

Segments are as they were found. In which of them a customer is, is judged by the orders as they are now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from app.champions import Loaded
from app.order_pages import order_pages
from app.segments.purchases import bought, day_of, latest, paid, purchase_of
from core.database import now
from core.errors import Conflict, NotFound
from core.orders import OrderFilter
from core.ports import Orders
from core.registry import Registry
from tabular.tasks.segments import Segments, rfm
from tabular.tasks.storing import load

MODEL = "segments"
"""The model's name in the registry."""


@dataclass(frozen=True, slots=True)
class Dated:
    """Segments, and the moment as of which they were found: that of the latest order then."""

    segments: Segments
    moment: datetime


@dataclass(frozen=True, slots=True)
class Placed:
    """A customer as they are at `moment`, that of the company's latest order: the number of their segment, from 1, and
    what it is called.

    `recency` is the days from the last purchase to the moment, with fractions; `spending` is what was really paid.
    """

    number: int
    words: str
    recency: float
    purchases: int
    spending: Decimal
    moment: datetime


class ServedSegments:
    """Holds the champion. It was found in one tenant's orders, and is shown to that one alone."""

    def __init__(self, registry: Registry, orders: Orders, *, tenant: str, clock: Callable[[], datetime] = now) -> None:
        self._champion = Loaded(registry, MODEL, _read)
        self._orders = orders
        self._tenant = tenant
        self._clock = clock

    def current(self, tenant: str) -> tuple[int, Dated]:
        """The champion's version and what it is. Raises `Conflict` when the tenant has none."""
        held = self._champion.held
        if held is None or tenant != self._tenant:
            raise Conflict(f"no model of {MODEL} is in force: train one, and promote it", param="model")
        return held

    async def of(self, tenant: str, customer: str) -> tuple[int, Placed]:
        """The champion's version, and the customer's segment by their orders as they are now.

        Raises `Conflict` when the tenant has no champion, `NotFound` for a customer without purchases, and what the
        order system raises.
        """
        version, dated = self.current(tenant)
        moment = latest(await self._orders.orders(tenant, OrderFilter(limit=1)), self._clock())
        orders = [order async for page in order_pages(self._orders, tenant, customer) for order in bought(page)]
        if not orders:
            raise NotFound(f"{customer} has no purchases, and so no segment", param="customer_id")
        # Some microseconds of arithmetic.
        _, rows = rfm([purchase_of(order, moment) for order in orders], day_of(moment))
        place = int(dated.segments.of(rows)[0])
        return version, Placed(
            number=place + 1,
            words=dated.segments.each[place].words,
            recency=float(rows[0, 0]),
            purchases=len(orders),
            spending=sum((paid(order) for order in orders), Decimal(0)),
            moment=moment,
        )

    async def refresh(self) -> None:
        """Take up the champion if it changed. Raises as `Loaded.refresh` does."""
        await self._champion.refresh()


def _read(files: Mapping[str, Path]) -> Dated:
    return load(MODEL, files, _dated)


def _dated(told: Mapping[str, Any]) -> Dated:
    moment = datetime.fromisoformat(told["moment"])
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return Dated(Segments.read(told["segments"]), moment)
