from dataclasses import replace
from datetime import timedelta

import pytest

from app.order_pages import PAGE, order_pages
from core.errors import InvalidInput
from core.orders import Order, OrderStatus
from tests.fakes.company import CUSTOMERS, START, FakeCompany, make_company
from tests.fakes.systems import FakeOrders

TENANT = "harbor"
ONE = next(each for each in make_company().orders.values() if each.status is OrderStatus.DELIVERED)


def orders(*minutes: int) -> dict[str, Order]:
    """Orders placed at these minutes, in turns by the two customers."""
    made = [
        replace(ONE, id=f"ORD-{number:06}", customer_id=CUSTOMERS[number % 2], placed=START + timedelta(minutes=minute))
        for number, minute in enumerate(minutes)
    ]
    return {order.id: order for order in made}


async def read(found: dict[str, Order], customer: str | None = None) -> list[list[Order]]:
    system = FakeOrders({TENANT: FakeCompany(orders=found), "rival": FakeCompany(orders=orders(7))})
    return [page async for page in order_pages(system, TENANT, customer)]


async def test_every_order_comes_once_the_latest_first() -> None:
    # A page ends amid orders of the same minute.
    found = orders(*(number // 3 for number in range(2 * PAGE + 50)))
    pages = await read(found)
    told = [order for page in pages for order in page]
    assert len(pages) == 3
    assert sorted(order.id for order in told) == sorted(found)
    assert [order.placed for order in told] == sorted((order.placed for order in told), reverse=True)


async def test_one_customers_orders_are_theirs_alone() -> None:
    found = orders(*range(10))
    [page] = await read(found, CUSTOMERS[1])
    assert {order.id for order in page} == {order.id for order in found.values() if order.customer_id == CUSTOMERS[1]}
    assert await read(found, "CUS-99999") == []


async def test_more_orders_of_one_moment_than_a_page_holds_are_refused() -> None:
    with pytest.raises(InvalidInput, match="no next page"):
        await read(orders(*[5] * (PAGE + 1)))
