"""A shop with habits, and what recommends in it: who buys tents buys tents, and who buys lamps, lamps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from core.errors import Conflict
from core.orders import Order, OrderFilter, OrderLine, OrderStatus
from core.ports import Orders, Procurement
from core.purchase_pages import all_products
from core.purchasing import Product
from core.recommending import Asking, Recommendations, Recommended
from tests.fakes.company import FakeCompany

OPENED = datetime(2026, 1, 5, 12, tzinfo=UTC)
CUSTOMERS = 40
VISITS = 8
EVERY = 14
TENTS, LAMPS = range(1, 9), range(11, 19)
SOLD_OUT, UNSOLD, NEWCOMERS = "SKU-0008", "SKU-0009", "SKU-0001"
BUYER, NEWCOMER = "CUS-00002", "CUS-00900"
"""Buys tents; and who has one order, placed and not packed, of `NEWCOMERS`."""


def shopping() -> FakeCompany:
    """Two kinds of products, one of them sold out and one never sold, and half a year of orders."""
    random = np.random.default_rng(3)
    orders: dict[str, Order] = {}
    for number in range(CUSTOMERS):
        kind = (TENTS, LAMPS)[number % 2]
        for visit in range(VISITS):
            chosen = random.choice(np.array(kind[1:]), 2, replace=False)
            skus = [_sku(kind[0])] * (visit % 2) + [_sku(int(each)) for each in chosen]
            day = visit * EVERY + number % EVERY
            order = _order(f"ORD-{10_000 + len(orders)}", f"CUS-{number:05}", day, skus, OrderStatus.DELIVERED)
            orders[order.id] = order
    last = _order("ORD-20000", NEWCOMER, VISITS * EVERY, [NEWCOMERS], OrderStatus.PLACED)
    products = [_product(_sku(number), f"red tent {number}", 0 if _sku(number) == SOLD_OUT else 5) for number in TENTS]
    products += [_product(_sku(number), f"blue lamp {number}", 5) for number in LAMPS]
    products.append(_product(UNSOLD, "red tent", 5))
    return FakeCompany(
        customers=(*{order.customer_id for order in orders.values()}, NEWCOMER),
        orders={**orders, last.id: last},
        products={product.sku: product for product in products},
    )


def later(company: FakeCompany, customer: str, skus: Sequence[str]) -> Order:
    """One more order of the customer, the latest of all."""
    newest = max(order.placed for order in company.orders.values())
    day = (newest - OPENED).days + 1
    order = _order(f"ORD-{30_000 + len(company.orders)}", customer, day, skus, OrderStatus.PLACED)
    company.orders[order.id] = order
    return order


class WordEmbeddings:
    """How often each of a few words stands in a text."""

    fingerprint = "words"
    words = ("red", "blue", "tent", "lamp")

    async def aembed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.array([[text.split().count(word) for word in self.words] for text in texts], np.float32)

    async def aembed_query(self, text: str) -> list[float]:
        row: list[float] = (await self.aembed([text]))[0].tolist()
        return row


class FakeRecommender:
    """What most customers bought."""

    def __init__(self, orders: Orders, procurement: Procurement) -> None:
        self._orders = orders
        self._procurement = procurement
        self.asked: list[Asking] = []

    async def recommend(self, tenant: str, asking: Asking) -> Recommendations:
        self.asked.append(asking)
        if asking.wish is not None:
            raise Conflict("a fake grants no wishes", param="wish")
        bought: Counter[str] = Counter()
        own: set[str] = set()
        for order in await self._orders.orders(tenant, OrderFilter(limit=1_000)):
            if order.status is not OrderStatus.CANCELLED:
                skus = {line.sku for line in order.lines}
                bought.update(skus)
                own |= skus if order.customer_id == asking.customer_id else set()
        products: Mapping[str, Product] = {each.sku: each for each in await all_products(self._procurement, tenant)}
        allowed = [
            sku
            for sku, product in products.items()
            if product.stock and sku not in asking.excluded and not (asking.new_only and sku in own)
        ]
        allowed.sort(key=lambda sku: (-bought[sku], sku))
        found = [
            Recommended(sku, products[sku].name, products[sku].price, float(bought[sku]), "Others bought this.")
            for sku in allowed[: asking.limit]
        ]
        return Recommendations(tuple(found))


def _sku(number: int) -> str:
    return f"SKU-{number:04}"


def _product(sku: str, name: str, stock: int) -> Product:
    return Product(sku, name, name.split()[1], Decimal("24.00"), Decimal("9.50"), stock, 0, 9, "SUP-01")


def _order(name: str, customer: str, day: float, skus: Sequence[str], status: OrderStatus) -> Order:
    placed = OPENED + timedelta(days=day)
    total = Decimal(24) * len(skus)
    return Order(
        id=name,
        customer_id=customer,
        status=status,
        placed=placed,
        shipped=None,
        delivered=None,
        address="3 Quay Street, Galway, Ireland",
        method="standard",
        carrier="Post",
        tracking=None,
        lines=tuple(OrderLine(sku, 1, Decimal("24.00")) for sku in skus),
        delivery_fee=Decimal("0.00"),
        total=total,
        paid_with="card",
        charged=total,
        refunded=Decimal("0.00"),
    )
