"""A company with more products than procurement gives at once: nothing is left out because of its SKU."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from agents.demand import BuiltinForecaster
from agents.recommending import BasketLikeness
from agents.systems.builtin.orders import BuiltinOrders
from agents.systems.builtin.procurement import BuiltinProcurement
from agents.tools.procurement import procurement_tools
from agents.tools.tool import Caller, Reading
from app.demand.training import train_demand
from app.recommend.catalogue import RememberedCatalogue, titles_of
from core.database import Database, now
from core.orders import OrderLine
from core.purchasing import SalesHistory
from core.recommending import Asking
from core.types import Principal, Role
from tests.contract.systems import store
from tests.fakes.company import CUSTOMERS, FakeCompany, make_company
from tests.integration.test_forecasts import quick

TENANT = "harbor"
COUNT = 1_100
SKUS = [f"SKU-{number:04}" for number in range(COUNT)]
LAST = SKUS[-1]
UNTIL = now().date() - timedelta(days=3)


def company() -> FakeCompany:
    """All are sold for four weeks, but the last, which is sold for longer and until later, and is what people buy."""
    made = make_company()
    one = made.products["SKU-0001"]
    made.products = {sku: replace(one, sku=sku, name=f"Kettle {sku}", stock=0) for sku in SKUS}
    made.products[LAST] = replace(made.products[LAST], stock=1)
    begun = UNTIL - timedelta(days=27)
    made.sales = {sku: SalesHistory(sku, begun, (2,) * 28, (False,) * 28) for sku in SKUS}
    made.sales[LAST] = SalesHistory(LAST, UNTIL - timedelta(days=418), (4, 6) * 210, (False,) * 420)
    made.tickets.clear()
    order = next(each for each in made.orders.values() if each.customer_id == CUSTOMERS[0])
    made.orders = {order.id: replace(order, lines=(OrderLine(LAST, 1, one.price),))}
    return made


async def test_every_product_is_known_foretold_and_advised_on(database: Database) -> None:
    await store(database, TENANT, company())
    procurement = BuiltinProcurement(database)
    assert list(await RememberedCatalogue(procurement, 0).products(TENANT)) == SKUS
    assert list(await titles_of(procurement, TENANT)) == SKUS

    forecaster = BuiltinForecaster(procurement)
    outlooks = await forecaster.outlooks(TENANT, dict.fromkeys(SKUS, 7))
    assert sorted(outlooks) == SKUS
    # The last product alone tells that the day after is known as well.
    assert {each.begins for each in outlooks.values()} == {UNTIL + timedelta(days=2)}
    assert (await forecaster.outlooks(TENANT, {SKUS[0]: 7}))[SKUS[0]].begins == UNTIL + timedelta(days=2)

    [tool] = [each for each in procurement_tools(procurement, forecaster) if each.name == "suggest_reorders"]
    assert isinstance(tool, Reading)
    caller = Caller(Principal("key_staff", TENANT, Role.STAFF))
    advised: Any = await tool.read(caller, tool.arguments.read({"limit": 10}))
    assert (advised["products_looked_at"], advised["due"], advised["products_without_forecast"]) == (COUNT, COUNT, 0)


async def test_what_stands_on_the_second_page_is_recommended_and_trained_on(database: Database) -> None:
    await store(database, TENANT, company())
    procurement = BuiltinProcurement(database)
    asked = Asking(CUSTOMERS[1], 5)
    found = await BasketLikeness(BuiltinOrders(database), procurement).recommend(TENANT, asked)
    assert [each.sku for each in found.items] == [LAST]
    trained = await train_demand(procurement, TENANT, stale_days=14, say=lambda _: None, offer=quick)
    assert (trained.prepared.names, trained.left_out) == ((LAST,), COUNT - 1)
    assert trained.prepared.origin == UNTIL + timedelta(days=1)
