"""What a customer might like."""

from __future__ import annotations

from typing import Any

from agents.tools.arguments import RecommendProducts
from agents.tools.tool import Caller, Reading
from core.canonical import JSON
from core.errors import NotFound
from core.ports import Recommender
from core.recommending import Asking


def shop_tools(recommender: Recommender) -> list[Reading[Any]]:
    """The tools for shopping."""

    async def recommend_products(caller: Caller, given: RecommendProducts) -> JSON:
        if caller.subject.customer_id not in (None, given.customer_id):
            raise NotFound(f"no customer {given.customer_id}", param="customer_id")
        found = await recommender.recommend(caller.tenant, Asking(given.customer_id, given.limit, new_only=True))
        return [
            {
                "sku": each.sku,
                "name": each.name,
                "price": str(each.price),
                "score": round(each.score, 4),
                "reason": each.reason,
                "because_of": list(each.because),
            }
            for each in found.items
        ]

    return [
        Reading(
            name="recommend_products",
            description="Suggest products that a customer has not bought yet and that are in stock.",
            arguments=RecommendProducts,
            personal=True,
            read=recommend_products,
        )
    ]
