"""The catalogue, remembered for some seconds: a recommendation needs all of it, and it changes seldom."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from time import monotonic

from core.ports import Procurement
from core.purchase_pages import all_products
from core.purchasing import Product


class RememberedCatalogue:
    """Every tenant's products by SKU. Safe to share: who asks while it is read waits for the same reading."""

    def __init__(self, procurement: Procurement, seconds: float, *, clock: Callable[[], float] = monotonic) -> None:
        """`seconds` is how old an answer may be."""
        self._procurement = procurement
        self._seconds = seconds
        self._clock = clock
        self._read: dict[str, tuple[float, Mapping[str, Product]]] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def products(self, tenant: str) -> Mapping[str, Product]:
        """The tenant's products. Raises what `all_products` does."""
        async with self._locks.setdefault(tenant, asyncio.Lock()):
            known = self._read.get(tenant)
            if known is None or self._clock() - known[0] >= self._seconds:
                begun = self._clock()
                found = await all_products(self._procurement, tenant)
                known = self._read[tenant] = (begun, {product.sku: product for product in found})
            return known[1]


async def titles_of(procurement: Procurement, tenant: str) -> dict[str, str]:
    """What the tenant's products are called, by SKU. Raises what `all_products` does."""
    return {product.sku: product.name for product in await all_products(procurement, tenant)}
