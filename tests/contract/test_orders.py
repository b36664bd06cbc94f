"""What every order system promises: the fake, ours on both databases, and one over HTTP."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from core.errors import Conflict, InvalidInput, KeyReused, NotFound
from core.orders import CancelOrder, ChangeAddress, OrderAction, OrderFilter, OrderStatus, Refund
from tests.contract.systems import Held
from tests.fakes.company import CUSTOMERS, make_company

WRITTEN = make_company().orders
PLACED, PAID = "ORD-10421", "ORD-10427"
DELIVERED = "ORD-10424"


async def everything(systems: Held, tenant: str) -> list[object]:
    return list(await systems.orders.orders(tenant, OrderFilter()))


async def test_orders_are_read_as_they_are_the_latest_first(systems: Held) -> None:
    found = await systems.orders.orders(systems.tenant, OrderFilter())
    assert found == list(reversed(WRITTEN.values()))
    assert await systems.orders.orders(systems.tenant, OrderFilter(limit=2)) == found[:2]


async def test_orders_are_found_by_id_and_by_customer(systems: Held) -> None:
    ask = systems.orders.orders
    assert await ask(systems.tenant, OrderFilter(order_id=DELIVERED)) == [WRITTEN[DELIVERED]]
    first = await ask(systems.tenant, OrderFilter(customer_id=CUSTOMERS[0]))
    assert {order.customer_id for order in first} == {CUSTOMERS[0]}
    assert len(first) == 4
    assert await ask(systems.tenant, OrderFilter(order_id=PLACED, customer_id=CUSTOMERS[1])) == []
    assert await ask(systems.tenant, OrderFilter(order_id="ORD-99999")) == []
    assert await ask("nobody", OrderFilter()) == []


async def test_older_orders_come_page_by_page(systems: Held) -> None:
    seen: list[str] = []
    until: datetime | None = None
    while True:
        page = await systems.orders.orders(systems.tenant, OrderFilter(limit=3, placed_until=until))
        fresh = [order for order in page if order.id not in seen]
        if not fresh:
            break
        seen += [order.id for order in fresh]
        until = fresh[-1].placed
    assert seen == list(reversed(WRITTEN))
    just_before = WRITTEN[DELIVERED].placed - timedelta(microseconds=1)
    (older,) = await systems.orders.orders(systems.tenant, OrderFilter(limit=1, placed_until=just_before))
    assert older.id == "ORD-10423"


LIMITS = [0, -1, 1001]


async def test_a_limit_out_of_range_is_refused(systems: Held) -> None:
    for limit in LIMITS:
        with pytest.raises(InvalidInput):
            await systems.orders.orders(systems.tenant, OrderFilter(limit=limit))


async def test_a_placed_order_is_cancelled_and_what_was_taken_goes_back(systems: Held) -> None:
    order = await systems.orders.act(systems.tenant, "k1", CancelOrder(PAID, "changed my mind"))
    assert (order.status, order.charged, order.refunded) == (OrderStatus.CANCELLED, Decimal(40), Decimal(40))
    assert await systems.orders.orders(systems.tenant, OrderFilter(PAID)) == [order]
    free = await systems.orders.act(systems.tenant, "k2", CancelOrder(PLACED, "changed my mind"))
    assert (free.status, free.refunded) == (OrderStatus.CANCELLED, Decimal(0))


async def test_a_placed_order_is_sent_elsewhere(systems: Held) -> None:
    order = await systems.orders.act(systems.tenant, "k", ChangeAddress(PLACED, "1 Łódź Street — 東京"))
    assert order.address == "1 Łódź Street — 東京"
    assert await systems.orders.orders(systems.tenant, OrderFilter(PLACED)) == [order]


MOVED_ON = [10422, 10423, 10424, 10425, 10426]


async def test_an_order_that_is_no_longer_placed_stays_as_it_is(systems: Held) -> None:
    for number in MOVED_ON:
        for action in (CancelOrder(f"ORD-{number}", "late"), ChangeAddress(f"ORD-{number}", "elsewhere")):
            with pytest.raises(Conflict, match="only a placed order"):
                await systems.orders.act(systems.tenant, "k", action)
    assert await everything(systems, systems.tenant) == await everything(systems, systems.other)


async def test_refunds_add_up_to_what_was_charged_and_no_further(systems: Held) -> None:
    act = systems.orders.act
    once = await act(systems.tenant, "a", Refund(DELIVERED, Decimal("12.50"), "scratched"))
    assert (once.refunded, once.refundable) == (Decimal("32.50"), Decimal("7.50"))
    with pytest.raises(Conflict, match=r"7\.50 left"):
        await act(systems.tenant, "b", Refund(DELIVERED, Decimal("7.51"), "scratched"))
    rest = await act(systems.tenant, "b", Refund(DELIVERED, Decimal("7.50"), "scratched"))
    assert rest.refundable == 0
    with pytest.raises(Conflict):
        await act(systems.tenant, "c", Refund(PLACED, Decimal("0.01"), "never charged"))


NEVER: list[OrderAction] = [
    Refund(DELIVERED, Decimal("0"), "r"),
    Refund(DELIVERED, Decimal("-5.00"), "r"),
    Refund(DELIVERED, Decimal("1.001"), "r"),
    Refund(DELIVERED, Decimal("NaN"), "r"),
    Refund(DELIVERED, Decimal("1e30"), "r"),
    Refund(DELIVERED, Decimal("1.00"), " "),
    CancelOrder(PLACED, ""),
    CancelOrder(PLACED, "a\0b"),
    ChangeAddress(PLACED, "\ud800"),
    ChangeAddress(PLACED, "x" * 501),
]


async def test_what_can_never_be_done_is_refused(systems: Held) -> None:
    for action in NEVER:
        with pytest.raises(InvalidInput):
            await systems.orders.act(systems.tenant, "k", action)
    assert await systems.orders.outcome(systems.tenant, "k") is None


async def test_the_same_key_acts_once_and_tells_the_first_result(systems: Held) -> None:
    action = Refund(DELIVERED, Decimal("5.00"), "late")
    first = await systems.orders.act(systems.tenant, "key", action)
    later = await systems.orders.act(systems.tenant, "key-2", Refund(DELIVERED, Decimal("1.00"), "late"))
    assert await systems.orders.act(systems.tenant, "key", action) == first
    assert await systems.orders.outcome(systems.tenant, "key") == first
    assert await systems.orders.orders(systems.tenant, OrderFilter(DELIVERED)) == [later]
    assert later.refunded == Decimal(26)
    with pytest.raises(KeyReused):
        await systems.orders.act(systems.tenant, "key", Refund(DELIVERED, Decimal("5.01"), "late"))


async def test_fifty_acts_with_one_key_at_once_are_one(systems: Held) -> None:
    action = Refund(DELIVERED, Decimal("1.00"), "late")
    results = await asyncio.gather(*(systems.orders.act(systems.tenant, "key", action) for _ in range(50)))
    assert all(result == results[0] for result in results)
    (order,) = await systems.orders.orders(systems.tenant, OrderFilter(DELIVERED))
    assert order.refunded == Decimal(21)


async def test_refunds_at_once_never_exceed_what_was_charged(systems: Held) -> None:
    actions = [systems.orders.act(systems.tenant, f"k{n}", Refund(DELIVERED, Decimal("3.00"), "r")) for n in range(20)]
    results = await asyncio.gather(*actions, return_exceptions=True)
    assert sum(isinstance(result, Conflict) for result in results) == 14
    (order,) = await systems.orders.orders(systems.tenant, OrderFilter(DELIVERED))
    assert order.refunded == Decimal(38)


async def test_a_refusal_leaves_its_key_free(systems: Held) -> None:
    action = Refund(DELIVERED, Decimal("30.00"), "r")
    for _ in range(2):
        with pytest.raises(Conflict):
            await systems.orders.act(systems.tenant, "k", action)
    assert await systems.orders.outcome(systems.tenant, "k") is None
    assert (await systems.orders.act(systems.tenant, "k", Refund(DELIVERED, Decimal("3.00"), "r"))).refunded == 23


async def test_only_the_customer_s_own_order_is_found(systems: Held) -> None:
    for action in (
        CancelOrder(PLACED, "r", CUSTOMERS[1]),
        ChangeAddress(PLACED, "mine", CUSTOMERS[1]),
        Refund(DELIVERED, Decimal("1.00"), "r", CUSTOMERS[0]),
    ):
        with pytest.raises(NotFound):
            await systems.orders.act(systems.tenant, "k", action)
    assert await everything(systems, systems.tenant) == await everything(systems, systems.other)
    own = await systems.orders.act(systems.tenant, "k", CancelOrder(PLACED, "r", CUSTOMERS[0]))
    assert own.status is OrderStatus.CANCELLED


UNKNOWN = ["ORD-99999", "../ORD-10421", "..", "ORD-10421/void", "ORD-10421?x=1", "%"]


async def test_an_unknown_order_is_not_found(systems: Held) -> None:
    for order_id in UNKNOWN:
        with pytest.raises((NotFound, InvalidInput)):
            await systems.orders.act(systems.tenant, "k", CancelOrder(order_id, "r"))
    assert await everything(systems, systems.tenant) == await everything(systems, systems.other)


async def test_nothing_crosses_from_tenant_to_tenant(systems: Held) -> None:
    theirs = await everything(systems, systems.other)
    mine = await systems.orders.act(systems.tenant, "key", CancelOrder(PLACED, "r"))
    assert await everything(systems, systems.other) == theirs
    assert await systems.orders.outcome(systems.other, "key") is None
    with pytest.raises(NotFound):
        await systems.orders.act("nobody", "key", CancelOrder(PLACED, "r"))
    # The same key is another tenant's own.
    other = await systems.orders.act(systems.other, "key", Refund(DELIVERED, Decimal("1.00"), "r"))
    assert await systems.orders.outcome(systems.tenant, "key") == mine
    assert await systems.orders.outcome(systems.other, "key") == other


async def test_what_nobody_did_has_no_outcome(systems: Held) -> None:
    assert await systems.orders.outcome(systems.tenant, "never") is None


KEYS = ["", "x" * 129, "a\nb", "a b", "ключ"]


async def test_a_key_that_no_system_can_carry_is_refused(systems: Held) -> None:
    for key in KEYS:
        with pytest.raises(InvalidInput):
            await systems.orders.act(systems.tenant, key, CancelOrder(PLACED, "r"))
        with pytest.raises(InvalidInput):
            await systems.orders.outcome(systems.tenant, key)

    assert await everything(systems, systems.tenant) == await everything(systems, systems.other)
