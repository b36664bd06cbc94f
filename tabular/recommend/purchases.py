"""Who bought what when: the log that models are trained on, and what was known of it at a moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput

DAY = 86_400.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Purchase:
    """One item in one basket. `basket` tells a customer's baskets apart; `time` knows its time zone."""

    customer: str
    item: str
    time: datetime
    basket: str


def day_of(time: datetime) -> float:
    """Days since 1970, with fractions. Raises `InvalidInput` for a time without a zone: it is no moment."""
    if time.tzinfo is None:
        raise InvalidInput(f"{time.isoformat()} has no time zone", param="time")
    return time.timestamp() / DAY


@dataclass(frozen=True, slots=True, eq=False)
class PurchaseLog:
    """Purchases as columns, in the order of customer, day, basket, item.

    `customer`, `basket` and `item` (n,) are places in `customers`, `baskets` and `items`; `day` (n,) is that of the
    basket: the earliest of its lines. Baskets are numbered in the order of their customers and days, so that
    neighbours in number are neighbours in time. An item stands once in a basket.
    """

    customers: tuple[str, ...]
    baskets: tuple[str, ...]
    items: tuple[str, ...]
    customer: NDArray[np.int32]
    basket: NDArray[np.int32]
    item: NDArray[np.int32]
    day: NDArray[np.float64]

    @classmethod
    def of(cls, purchases: Iterable[Purchase]) -> PurchaseLog:
        """The log of purchases that come in any order, any of them more than once."""
        opened: dict[tuple[str, str], float] = {}
        contents: dict[tuple[str, str], set[str]] = {}
        for each in purchases:
            key, day = (each.customer, each.basket), day_of(each.time)
            opened[key] = min(day, opened.get(key, day))
            contents.setdefault(key, set()).add(each.item)
        order = sorted(opened, key=lambda key: (key[0], opened[key], key[1]))
        customers = sorted({customer for customer, _ in order})
        items = sorted(set().union(*contents.values()))
        place = {name: number for number, name in enumerate(customers)}
        code = {name: number for number, name in enumerate(items)}
        rows = [
            (place[key[0]], number, code[item], opened[key])
            for number, key in enumerate(order)
            for item in sorted(contents[key])
        ]
        columns = np.array(rows, np.float64).reshape(-1, 4).T
        whole = columns[:3].astype(np.int32)
        names = tuple(basket for _, basket in order)
        return cls(tuple(customers), names, tuple(items), whole[0], whole[1], whole[2], columns[3])

    def __len__(self) -> int:
        """How many lines there are."""
        return len(self.item)

    @property
    def end(self) -> float:
        """The day of the latest basket. Raises `InvalidInput` for an empty log."""
        if not len(self):
            raise InvalidInput("no purchases", param="purchases")
        return float(self.day.max())

    def before(self, day: float) -> PurchaseLog:
        """What was known when `day` began: earlier baskets only, and no name of a customer or item without one."""
        return self._only(self.day < day)

    def since(self, day: float) -> PurchaseLog:
        """The baskets from `day` on."""
        return self._only(self.day >= day)

    def _only(self, kept: NDArray[np.bool_]) -> PurchaseLog:
        customers, customer = np.unique(self.customer[kept], return_inverse=True)
        items, item = np.unique(self.item[kept], return_inverse=True)
        baskets, basket = np.unique(self.basket[kept], return_inverse=True)
        return PurchaseLog(
            tuple(self.customers[place] for place in customers),
            tuple(self.baskets[place] for place in baskets),
            tuple(self.items[place] for place in items),
            customer.astype(np.int32),
            basket.astype(np.int32),
            item.astype(np.int32),
            self.day[kept],
        )
