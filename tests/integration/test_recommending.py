"""From the demo company's orders to recommendations by a model, what customers do about them, and what others earn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from app.champions import take_up
from app.demo.company import generate
from app.recommend.catalogue import titles_of
from app.recommend.history import PurchaseHistory
from app.recommend.opening import Recommending, open_recommending
from app.recommend.served import MODEL
from app.recommend.training import candidate, train_recommend
from core.database import Database
from core.errors import CorruptArtefact, InvalidInput, MissingExtra, NotFound
from core.orders import CancelOrder, Order, OrderLine, OrderStatus
from core.purchasing import Product
from core.recommending import Asking
from core.registry import Registry
from core.settings import RecommendSettings, Settings
from core.versions import Kind
from tabular.eventlog import EventLog
from tabular.recommend.evaluation import Greedy, evaluate
from tabular.recommend.records import PURCHASES, Reaction, purchases
from tests.fakes.candidates import candidate as broken
from tests.fakes.company import FakeCompany
from tests.fakes.holdings import HashEmbeddings
from tests.fakes.shopping import NEWCOMER, later, shopping
from tests.fakes.systems import FakeOrders, FakeProcurement

TENANT, RIVAL = "harbor", "rival"


@cache
def demo(customers: int = 200) -> FakeCompany:
    """The demo company, with its first customers."""
    company = generate()
    kept = {each.id for each in company.customers[:customers]}
    made: dict[str, Order] = {}
    for order in company.orders:
        if order.customer_id in kept:
            lines = tuple(OrderLine(line.sku, line.quantity, line.unit_price) for line in order.lines)
            told = {name: getattr(order, name) for name in Order.__slots__ if name not in ("lines", "status")}
            made[order.id] = Order(**told, lines=lines, status=OrderStatus(order.status))
    products: dict[str, Product] = {}
    for each in company.products:
        about: dict[str, Any] = {name: getattr(each, name, 0) for name in Product.__slots__}
        products[each.sku] = Product(**about)
    return FakeCompany(customers=tuple(kept), orders=made, products=products)


@dataclass
class Shop:
    database: Database
    workspace: Path
    companies: dict[str, FakeCompany]
    registry: Registry
    recommending: Recommending

    @property
    def orders(self) -> FakeOrders:
        return FakeOrders(self.companies)

    async def trained(self) -> int:
        """Import, train, register and promote; the version's number."""
        await PurchaseHistory(self.orders, self.database).take_all(TENANT)
        titles = await titles_of(FakeProcurement(self.companies), TENANT)
        log = EventLog(self.database)
        made = await train_recommend(log, TENANT, titles, HashEmbeddings(), now=40_000, say=lambda _: None)
        version = await self.registry.register(candidate(made, self.workspace / "new", "test"), "local:ada")
        await self.registry.promote(MODEL, version.number, "local:ada", "because")
        await self.recommending.served.refresh()
        return version.number


@pytest.fixture
async def shop(database: Database, tmp_path: Path) -> AsyncIterator[Shop]:
    companies = {TENANT: shopping()}
    settings = Settings(
        workspace=tmp_path, recommend=RecommendSettings(explore="epsilon_greedy", candidates=5, stock_seconds=0)
    )
    registry = Registry.of(database, tmp_path)
    recommending = open_recommending(
        database, FakeOrders(companies), FakeProcurement(companies), registry, HashEmbeddings(), settings, TENANT
    )
    yield Shop(database, tmp_path, companies, registry, recommending)


async def test_from_the_demo_companys_orders_to_another_policys_worth(shop: Shop) -> None:
    shop.companies[TENANT] = demo()
    number = await shop.trained()
    log = EventLog(shop.database)
    length = await log.length(TENANT)
    customers = shop.companies[TENANT].customers
    best = set[str]()
    for round_ in range(104):
        made = await shop.recommending.maker.make(TENANT, Asking(customers[round_ % 7], 1))
        assert (made.slate.model, len(made.items)) == (number, 1)
        [place] = made.slate.places
        slot = made.slate.slot
        assert slot is not None
        assert place.propensity == slot.chance(place.item)
        greedy = max(slot.drawn_from, key=lambda each: each.score).item == place.item
        best |= {place.item} if greedy else set()
        told = [(place.item, Reaction.SHOWN), *([(place.item, Reaction.CLICKED)] if greedy else [])]
        await shop.recommending.reactions.take(TENANT, made.slate.id, told, made.slate.customer)
    assert len(best) > 1, "customers of different taste get different answers"
    rounds = await shop.recommending.reactions.rounds(TENANT, Reaction.CLICKED, 1)
    assert len(rounds) == 104
    assert await log.length(TENANT) == length + 104 + sum(int(each.reward) for each in rounds)
    found = evaluate(rounds, Greedy())
    assert found.self_normalised.value == pytest.approx(1)
    # What is drawn differs each time, so that an interval of 95 % would miss the truth in one run of twenty.
    assert found.doubly_robust.value == pytest.approx(1, abs=0.15)
    assert found.logged.value < 1
    assert await shop.recommending.reactions.rounds(RIVAL, Reaction.CLICKED, 1) == []


async def test_an_import_takes_everything_once_and_withdraws_what_was_cancelled(shop: Shop) -> None:
    history = PurchaseHistory(shop.orders, shop.database)
    pages: list[int] = []
    first = await history.take_all(TENANT, pages.append)
    orders = shop.companies[TENANT].orders
    assert (first.appended, first.known, first.withdrawn, sum(pages)) == (len(orders), 0, 0, len(orders))
    assert (await history.take_all(TENANT)).appended == 0
    await shop.orders.act(TENANT, "k", CancelOrder("ORD-20000", "changed my mind"))
    again = await history.take_all(TENANT)
    assert (again.appended, again.known, again.withdrawn) == (0, len(orders) - 1, 1)
    assert (await history.take_all(TENANT)).withdrawn == 0
    events = [entry.event async for entry in EventLog(shop.database).read(TENANT, PURCHASES)]
    assert len(events) == len(orders) + 1
    assert all(each.known_at == each.at for each in events[:-1])
    bought = {each.basket for each in purchases(events)}
    assert bought == orders.keys() - {"ORD-20000"}


async def test_more_orders_than_one_page(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.order_pages.PAGE", 7)
    orders = shop.companies[TENANT].orders
    assert (await PurchaseHistory(shop.orders, shop.database).take_all(TENANT)).appended == len(orders)
    moment = max(order.placed for order in orders.values())
    for each in list(orders.values())[:9]:
        orders[each.id] = replace(each, placed=moment)
    with pytest.raises(InvalidInput, match="no next page"):
        await PurchaseHistory(shop.orders, shop.database).take_all(TENANT)


async def test_a_new_order_is_in_the_log_and_the_next_answer(shop: Shop) -> None:
    shop.companies[RIVAL] = shopping()
    number = await shop.trained()
    assert (await shop.recommending.served.recommend(TENANT, Asking(NEWCOMER, 3))).model == number
    # One company's model answers nobody else's customers.
    theirs = await shop.recommending.maker.make(RIVAL, Asking(NEWCOMER, 3))
    assert theirs.slate.model is None
    with pytest.raises(NotFound):
        await shop.recommending.reactions.take(TENANT, theirs.slate.id, [(theirs.items[0].sku, Reaction.CLICKED)])
    log = EventLog(shop.database)
    length = await log.length(TENANT)
    order = later(shop.companies[TENANT], NEWCOMER, ["SKU-0013", "SKU-0014"])
    asking = Asking(NEWCOMER, 5, new_only=True)
    both = await asyncio.gather(*(shop.recommending.served.recommend(TENANT, asking) for _ in range(5)))
    assert not {"SKU-0013", "SKU-0014"} & {each.sku for found in both for each in found.items}
    assert await log.length(TENANT) == length + 1
    async with shop.database.session() as session:
        event = (await log.known(session, TENANT, "purchase", [order.id]))[order.id]
    assert event.body == {"customer": NEWCOMER, "items": ["SKU-0013", "SKU-0014"]}
    assert event.known_at > event.at
    await shop.orders.act(TENANT, "k", CancelOrder(order.id, "no"))
    await shop.recommending.served.recommend(TENANT, asking)
    assert await log.length(TENANT) == length + 2


async def test_a_champion_that_cannot_be_taken_up_changes_nothing(shop: Shop, tmp_path: Path) -> None:
    served = shop.recommending.served
    before = await served.recommend(TENANT, Asking(NEWCOMER, 3))
    version = await shop.registry.register(broken(tmp_path / "bad", model=MODEL, kind=Kind.TABULAR), "local:ada")
    await shop.registry.promote(MODEL, version.number, "local:ada", "because")
    with pytest.raises(CorruptArtefact):
        await served.refresh()
    await take_up(served)
    assert await served.recommend(TENANT, Asking(NEWCOMER, 3)) == before


async def test_without_safetensors_baskets_recommend(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.recommend.served.find_spec", lambda _: None)
    version = await shop.registry.register(broken(tmp_path / "any", model=MODEL, kind=Kind.TABULAR), "local:ada")
    await shop.registry.promote(MODEL, version.number, "local:ada", "because")
    with pytest.raises(MissingExtra, match=r"\[tabular\]"):
        await shop.recommending.served.refresh()
    assert (await shop.recommending.served.recommend(TENANT, Asking(NEWCOMER, 3))).model is None


async def test_too_little_to_learn_from(shop: Shop) -> None:
    log, embeddings = EventLog(shop.database), HashEmbeddings()
    with pytest.raises(InvalidInput, match="no purchases"):
        await train_recommend(log, TENANT, {}, embeddings, now=40_000, say=lambda _: None)
