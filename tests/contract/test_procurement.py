"""What every procurement promises: the fake, ours on both databases, and one over HTTP."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.errors import Conflict, InvalidInput, KeyReused, NotFound
from core.purchasing import (
    ConfirmDelivery,
    PlacePurchaseOrder,
    Product,
    ProductQuery,
    PurchaseAction,
    PurchaseOrder,
    PurchaseOrderLine,
    PurchaseOrderQuery,
    PurchaseOrderStatus,
    Query,
    SalesHistory,
    SalesQuery,
    SupplierQuery,
    Wanted,
)
from tests.contract.systems import Held
from tests.fakes.company import make_company

WRITTEN = make_company()
KETTLE, BLANKET, HOOK = WRITTEN.products


def buy(sku: str, quantity: int, supplier_id: str | None = None) -> PlacePurchaseOrder:
    return PlacePurchaseOrder((Wanted(sku, quantity),), supplier_id)


async def product(systems: Held, tenant: str, sku: str) -> Product:
    (found,) = await systems.procurement.read(tenant, ProductQuery(sku))
    return found


async def everything(systems: Held, tenant: str) -> list[list[Any]]:
    queries: tuple[Query[Any], ...] = (ProductQuery(), SupplierQuery(), SalesQuery(date.min), PurchaseOrderQuery())
    return [await systems.procurement.read(tenant, query) for query in queries]


async def test_everything_is_read_as_it_is(systems: Held) -> None:
    products, suppliers, sales, orders = await everything(systems, systems.tenant)
    assert products == list(WRITTEN.products.values())
    assert suppliers == list(WRITTEN.suppliers.values())
    assert sales == list(WRITTEN.sales.values())
    assert orders == []


FOUND = [
    (ProductQuery(KETTLE), [KETTLE]),
    (ProductQuery("SKU-9999"), []),
    (ProductQuery(supplier_id="SUP-01"), [KETTLE, BLANKET]),
    (ProductQuery(words="KETTLE"), [KETTLE, HOOK]),
    (ProductQuery(words="kitchen hook"), [HOOK]),
    (ProductQuery(words="100%"), [HOOK]),
    (ProductQuery(words="%"), [HOOK]),
    (ProductQuery(words="_"), []),
    (ProductQuery(words="kettle", limit=1), [KETTLE]),
]


async def test_products_are_found_by_what_is_given(systems: Held) -> None:
    for wanted, found in FOUND:
        assert [one.sku for one in await systems.procurement.read(systems.tenant, wanted)] == found


async def test_sales_begin_on_the_day_that_was_asked_for(systems: Held) -> None:
    ask = systems.procurement.read
    later = await ask(systems.tenant, SalesQuery(date(2026, 2, 3)))
    assert later == [
        SalesHistory(KETTLE, date(2026, 2, 3), (5, 1), (True, False)),
        SalesHistory(HOOK, date(2026, 2, 3), (7, 1), (False, False)),
    ]
    assert await ask(systems.tenant, SalesQuery(date(2026, 2, 3), (HOOK,))) == later[1:]
    assert await ask(systems.tenant, SalesQuery(date(2026, 2, 5))) == []
    assert await ask(systems.tenant, SupplierQuery("SUP-02")) == [WRITTEN.suppliers["SUP-02"]]


LIMITS: list[Query[Any]] = [ProductQuery(limit=0), SupplierQuery(limit=1001), PurchaseOrderQuery(limit=-1)]


async def test_a_limit_out_of_range_is_refused(systems: Held) -> None:
    for query in LIMITS:
        with pytest.raises(InvalidInput):
            await systems.procurement.read(systems.tenant, query)


async def test_a_purchase_order_is_placed_at_today_s_costs(systems: Held) -> None:
    order = await systems.procurement.act(systems.tenant, "k", buy(KETTLE, 12))
    assert (order.id, order.supplier_id, order.status) == ("PO-00001", "SUP-01", PurchaseOrderStatus.PLACED)
    assert order.lines == (PurchaseOrderLine(KETTLE, 12, Decimal("9.50"), 0),)
    assert order.total == Decimal("114.00")
    assert (order.expected - order.placed.date(), order.received) == (timedelta(days=9), None)
    assert await systems.procurement.read(systems.tenant, PurchaseOrderQuery(order.id)) == [order]
    kettle = await product(systems, systems.tenant, KETTLE)
    assert (kettle.stock, kettle.on_order) == (12, 12)


async def test_several_products_of_one_supplier_reach_its_minimum_together(systems: Held) -> None:
    lines = (Wanted(KETTLE, 4), Wanted(BLANKET, 4))
    order = await systems.procurement.act(systems.tenant, "k", PlacePurchaseOrder(lines, "SUP-01"))
    assert order.total == Decimal("138.00")
    assert (order.expected - order.placed.date()).days == 9


NEVER: list[tuple[PurchaseAction, str]] = [
    (buy(KETTLE, 13), "packs of 4: .*works is 12"),
    (buy(KETTLE, 15), "packs of 4: .*works is 16"),
    (buy(KETTLE, 14), "packs of 4: .*works is 16"),
    (buy(KETTLE, 8), r"orders from 100\.00.*comes to 76\.00.*works is 12"),
    (buy(KETTLE, 1), "packs of 4.*works is 12"),
    (PlacePurchaseOrder((Wanted(KETTLE, 4), Wanted(BLANKET, 2))), "packs of 4.*SKU-0002 that works is 4"),
    (buy(KETTLE, 12, "SUP-02"), "comes from SUP-01"),
    (PlacePurchaseOrder((Wanted(KETTLE, 12), Wanted(HOOK, 1))), "comes from SUP-02"),
    (PlacePurchaseOrder((Wanted(KETTLE, 12), Wanted(KETTLE, 4))), "one line only"),
    (PlacePurchaseOrder(()), "1 to 100 lines"),
    (buy(KETTLE, 0), "quantity"),
    (buy(KETTLE, -4), "quantity"),
    (buy(HOOK, 1_000_001), "quantity"),
    (ConfirmDelivery("PO-00001", 0), "quantity"),
]


async def test_what_can_never_be_bought_is_refused(systems: Held) -> None:
    for action, told in NEVER:
        with pytest.raises(InvalidInput, match=told):
            await systems.procurement.act(systems.tenant, "k", action)
    assert await everything(systems, systems.tenant) == await everything(systems, systems.other)
    assert await systems.procurement.outcome(systems.tenant, "k") is None


MISSING: list[PurchaseAction] = [buy("SKU-9999", 1), buy(KETTLE, 12, "SUP-99"), ConfirmDelivery("PO-99999", 1)]


async def test_what_is_not_there_is_not_found(systems: Held) -> None:
    for action in MISSING:
        with pytest.raises(NotFound):
            await systems.procurement.act(systems.tenant, "k", action)
    assert await everything(systems, systems.tenant) == await everything(systems, systems.other)


async def test_a_delivery_raises_the_stock_and_closes_the_order_when_all_came(systems: Held) -> None:
    act = systems.procurement.act
    order = await act(systems.tenant, "a", buy(KETTLE, 12))
    part = await act(systems.tenant, "b", ConfirmDelivery(order.id, 5))
    assert (part.status, part.received, part.lines[0].received) == (PurchaseOrderStatus.PARTIAL, None, 5)
    kettle = await product(systems, systems.tenant, KETTLE)
    assert (kettle.stock, kettle.on_order) == (17, 7)
    assert await systems.procurement.read(systems.tenant, PurchaseOrderQuery(open_only=True)) == [part]
    with pytest.raises(Conflict, match="waits for 7"):
        await act(systems.tenant, "c", ConfirmDelivery(order.id, 8))
    whole = await act(systems.tenant, "c", ConfirmDelivery(order.id, 7, KETTLE))
    assert whole.status is PurchaseOrderStatus.RECEIVED
    assert whole.received is not None
    kettle = await product(systems, systems.tenant, KETTLE)
    assert (kettle.stock, kettle.on_order) == (24, 0)
    with pytest.raises(Conflict, match="come already"):
        await act(systems.tenant, "d", ConfirmDelivery(order.id, 1))
    assert await systems.procurement.read(systems.tenant, PurchaseOrderQuery(open_only=True)) == []
    assert await systems.procurement.read(systems.tenant, PurchaseOrderQuery(sku=KETTLE)) == [whole]
    assert await systems.procurement.read(systems.tenant, PurchaseOrderQuery(sku=HOOK)) == []
    assert await act(systems.tenant, "b", ConfirmDelivery(order.id, 5)) == part


async def test_a_delivery_of_several_products_says_which_came(systems: Held) -> None:
    act = systems.procurement.act
    lines = (Wanted(KETTLE, 4), Wanted(BLANKET, 4))
    order = await act(systems.tenant, "a", PlacePurchaseOrder(lines))
    with pytest.raises(InvalidInput, match=f"{KETTLE}, {BLANKET}"):
        await act(systems.tenant, "b", ConfirmDelivery(order.id, 4))
    with pytest.raises(InvalidInput, match=HOOK):
        await act(systems.tenant, "b", ConfirmDelivery(order.id, 4, HOOK))
    await act(systems.tenant, "b", ConfirmDelivery(order.id, 4, KETTLE))
    with pytest.raises(Conflict):
        await act(systems.tenant, "c", ConfirmDelivery(order.id, 4, KETTLE))
    # Only one product is still to come, so it goes without saying.
    whole = await act(systems.tenant, "c", ConfirmDelivery(order.id, 4))
    assert whole.status is PurchaseOrderStatus.RECEIVED
    assert (await product(systems, systems.tenant, BLANKET)).stock == 7


async def test_orders_placed_at_once_have_numbers_of_their_own(systems: Held) -> None:
    made = await asyncio.gather(*(systems.procurement.act(systems.tenant, f"k{n}", buy(HOOK, 1)) for n in range(30)))
    assert sorted(order.id for order in made) == [f"PO-{number:05}" for number in range(1, 31)]
    assert (await product(systems, systems.tenant, HOOK)).on_order == 30


async def test_the_same_key_acts_once_and_tells_the_first_result(systems: Held) -> None:
    act = systems.procurement.act
    made = await asyncio.gather(*(act(systems.tenant, "key", buy(HOOK, 3)) for _ in range(20)))
    assert {order.id for order in made} == {"PO-00001"}
    came = await asyncio.gather(*(act(systems.tenant, "in", ConfirmDelivery("PO-00001", 1)) for _ in range(20)))
    assert {order.lines[0].received for order in came} == {1}
    assert (await product(systems, systems.tenant, HOOK)).stock == 1
    assert await systems.procurement.outcome(systems.tenant, "key") == made[0]
    with pytest.raises(KeyReused):
        await act(systems.tenant, "key", buy(HOOK, 4))


async def test_deliveries_at_once_never_exceed_the_order(systems: Held) -> None:
    order = await systems.procurement.act(systems.tenant, "key", buy(HOOK, 10))
    acts = [systems.procurement.act(systems.tenant, f"k{n}", ConfirmDelivery(order.id, 3)) for n in range(10)]
    results = await asyncio.gather(*acts, return_exceptions=True)
    assert sum(isinstance(result, PurchaseOrder) for result in results) == 3
    assert sum(isinstance(result, Conflict) for result in results) == 7
    hook = await product(systems, systems.tenant, HOOK)
    assert (hook.stock, hook.on_order) == (9, 1)


async def test_nothing_crosses_from_tenant_to_tenant(systems: Held) -> None:
    theirs = await everything(systems, systems.other)
    mine = await systems.procurement.act(systems.tenant, "key", buy(HOOK, 5))
    assert await everything(systems, systems.other) == theirs
    assert await systems.procurement.outcome(systems.other, "key") is None
    with pytest.raises(NotFound):
        await systems.procurement.act(systems.other, "k", ConfirmDelivery(mine.id, 5))
    other = await systems.procurement.act(systems.other, "key", buy(HOOK, 2))
    assert other == replace(other, id="PO-00001")
    await systems.procurement.act(systems.other, "in", ConfirmDelivery(other.id, 2))
    assert (await product(systems, systems.tenant, HOOK)).stock == 0
    assert await systems.procurement.read(systems.tenant, PurchaseOrderQuery()) == [mine]
    assert await everything(systems, "nobody") == [[], [], [], []]
