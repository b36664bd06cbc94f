"""What one customer bought so far: a value that a live purchase turns into the next one."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tabular.recommend.purchases import Purchase, PurchaseLog, day_of

KEPT = 200
"""Baskets of a customer that are remembered, the latest: what bounds the time of an answer."""


@dataclass(frozen=True, slots=True, order=True)
class Basket:
    """What was bought at once. `day` counts from 1970, with fractions."""

    day: float
    id: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class History:
    """A customer's baskets, the earliest first; of those of one moment, the smaller id."""

    baskets: tuple[Basket, ...] = ()

    def with_purchase(self, purchase: Purchase) -> History:
        """The history that knows of `purchase` as well; this one is left as it is.

        The order of arrival does not matter: a late purchase takes its place in time, and one that came before
        changes nothing. A basket's day is that of its earliest line.
        """
        day = day_of(purchase.time)
        found = next((each for each in reversed(self.baskets) if each.id == purchase.basket), None)
        if found is None:
            changed = Basket(day, purchase.basket, (purchase.item,))
        else:
            items = tuple(sorted({*found.items, purchase.item}))
            changed = replace(found, day=min(day, found.day), items=items)
        baskets = [each for each in self.baskets if each is not found]
        insort(baskets, changed)
        return History(tuple(baskets[-KEPT:]))

    @property
    def items(self) -> frozenset[str]:
        """Everything that was bought."""
        return frozenset(item for basket in self.baskets for item in basket.items)


def histories(log: PurchaseLog) -> dict[str, History]:
    """Every customer's history."""
    found: dict[str, list[Basket]] = {}
    for customer, basket in _baskets(log):
        found.setdefault(customer, []).append(basket)
    return {customer: History(tuple(sorted(baskets)[-KEPT:])) for customer, baskets in found.items()}


def first_baskets(log: PurchaseLog) -> dict[str, Basket]:
    """Every customer's first basket."""
    found: dict[str, Basket] = {}
    for customer, basket in _baskets(log):
        found.setdefault(customer, basket)
    return found


def _baskets(log: PurchaseLog) -> Iterator[tuple[str, Basket]]:
    lines: list[int] = []
    for line in range(len(log)):
        lines.append(line)
        if line + 1 == len(log) or log.basket[line + 1] != log.basket[line]:
            first = lines[0]
            items = tuple(log.items[log.item[each]] for each in lines)
            id_ = log.baskets[log.basket[first]]
            yield log.customers[log.customer[first]], Basket(float(log.day[first]), id_, items)
            lines = []
