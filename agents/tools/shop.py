"""What a customer might like: what people with similar baskets bought."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from agents.tools.arguments import RecommendProducts
from agents.tools.tool import Caller, Reading
from core.canonical import JSON
from core.errors import NotFound
from core.orders import OrderFilter, OrderStatus
from core.ports import Orders, Procurement
from core.purchasing import ProductQuery

# The ports give at most this many at once: the latest orders, and the first products.
_MOST = 1000


def shop_tools(orders: Orders, procurement: Procurement) -> list[Reading[Any]]:
    """The tools for shopping."""

    async def recommend_products(caller: Caller, given: RecommendProducts) -> JSON:
        if caller.subject.customer_id not in (None, given.customer_id):
            raise NotFound(f"no customer {given.customer_id}", param="customer_id")
        baskets: dict[str, set[str]] = defaultdict(set)
        recent = await orders.orders(caller.tenant, OrderFilter(limit=_MOST))
        own = await orders.orders(caller.tenant, OrderFilter(customer_id=given.customer_id, limit=_MOST))
        for order in (*recent, *own):
            if order.status is not OrderStatus.CANCELLED:
                baskets[order.customer_id] |= {line.sku for line in order.lines}
        mine = baskets.pop(given.customer_id, set())
        products = {
            product.sku: product
            for product in await procurement.read(caller.tenant, ProductQuery(limit=_MOST))
            if product.stock > 0 and product.sku not in mine
        }
        told: list[JSON] = [
            {
                "sku": sku,
                "name": products[sku].name,
                "price": str(products[sku].price),
                "score": round(score, 4),
                "bought_by": people,
                "because_of": because,
            }
            for sku, score, people, because in _ranked(mine, baskets)
            if sku in products
        ]
        return told[: given.limit]

    return [
        Reading(
            name="recommend_products",
            description="Suggest products that a customer has not bought yet and that are in stock.",
            arguments=RecommendProducts,
            personal=True,
            read=recommend_products,
        )
    ]


def _ranked(mine: set[str], baskets: Mapping[str, set[str]]) -> list[tuple[str, float, int, list[str]]]:
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
        for sku in basket - mine:
            scores[sku] += likeness
            people[sku] += 1
            shared[sku].update(common)
    order = sorted(people, key=lambda sku: (-round(scores[sku], 9), -people[sku], sku))
    return [
        (sku, scores[sku], people[sku], sorted(shared[sku], key=lambda own: (-shared[sku][own], own))[:3])
        for sku in order
    ]
