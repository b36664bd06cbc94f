"""What a customer puts in a basket: by taste, by what sells, and by what goes with the first thing in it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from app.demo.catalog import CENT
from app.demo.sales import DAYS, PROMOTION_DISCOUNT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from app.demo.catalog import Catalog, Product
    from app.demo.sales import Demand

COMPANIONS = {
    "tents": "mats",
    "mats": "sleeping-bags",
    "sleeping-bags": "mats",
    "backpacks": "trekking",
    "trekking": "footwear",
    "footwear": "clothing",
    "rainwear": "clothing",
    "clothing": "rainwear",
    "stoves": "stoves",
    "lighting": "lighting",
    "climbing": "climbing",
    "cycling": "cycling",
}
"""What is often bought with a product of the family."""

COMPANION_SHARE = 0.5
LINE_SHARES = (0.46, 0.28, 0.17, 0.09)
"""How many baskets have one, two, three and four lines."""

CHEAP = Decimal("20.00")
MOST_FUEL = 4
"""Canisters in one order, as the article on stove safety says."""


@dataclass(frozen=True, slots=True)
class OrderLine:
    """Pieces of one product in an order, at the price of the day."""

    sku: str
    quantity: int
    unit_price: Decimal


class Shop:
    """The shelves as customers see them: draws one basket at a time."""

    def __init__(
        self, random: np.random.Generator, catalog: Catalog, products: Sequence[Product], demand: Demand
    ) -> None:
        self._random = random
        self._products = products
        self._fuel = [item.fuel for item in catalog.items]
        self._demand = demand
        self._families = [family.name for family in catalog.families]
        family = np.array([item.family for item in catalog.items])
        popularity = demand.units.mean(axis=1) ** 0.7
        self._members = [np.flatnonzero(family == index).tolist() for index in range(len(self._families))]
        self._shelves = [_cumulative(popularity[members]) for members in self._members]
        self._demanded = np.array([popularity[members].sum() for members in self._members])

    def taste(self) -> list[float]:
        """Draw how much a customer likes each family: cumulative shares, ending at 1."""
        liking = self._random.dirichlet(np.full(len(self._families), 0.35)) + 0.01
        return _cumulative(liking * self._demanded)

    def basket(self, taste: list[float], day: date, fuel_allowed: bool) -> tuple[OrderLine, ...]:
        """Draw the lines of one order, each product once."""
        first = self._family(taste)
        pieces = self._pieces(first)
        for _ in range(int(self._random.choice(len(LINE_SHARES), p=LINE_SHARES))):
            goes_along = self._random.random() < COMPANION_SHARE
            pieces |= self._pieces(self._companion(first) if goes_along else self._family(taste))
        lawful = {index: count for index, count in pieces.items() if fuel_allowed or not self._fuel[index]}
        return tuple(self._line(index, count, day) for index, count in lawful.items())

    def holds_fuel(self, lines: Sequence[OrderLine]) -> bool:
        """Whether any of the lines is a gas canister."""
        return any(self._fuel[int(line.sku.removeprefix("SKU-")) - 1] for line in lines)

    def _family(self, taste: list[float]) -> int:
        return bisect_right(taste, self._random.random())

    def _companion(self, family: int) -> int:
        return self._families.index(COMPANIONS[self._families[family]])

    def _pieces(self, family: int) -> dict[int, int]:
        """Pick one product off a shelf, and how many of it."""
        index = self._members[family][bisect_right(self._shelves[family], self._random.random())]
        several = self._products[index].price < CHEAP
        count = int(self._random.integers(1, 4)) if several else 1 + int(self._random.random() < 0.06)
        return {index: min(count, MOST_FUEL)}

    def _line(self, index: int, count: int, day: date) -> OrderLine:
        price = self._products[index].price
        place = (day - self._demand.first_day).days
        if place < DAYS and self._demand.promoted[index, place]:
            price = (price * (1 - PROMOTION_DISCOUNT)).quantize(CENT)
        return OrderLine(self._products[index].sku, count, price)


def _cumulative(weights: NDArray[np.float64]) -> list[float]:
    """Return the running shares of `weights`; the last is exactly 1, so that bisecting stays in range."""
    shares: list[float] = (np.cumsum(weights) / weights.sum()).tolist()
    shares[-1] = 1.0
    return shares
