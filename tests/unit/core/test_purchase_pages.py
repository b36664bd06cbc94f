from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput, SystemFault
from core.purchase_pages import PAGE, all_products, all_sales, product_pages, sold_until
from core.purchasing import Product, ProductQuery, Query, SalesHistory
from tests.fakes.company import FakeCompany, make_company
from tests.fakes.systems import FakeProcurement

TENANT = "harbor"
ONE = make_company().products["SKU-0001"]
KNOWN = date(2026, 1, 1)


def company(count: int) -> FakeCompany:
    skus = [f"SKU-{number:06}" for number in range(count)]
    return FakeCompany(
        products={sku: replace(ONE, sku=sku) for sku in skus},
        sales={sku: SalesHistory(sku, KNOWN, (1,), (False,)) for sku in skus},
    )


class Answering(FakeProcurement):
    """Gives these pages in turn, whatever is asked for, the last one for ever; and keeps what was asked."""

    def __init__(self, *pages: list[str]) -> None:
        super().__init__({})
        self._pages = list(pages)
        self.asked: list[Any] = []

    async def read(self, tenant: str, wanted: Query[Any]) -> list[Any]:
        self.asked.append(wanted)
        return [replace(ONE, sku=sku) for sku in self._pages[min(len(self.asked), len(self._pages)) - 1]]


async def read(procurement: FakeProcurement, size: int) -> list[list[str]]:
    pages = product_pages(procurement, TENANT, ProductQuery(limit=size))
    return [[each.sku for each in page] async for page in pages]


@pytest.mark.parametrize("count", [0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE + 50])
async def test_every_product_comes_once_in_order(count: int) -> None:
    procurement = FakeProcurement({TENANT: company(count), "rival": company(3)})
    products: list[Product] = await all_products(procurement, TENANT)
    assert [each.sku for each in products] == [f"SKU-{number:06}" for number in range(count)]
    assert [each.sku for each in await all_sales(procurement, TENANT, KNOWN)] == [each.sku for each in products]


async def test_each_page_begins_behind_the_last_ones_end() -> None:
    procurement = Answering(["a", "b"], ["c", "d"], [])
    assert await read(procurement, 2) == [["a", "b"], ["c", "d"]]
    assert procurement.asked == [ProductQuery(limit=2, after=after) for after in (None, "b", "d")]


async def test_a_page_that_is_not_full_is_the_last_in_whatever_order() -> None:
    procurement = Answering(["a", "b", "c"], ["f", "e"])
    assert await read(procurement, 3) == [["a", "b", "c"], ["f", "e"]]
    assert len(procurement.asked) == 2


@pytest.mark.parametrize("again", [["a", "b"], ["b", "c"], ["b"], ["c", "a"]])
async def test_a_page_that_does_not_lie_behind_the_last_is_a_fault(again: list[str]) -> None:
    procurement = Answering(["a", "b"], again)
    with pytest.raises(SystemFault, match="behind b"):
        await read(procurement, 2)
    assert len(procurement.asked) == 2


@pytest.mark.parametrize("page", [["b", "a"], ["a", "a"], ["a", "B"], ["9", "10"]])
async def test_behind_a_page_out_of_order_nothing_is_asked_for(page: list[str]) -> None:
    procurement = Answering(page)
    with pytest.raises(SystemFault, match="code points"):
        await read(procurement, 2)
    assert len(procurement.asked) == 1


async def test_what_procurement_refuses_is_not_cut_short() -> None:
    class Once(FakeProcurement):
        async def read(self, tenant: str, wanted: Query[Any]) -> list[Any]:
            if isinstance(wanted, ProductQuery) and wanted.after is not None:
                raise InvalidInput("no after")
            return await super().read(tenant, wanted)

    with pytest.raises(InvalidInput, match="no after"):
        await all_products(Once({TENANT: company(PAGE)}), TENANT)
    assert len(await all_products(Once({TENANT: company(PAGE - 1)}), TENANT)) == PAGE - 1


class Counting(FakeProcurement):
    reads = 0

    async def read(self, tenant: str, wanted: Query[Any]) -> list[Any]:
        self.reads += 1
        return await super().read(tenant, wanted)


@given(st.lists(st.integers(-40, 731), max_size=40))
async def test_the_last_day_of_any_sales_is_found_in_a_few_questions(lasts: list[int]) -> None:
    made = FakeCompany()
    for number, last in enumerate(lasts):
        sku = f"SKU-{number}"
        made.sales[sku] = SalesHistory(sku, KNOWN - timedelta(days=40), (1,) * (41 + last), (False,) * (41 + last))
    procurement = Counting({TENANT: made})
    assert await sold_until(procurement, TENANT, KNOWN) == KNOWN + timedelta(days=max(0, *lasts, 0))
    assert procurement.reads <= 42


async def test_one_product_after_the_other_that_ran_out_is_no_long_walk() -> None:
    made = FakeCompany()
    for number in range(731):
        sku = f"SKU-{number:04}"
        made.sales[sku] = SalesHistory(sku, KNOWN, (1,) * (number + 1), (False,) * (number + 1))
    procurement = Counting({TENANT: made})
    assert await sold_until(procurement, TENANT, KNOWN) == KNOWN + timedelta(days=730)
    assert procurement.reads <= 42


async def test_sales_of_other_days_than_were_asked_for_are_a_fault() -> None:
    class Deaf(FakeProcurement):
        async def read(self, tenant: str, wanted: Query[Any]) -> list[Any]:
            return [SalesHistory("SKU-1", KNOWN, (1, 1), (False, False))]

    assert await sold_until(FakeProcurement({}), TENANT, KNOWN) == KNOWN
    with pytest.raises(SystemFault, match="end before"):
        await sold_until(Deaf({}), TENANT, KNOWN)
