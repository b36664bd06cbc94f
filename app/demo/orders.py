"""Orders of customers with an account over two years: what, when, how delivered and how paid."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from app.demo import delivery
from app.demo.baskets import OrderLine, Shop
from app.demo.customers import Country, Customer, read_countries
from app.demo.sales import DAYS
from core.orders import OrderStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from app.demo.catalog import Catalog, Product
    from app.demo.sales import Demand

COUNT = 2500
FIRST_NUMBER = 10001
FRESH = 12
"""Orders placed on the reference day itself, so that some can still be cancelled."""

LOST = 24
DOUBLE_CHARGED = 12
CANCELLED_SHARE = 0.03
LATE_SHARE = 0.04
CUT_OFF = 14
SEEN_AT = time(12)

PAID_AT_ONCE = frozenset({"ideal", "bancontact"})
LOCAL_METHODS = {"NL": "ideal", "BE": "bancontact", "IE": "pay_in_3", "DE": "pay_in_3"}
PAY_IN_3 = (Decimal("100.00"), Decimal("1500.00"))
NOTHING = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class Order:
    """One order. `charged` is what was taken so far: nothing before dispatch, twice `total` for a double charge.

    A lost parcel has no `delivered`; `refunded` is what was paid back.
    """

    id: str
    customer_id: str
    status: OrderStatus
    placed: datetime
    shipped: datetime | None
    delivered: datetime | None
    address: str
    method: str
    carrier: str
    tracking: str | None
    lines: tuple[OrderLine, ...]
    delivery_fee: Decimal
    total: Decimal
    paid_with: str
    charged: Decimal
    refunded: Decimal


def seen_at(today: date) -> datetime:
    """Return the moment of the reference day at which the records are seen."""
    return datetime.combine(today, SEEN_AT, UTC)


def draw_orders(
    random: np.random.Generator,
    catalog: Catalog,
    products: Sequence[Product],
    demand: Demand,
    customers: Sequence[Customer],
    today: date,
) -> tuple[Order, ...]:
    """Draw `COUNT` orders, the earliest first, as they stand at `seen_at(today)`."""
    shop = Shop(random, catalog, products, demand)
    tastes = [shop.taste() for _ in customers]
    countries = read_countries()
    orders = []
    for number, (buyer, placed) in enumerate(_purchases(random, customers, today)):
        customer = customers[buyer]
        country = countries[customer.country]
        lines: tuple[OrderLine, ...] = ()
        while not lines:
            lines = shop.basket(tastes[buyer], placed.date(), fuel_allowed=country.zone < 3)
        method = _method(random, country.zone, shop.holds_fuel(lines))
        order = _placed_order(random, number, customer, country, placed, method, lines)
        orders.append(_moved(random, order, country.zone, seen_at(today)))
    _lose(random, orders, seen_at(today))
    _charge_twice(random, orders, seen_at(today))
    return tuple(orders)


def _purchases(
    random: np.random.Generator, customers: Sequence[Customer], today: date
) -> Iterator[tuple[int, datetime]]:
    """Draw who buys and when, in order of time: more in later months, by day and in the evening."""
    keenness = random.gamma(0.8, 1, len(customers))
    buyers = random.choice(len(customers), COUNT, p=keenness / keenness.sum())
    tenure = np.array([min((today - customers[buyer].joined).days, DAYS) for buyer in buyers])
    age = 1 + np.floor((tenure - 1) * random.random(COUNT) ** 1.15).astype(int)
    age[:FRESH] = 0
    hours = np.clip(random.normal(15.5, 4.0, COUNT), 0.1, 23.9)
    hours[:FRESH] = random.uniform(6, 11.8, FRESH)
    midnight = datetime.combine(today, time(), UTC)
    moments = [
        midnight - timedelta(days=int(days)) + timedelta(seconds=int(hour * 3600))
        for days, hour in zip(age, hours, strict=True)
    ]
    yield from sorted(zip(buyers.tolist(), moments, strict=True), key=lambda purchase: purchase[1])


def _method(random: np.random.Generator, zone: int, fuel: bool) -> str:
    """Most take standard delivery; fuel travels by no other, and zone 3 has no pickup points."""
    chance = random.random()
    if fuel or chance < 0.66:
        return "standard"
    return "express" if chance < 0.82 or zone == 3 else "pickup_point"


def _placed_order(
    random: np.random.Generator,
    number: int,
    customer: Customer,
    country: Country,
    placed: datetime,
    method: str,
    lines: tuple[OrderLine, ...],
) -> Order:
    """Write the order as it stands when it has just been placed."""
    goods = sum((line.unit_price * line.quantity for line in lines), NOTHING)
    fee = delivery.fee(method, country.zone, goods)
    wallet = _wallet(random.random(), country, goods + fee)
    return Order(
        id=f"ORD-{FIRST_NUMBER + number}",
        customer_id=customer.id,
        status=OrderStatus.PLACED,
        placed=placed,
        shipped=None,
        delivered=None,
        address=f"{customer.name}, {customer.street}, {customer.city}, {country.name}",
        method=method,
        carrier=delivery.CARRIERS[method][0],
        tracking=None,
        lines=lines,
        delivery_fee=fee,
        total=goods + fee,
        paid_with=wallet,
        charged=goods + fee if wallet in PAID_AT_ONCE else NOTHING,
        refunded=NOTHING,
    )


def _wallet(chance: float, country: Country, total: Decimal) -> str:
    if chance < 0.64:
        return "card"
    local = LOCAL_METHODS.get(country.code, "paypal")
    if chance < 0.82 or (local == "pay_in_3" and not PAY_IN_3[0] <= total <= PAY_IN_3[1]):
        return "paypal"
    return local


def _moved(random: np.random.Generator, order: Order, zone: int, now: datetime) -> Order:
    """Bring an order to where it is at `now`: cancelled, packing, shipped or delivered."""
    if random.random() < CANCELLED_SHARE:
        return replace(order, status=OrderStatus.CANCELLED, refunded=order.charged)
    missed = order.placed.hour >= CUT_OFF and order.placed.weekday() < 5
    packed = working_day(order.placed.date(), int(missed))
    left = datetime.combine(packed, time(15, 30), UTC) + timedelta(minutes=int(random.integers(0, 180)))
    fastest, slowest = delivery.WORKING_DAYS[order.method, zone]
    days = int(random.integers(fastest, slowest + 1))
    if random.random() < LATE_SHARE:
        days += int(random.integers(1, 5))
    arrives = working_day(packed, days)
    handed_over = datetime.combine(arrives, time(8), UTC) + timedelta(minutes=int(random.integers(0, 600)))
    if now < left:
        packing = now > left - timedelta(hours=4) and packed == now.date()
        return replace(order, status=OrderStatus.PACKING if packing else OrderStatus.PLACED)
    number = 100_000_000 + int(order.id.removeprefix("ORD-")) * 104_729 % 899_999_999
    order = replace(
        order,
        status=OrderStatus.SHIPPED,
        shipped=left,
        tracking=delivery.tracking_number(order.method, number),
        charged=order.total,
    )
    return order if now < handed_over else replace(order, status=OrderStatus.DELIVERED, delivered=handed_over)


def working_day(day: date, later: int) -> date:
    """Return the working day `later` working days after `day`, or after the first one from `day` on."""
    while day.weekday() >= 5:
        day += timedelta(days=1)
    for _ in range(later):
        day += timedelta(days=1 if day.weekday() < 4 else 3)
    return day


def _lose(random: np.random.Generator, orders: list[Order], now: datetime) -> None:
    """Turn some deliveries of the past into lost parcels; half of them have been refunded."""
    candidates = [
        index
        for index, order in enumerate(orders)
        if order.status is OrderStatus.DELIVERED and order.placed < now - timedelta(days=18)
    ]
    for index in _recent(random, orders, candidates, LOST, now):
        settled = orders[index].total if random.random() < 0.5 else NOTHING
        orders[index] = replace(orders[index], status=OrderStatus.LOST, delivered=None, refunded=settled)


def _charge_twice(random: np.random.Generator, orders: list[Order], now: datetime) -> None:
    """Let some cards be charged twice, and not yet be paid back."""
    candidates = [
        index
        for index, order in enumerate(orders)
        if order.status is OrderStatus.DELIVERED and order.paid_with == "card"
    ]
    for index in _recent(random, orders, candidates, DOUBLE_CHARGED, now):
        orders[index] = replace(orders[index], charged=2 * orders[index].total)


def _recent(
    random: np.random.Generator, orders: list[Order], candidates: list[int], count: int, now: datetime
) -> list[int]:
    """Pick some of the candidates, the later ones more often."""
    age = np.array([(now - orders[index].placed).days for index in candidates])
    weight = np.exp(-age / 90)
    return [int(index) for index in random.choice(candidates, count, replace=False, p=weight / weight.sum())]
