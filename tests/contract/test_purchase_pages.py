"""Every procurement can be read to its end: each product comes once, in one order, whatever a database's language."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import date

import pytest

from core.purchase_pages import all_products, all_sales, product_pages, sales_pages, sold_until
from core.purchasing import ProductQuery, SalesQuery
from tests.contract.conftest import Foreign
from tests.contract.systems import FORMS, Held, held
from tests.fakes.company import FakeCompany, make_company

# A dictionary has a-2 before B-1 and é before z; by UTF-16 the last two would change places.
SKUS = ["10", "9", "A-1", "B-1", "Z", "_", "a-1", "a-10", "a-2", "b", "ß", "é", "\uff21-1", "😀-1"]
SOLD = SKUS[1::2]
SINCE = date(2026, 2, 2)


def company() -> FakeCompany:
    """Products whose SKUs nobody sorts alike, half of them sold since `SINCE` and the others before."""
    made = make_company()
    product, series = made.products["SKU-0001"], made.sales["SKU-0001"]
    made.products = {sku: replace(product, sku=sku) for sku in reversed(SKUS)}
    made.sales = {
        sku: replace(series, sku=sku)
        if sku in SOLD
        else replace(series, sku=sku, units=series.units[:1], promoted=series.promoted[:1])
        for sku in reversed(SKUS)
    }
    made.orders.clear()
    made.tickets.clear()
    return made


@pytest.fixture(params=[*FORMS, "postgresql in English"])
async def systems(request: pytest.FixtureRequest, dsns: Mapping[str, str], foreign: Foreign) -> AsyncIterator[Held]:
    foreign.server.moods.clear()
    async with held(request.param, dsns, foreign.server, foreign.url, company) as made:
        yield made


@pytest.mark.parametrize("size", [1, 2, 7, 13, 14, 15])
async def test_pages_of_products_give_each_once_in_order(systems: Held, size: int) -> None:
    pages = product_pages(systems.procurement, systems.tenant, ProductQuery(limit=size))
    told = [[each.sku for each in page] async for page in pages]
    assert told == [SKUS[place : place + size] for place in range(0, len(SKUS), size)]


@pytest.mark.parametrize("size", [1, 3, 7, 8])
async def test_pages_of_sales_give_each_once_in_order(systems: Held, size: int) -> None:
    pages = sales_pages(systems.procurement, systems.tenant, SalesQuery(SINCE, limit=size))
    told = [[each.sku for each in page] async for page in pages]
    assert told == [SOLD[place : place + size] for place in range(0, len(SOLD), size)]


async def test_all_is_read_as_it_is(systems: Held) -> None:
    written = company()
    assert await all_products(systems.procurement, systems.tenant) == [written.products[sku] for sku in SKUS]
    assert await all_sales(systems.procurement, systems.tenant, date.min) == [written.sales[sku] for sku in SKUS]
    assert await all_products(systems.procurement, "nobody") == []
    assert await sold_until(systems.procurement, systems.tenant, date(2026, 1, 9)) == date(2026, 2, 4)
    assert await sold_until(systems.procurement, systems.tenant, date(2026, 3, 9)) == date(2026, 3, 9)


async def test_what_comes_behind_an_sku_need_not_follow_one_that_exists(systems: Held) -> None:
    read = systems.procurement.read
    for after in ("", "1", "C", "a", "a-2", "zzz", "\ud7ff", "😀-1", "😀-2"):
        found = await read(systems.tenant, ProductQuery(after=after))
        assert [each.sku for each in found] == [sku for sku in SKUS if sku > after]
        sold = await read(systems.tenant, SalesQuery(SINCE, after=after))
        assert [each.sku for each in sold] == [sku for sku in SOLD if sku > after]


async def test_it_is_one_condition_of_several(systems: Held) -> None:
    read = systems.procurement.read
    assert await read(systems.tenant, ProductQuery("B-1", after="B-1")) == []
    assert [each.sku for each in await read(systems.tenant, ProductQuery("B-1", after="A-1"))] == ["B-1"]
    assert await read(systems.tenant, ProductQuery(words="blanket", after="A-1")) == []
    named = SalesQuery(SINCE, ("a-10", "9", "b", "Z"), after="Z")
    assert [each.sku for each in await read(systems.tenant, named)] == [sku for sku in ("a-10", "b") if sku in SOLD]
