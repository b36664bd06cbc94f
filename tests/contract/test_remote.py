"""What the HTTP adapters make of a real server that fails: nothing happens twice, and what nobody knows is told so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from agents.systems.remote.orders import RemoteOrders
from agents.systems.remote.procurement import RemoteProcurement
from agents.systems.remote.system import RemoteSystem
from core.errors import InvalidInput, OutcomeUnknown, SystemFault, SystemUnavailable
from core.orders import Order, OrderFilter, Refund
from core.purchasing import ProductQuery, SalesQuery
from core.systems import OrdersSettings, ProcurementSettings
from tests.contract.conftest import Foreign
from tests.contract.systems import foreign_settings
from tests.fakes.company import make_company

TENANT, ORDER = "shop-1", "ORD-10424"
REFUND = Refund(ORDER, Decimal("5.00"), "late")


class Shop:
    """Orders and procurement over HTTP, with settings that can be changed for one test."""

    def __init__(self, foreign: Foreign) -> None:
        self.foreign = foreign
        self._systems: list[RemoteSystem] = []

    def orders(self, **changes: Any) -> RemoteOrders:
        settings = foreign_settings(self.foreign.url, **changes).orders
        assert isinstance(settings, OrdersSettings)
        self._systems.append(RemoteSystem(settings))
        return RemoteOrders(self._systems[-1], settings)

    def procurement(self, queries: Mapping[str, str]) -> RemoteProcurement:
        """Asked in other words; it is given the same answers."""
        settings = foreign_settings(self.foreign.url).procurement
        assert isinstance(settings, ProcurementSettings)
        told = settings.operations
        changed = {name: getattr(told, name).model_copy(update={"query": query}) for name, query in queries.items()}
        self._systems.append(RemoteSystem(settings))
        operations = told.model_copy(update=changed)
        return RemoteProcurement(self._systems[-1], settings.model_copy(update={"operations": operations}))

    def fails(self, *moods: int | str) -> None:
        self.foreign.server.moods.extend(moods)

    async def refunded(self) -> Decimal:
        """How much the server paid back in this test."""
        self.foreign.server.moods.clear()
        (order,) = await self.orders().orders(TENANT, OrderFilter(ORDER))
        return order.refunded - Decimal(20)

    async def close(self) -> None:
        for system in self._systems:
            await system.close()


@pytest.fixture
async def shop(foreign: Foreign) -> AsyncIterator[Shop]:
    server = foreign.server
    server.companies[TENANT] = make_company()
    server.moods.clear()
    server.requests.clear()
    server.retry_after = "0"
    made = Shop(foreign)
    yield made
    await made.close()


_keys = iter(f"key-{number}" for number in range(1_000))


@pytest.mark.parametrize("moods", [("cut",), ("cut", "cut", "cut"), (503, "cut", 429), (500, 502, 504), ("mute",)])
async def test_an_act_that_was_cut_off_is_done_once(shop: Shop, moods: tuple[int | str, ...]) -> None:
    key = next(_keys)
    shop.fails(*moods)
    done = await shop.orders(timeout=0.5).act(TENANT, key, REFUND)
    assert done.refunded == Decimal(25)
    posts = [each for each in shop.foreign.server.requests if each[0] == "POST"]
    assert posts == [("POST", f"/shop/orders/{ORDER}/returns", key)] * (len(moods) + 1)
    assert await shop.refunded() == 5


@pytest.mark.parametrize("mood", ["cut", "mute", "garbage"])
async def test_an_act_that_was_done_unseen_is_read_back(shop: Shop, mood: str) -> None:
    key = next(_keys)
    orders = shop.orders(timeout=0.5, retries=0)
    shop.fails(mood)
    with pytest.raises(OutcomeUnknown):
        await orders.act(TENANT, key, REFUND)
    # Over connections of its own: that of the act may be closed in the very moment in which it is used again.
    later = shop.orders(timeout=0.5, retries=0)
    outcome = await later.outcome(TENANT, key)
    assert outcome is not None
    assert outcome.refunded == Decimal(25)
    assert await later.act(TENANT, key, REFUND) == outcome
    assert await shop.refunded() == 5


async def test_an_act_that_failed_unseen_is_known_not_to_be_done(shop: Shop) -> None:
    key = next(_keys)
    orders = shop.orders(retries=0)
    shop.fails(500)
    with pytest.raises(OutcomeUnknown):
        await orders.act(TENANT, key, REFUND)
    assert await orders.outcome(TENANT, key) is None
    assert await shop.refunded() == 0


async def test_reading_back_that_fails_is_no_answer(shop: Shop) -> None:
    orders = shop.orders(retries=1)
    shop.fails(500, 500)
    with pytest.raises(SystemUnavailable):
        await orders.outcome(TENANT, "any")
    shop.fails("garbage")
    with pytest.raises(SystemFault):
        await orders.orders(TENANT, OrderFilter())


async def test_older_orders_are_not_taken_for_the_latest(shop: Shop) -> None:
    settings = foreign_settings(shop.foreign.url).orders
    assert isinstance(settings, OrdersSettings)
    latest = settings.operations.orders.model_copy(update={"query": "{max: limit}"})
    operations = settings.operations.model_copy(update={"orders": latest})
    system = RemoteSystem(settings)
    orders = RemoteOrders(system, settings.model_copy(update={"operations": operations}))
    with pytest.raises(InvalidInput, match="placed_until"):
        await orders.orders(TENANT, OrderFilter(placed_until=datetime.now(UTC)))
    await system.close()


async def test_more_products_are_not_taken_for_the_first(shop: Shop) -> None:
    plain = {"products": "{max: limit, hereafter: words}", "sales": "{since: since, max: limit}"}
    for query in (ProductQuery(after="SKU-0001"), SalesQuery(date(2026, 2, 1), after="SKU-0001")):
        with pytest.raises(InvalidInput, match="no after") as refused:
            await shop.procurement(plain).read(TENANT, query)
        assert refused.value.param in [f"systems.procurement.operations.{name}.query" for name in plain]
    assert not shop.foreign.server.requests
    assert len(await shop.procurement(plain).read(TENANT, ProductQuery())) == 3


async def test_a_system_that_gives_the_first_products_again_is_at_fault(shop: Shop) -> None:
    deaf = {"products": "{max: limit, who_cares: after}", "sales": "{since: since, max: limit, who_cares: after}"}
    for query in (ProductQuery(after="SKU-0001"), SalesQuery(date(2026, 2, 1), after="SKU-0001")):
        with pytest.raises(SystemFault, match="behind SKU-0001"):
            await shop.procurement(deaf).read(TENANT, query)


async def test_a_busy_system_is_waited_for_as_long_as_it_asks(shop: Shop) -> None:
    shop.foreign.server.retry_after = "1"
    shop.fails(429)
    begun = asyncio.get_running_loop().time()
    await shop.orders().act(TENANT, next(_keys), REFUND)
    assert asyncio.get_running_loop().time() - begun >= 1
    shop.fails(429)
    with pytest.raises(SystemUnavailable) as busy:
        await shop.orders(patience=0.5).act(TENANT, next(_keys), REFUND)
    assert busy.value.retry_after == 1
    assert await shop.refunded() == 5


async def test_an_impatient_caller_changes_nothing_twice(shop: Shop) -> None:
    """The first attempts run out of time while the server is still at work on them."""
    key = next(_keys)
    shop.fails("slow", "slow")
    orders = shop.orders(timeout=0.25, retries=5, backoff=0.2)
    results = await asyncio.gather(*(orders.act(TENANT, key, REFUND) for _ in range(5)))
    assert all(isinstance(result, Order) and result == results[0] for result in results)
    await asyncio.sleep(0.6)
    assert await shop.refunded() == 5


async def test_nobody_listens(shop: Shop) -> None:
    settings = foreign_settings("http://127.0.0.1:9", retries=1).orders
    assert isinstance(settings, OrdersSettings)
    system = RemoteSystem(settings)
    with pytest.raises(SystemUnavailable, match="reached"):
        await RemoteOrders(system, settings).act(TENANT, next(_keys), REFUND)
    await system.close()


async def test_a_wrong_secret_is_told_at_once(shop: Shop) -> None:
    with pytest.raises(SystemUnavailable, match="credentials"):
        await shop.orders(secret="wrong").act(TENANT, next(_keys), REFUND)
    assert len(shop.foreign.server.requests) == 1
