"""Recommendations by a trained model: of what the customer bought, what is in stock, and what they wish for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from app.recommend.catalogue import RememberedCatalogue
from app.recommend.history import PurchaseHistory
from core.database import now
from core.errors import Conflict
from core.recommending import Asking, Recommendations, Recommended
from tabular.recommend.purchases import day_of
from tabular.recommend.recommender import Recommender


class WishReader(Protocol):
    """What turns a text into a vector, the gateway's own."""

    @property
    def fingerprint(self) -> str:
        """Equal for vectors that may be compared."""

    async def aembed_query(self, text: str) -> list[float]:
        """The text's vector."""


class ModelRecommender:
    """See `core.ports.Recommender`. `version` is the model's number in the registry."""

    def __init__(
        self,
        recommender: Recommender,
        version: int,
        purchases: PurchaseHistory,
        catalogue: RememberedCatalogue,
        reader: WishReader,
        *,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._recommender = recommender
        self._version = version
        self._purchases = purchases
        self._catalogue = catalogue
        self._reader = reader
        self._clock = clock

    async def recommend(self, tenant: str, asking: Asking) -> Recommendations:
        """See `Recommender.recommend`."""
        wish = None if asking.wish is None else await self._read(asking.wish)
        history = await self._purchases.of(tenant, asking.customer_id)
        products = await self._catalogue.products(tenant)
        # Some milliseconds of arithmetic, which others on the event loop need not wait for.
        found = await asyncio.to_thread(
            self._recommender.recommend,
            history,
            asking.limit,
            now=day_of(self._clock()),
            excluding=asking.excluded,
            available=[sku for sku, product in products.items() if product.stock > 0],
            new_only=asking.new_only,
            wish=wish,
        )
        items = tuple(
            Recommended(
                each.item,
                products[each.item].name,
                products[each.item].price,
                each.score,
                each.reason.words,
                each.reason.because,
            )
            for each in found
        )
        return Recommendations(items, self._version)

    async def _read(self, wish: str) -> list[float]:
        made = self._recommender.model.embedding
        if made != self._reader.fingerprint:
            told = "the model in force does not know the embedding model that reads wishes here: train it anew"
            raise Conflict(told, param="wish")
        return await self._reader.aembed_query(wish)
