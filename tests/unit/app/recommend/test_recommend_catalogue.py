"""The catalogue is remembered for a while, and read once by all who wait for it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from app.recommend.catalogue import RememberedCatalogue, titles_of
from core.purchasing import Query
from tests.fakes.shopping import SOLD_OUT, shopping
from tests.fakes.systems import FakeProcurement


class Counting(FakeProcurement):
    reads = 0

    async def read(self, tenant: str, wanted: Query) -> list:  # type: ignore[type-arg]  # what it holds follows from the query
        self.reads += 1
        await asyncio.sleep(0)
        return await super().read(tenant, wanted)


async def test_stock_is_as_old_as_it_may_be_and_no_older() -> None:
    moment = 100.0
    companies = {"shop": shopping()}
    procurement = Counting(companies)
    catalogue = RememberedCatalogue(procurement, 5.0, clock=lambda: moment)
    first, _ = await asyncio.gather(catalogue.products("shop"), catalogue.products("shop"))
    assert (first[SOLD_OUT].stock, procurement.reads) == (0, 1)
    products = companies["shop"].products
    products[SOLD_OUT] = replace(products[SOLD_OUT], stock=9)
    moment = 104.9
    assert (await catalogue.products("shop"))[SOLD_OUT].stock == 0
    moment = 105.0
    assert (await catalogue.products("shop"))[SOLD_OUT].stock == 9
    assert await catalogue.products("rival") == {}
    assert (await titles_of(procurement, "shop"))[SOLD_OUT] == "red tent 8"
