"""What everything that recommends promises: the fake, the likeness of baskets, and a trained model."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from agents.recommending import BasketLikeness
from app.recommend.catalogue import RememberedCatalogue, titles_of
from app.recommend.history import PurchaseHistory
from app.recommend.model import ModelRecommender
from app.recommend.training import train_recommend
from core.database import Database
from core.errors import Conflict, InvalidInput
from core.orders import CancelOrder
from core.ports import Recommender
from core.recommending import MOST, Asking
from tabular.eventlog import EventLog
from tabular.recommend.model import Model
from tabular.recommend.recommender import Recommender as Answering
from tests.fakes.company import FakeCompany
from tests.fakes.shopping import (
    BUYER,
    NEWCOMER,
    NEWCOMERS,
    SOLD_OUT,
    UNSOLD,
    FakeRecommender,
    WordEmbeddings,
    later,
    shopping,
)
from tests.fakes.systems import FakeOrders, FakeProcurement

TENANT, OTHER, EMPTY = "shop", "other", "empty"


@dataclass
class Shop:
    recommender: Recommender
    company: FakeCompany
    other: FakeCompany
    orders: FakeOrders


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Trained on the shop's orders, by way of the event log."""
    path = tmp_path_factory.mktemp("trained") / "wayside.db"

    async def make() -> Model:
        companies = {TENANT: shopping()}
        database = Database(f"sqlite+aiosqlite:///{path}")
        await database.migrate()
        await PurchaseHistory(FakeOrders(companies), database).take_all(TENANT)
        titles = await titles_of(FakeProcurement(companies), TENANT)
        trained = await train_recommend(
            EventLog(database), TENANT, titles, WordEmbeddings(), now=40_000, say=lambda _: None
        )
        await database.close()
        return trained.model

    return asyncio.run(make())


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database, to be copied."""
    path = tmp_path_factory.mktemp("empty") / "wayside.db"

    async def make() -> None:
        database = Database(f"sqlite+aiosqlite:///{path}")
        await database.migrate()
        async with database.engine.connect() as connection:
            await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        await database.close()

    asyncio.run(make())
    return path


@pytest.fixture(params=["fake", "baskets", "model"])
async def shop(request: pytest.FixtureRequest, tmp_path: Path, empty: Path, model: Model) -> AsyncIterator[Shop]:
    companies = {TENANT: shopping(), OTHER: shopping()}
    orders, procurement = FakeOrders(companies), FakeProcurement(companies)
    shutil.copy(empty, tmp_path / "wayside.db")
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'wayside.db'}")

    def trained() -> Recommender:
        purchases, catalogue = PurchaseHistory(orders, database), RememberedCatalogue(procurement, 0)
        return ModelRecommender(Answering(model), 1, purchases, catalogue, WordEmbeddings())

    made: dict[str, Callable[[], Recommender]] = {
        "fake": lambda: FakeRecommender(orders, procurement),
        "baskets": lambda: BasketLikeness(orders, procurement),
        "model": trained,
    }
    yield Shop(made[request.param](), companies[TENANT], companies[OTHER], orders)
    await database.close()


async def test_products_in_stock_the_best_first_each_once(shop: Shop) -> None:
    found = (await shop.recommender.recommend(TENANT, Asking(BUYER, 100))).items
    skus = [each.sku for each in found]
    assert len(set(skus)) == len(skus) >= 8
    assert SOLD_OUT not in skus
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
    assert all(each.score >= 0 and each.reason.endswith(".") for each in found)
    products = shop.company.products
    assert all((each.name, each.price) == (products[each.sku].name, products[each.sku].price) for each in found)
    few = (await shop.recommender.recommend(TENANT, Asking(BUYER, 3))).items
    assert [each.sku for each in few] == skus[:3]


async def test_equal_records_equal_answers(shop: Shop) -> None:
    asking = Asking(BUYER, 20)
    first = await shop.recommender.recommend(TENANT, asking)
    again = await shop.recommender.recommend(OTHER, asking)
    assert [each.sku for each in again.items] == [each.sku for each in first.items]


async def test_what_is_excluded_or_was_bought_is_left_out(shop: Shop) -> None:
    first = (await shop.recommender.recommend(TENANT, Asking(BUYER, 2))).items
    out = {each.sku for each in first}
    without = (await shop.recommender.recommend(TENANT, Asking(BUYER, 100, excluded=out))).items
    assert without and not out & {each.sku for each in without}
    mine = {line.sku for order in shop.company.orders.values() if order.customer_id == BUYER for line in order.lines}
    new = (await shop.recommender.recommend(TENANT, Asking(BUYER, 100, new_only=True))).items
    assert new and not mine & {each.sku for each in new}


async def test_a_purchase_counts_at_once_and_a_cancelled_one_never_did(shop: Shop) -> None:
    async def is_offered() -> bool:
        found = await shop.recommender.recommend(TENANT, Asking(NEWCOMER, 100, new_only=True))
        return NEWCOMERS in [each.sku for each in found.items]

    assert not await is_offered()
    await shop.orders.act(TENANT, "k1", CancelOrder("ORD-20000", "changed my mind"))
    assert await is_offered()
    later(shop.company, NEWCOMER, [NEWCOMERS])
    assert not await is_offered()


async def test_who_is_unknown_gets_what_sells(shop: Shop) -> None:
    found = (await shop.recommender.recommend(TENANT, Asking("CUS-99999", 5))).items
    assert len(found) == 5
    assert UNSOLD not in [each.sku for each in found]
    assert not any(each.because for each in found)


async def test_another_tenants_purchases_change_nothing(shop: Shop) -> None:
    before = await shop.recommender.recommend(TENANT, Asking(NEWCOMER, 20))
    for _ in range(3):
        later(shop.other, NEWCOMER, ["SKU-0014", "SKU-0015"])
    assert await shop.recommender.recommend(TENANT, Asking(NEWCOMER, 20)) == before
    assert (await shop.recommender.recommend(EMPTY, Asking(NEWCOMER, 20))).items == ()


async def test_a_wish_is_granted_or_refused_and_never_passed_over(shop: Shop) -> None:
    asking = Asking("CUS-99999", 3, wish="blue lamp")
    try:
        found = await shop.recommender.recommend(TENANT, asking)
    except Conflict as problem:
        assert problem.param == "wish"
    else:
        assert found.model == 1
        assert all("lamp" in each.name for each in found.items)


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"limit": MOST + 1}, {"wish": "  "}])
def test_what_cannot_be_asked(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        Asking(BUYER, **wrong)  # type: ignore[arg-type]  # each of its own type
