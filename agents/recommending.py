"""What people with similar baskets bought: recommendations that need no model, of the orders as they are."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from core.errors import Conflict
from core.orders import OrderFilter, OrderStatus
from core.ports import Orders, Procurement
from core.purchase_pages import all_products
from core.recommending import Asking, Recommendations, Recommended

# The port gives at most this many orders at once, the latest.
_MOST = 1000
_NAMED = 3


class BasketLikeness:
    """See `core.ports.Recommender`. Looks at the latest 1,000 orders, and reads no wishes."""

    def __init__(self, orders: Orders, procurement: Procurement) -> None:
        self._orders = orders
        self._procurement = procurement

    async def recommend(self, tenant: str, asking: Asking) -> Recommendations:
        """See `Recommender.recommend`."""
        if asking.wish is not None:
            raise Conflict("wishes are read by a trained model, and none is in force", param="wish")
        baskets: dict[str, set[str]] = defaultdict(set)
        recent = await self._orders.orders(tenant, OrderFilter(limit=_MOST))
        own = await self._orders.orders(tenant, OrderFilter(customer_id=asking.customer_id, limit=_MOST))
        for order in (*recent, *own):
            if order.status is not OrderStatus.CANCELLED:
                baskets[order.customer_id] |= {line.sku for line in order.lines}
        mine = baskets.pop(asking.customer_id, set())
        left_out = {*asking.excluded, *(mine if asking.new_only else ())}
        products = {product.sku: product for product in await all_products(self._procurement, tenant)}
        found = []
        for sku, score, people, because in _ranked(mine, baskets):
            product = products.get(sku)
            if product is not None and product.stock > 0 and sku not in left_out:
                names = [products[own].name if own in products else own for own in because]
                reason = _reason(people, names)
                found.append(Recommended(sku, product.name, product.price, round(score, 4), reason, because))
        return Recommendations(tuple(found[: asking.limit]))


def _reason(people: int, shared: Sequence[str]) -> str:
    if shared:
        return f"Customers who bought {' and '.join(shared)} buy this as well."
    return "Another customer bought this." if people == 1 else f"{people} other customers bought this."


def _ranked(mine: set[str], baskets: Mapping[str, set[str]]) -> list[tuple[str, float, int, tuple[str, ...]]]:
    """Every product of the others: its score, how many bought it, and what they have in common with the customer.

    The score is the sum of the likenesses (cosine of the two baskets) of all who bought it; where nothing is alike,
    the number of buyers decides. Ties go by SKU, so that equal records give equal answers.
    """
    scores: dict[str, float] = defaultdict(float)
    people: Counter[str] = Counter()
    shared: dict[str, Counter[str]] = defaultdict(Counter)
    for basket in baskets.values():
        common = mine & basket
        likeness = len(common) / math.sqrt(len(mine) * len(basket)) if common else 0.0
        for sku in basket:
            scores[sku] += likeness
            people[sku] += 1
            shared[sku].update(common - {sku})
    order = sorted(people, key=lambda sku: (-round(scores[sku], 4), -people[sku], sku))
    return [
        (sku, scores[sku], people[sku], tuple(sorted(shared[sku], key=lambda own: (-shared[sku][own], own))[:_NAMED]))
        for sku in order
    ]
