from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from app.segments.purchases import bought, day_of, latest, paid, purchase_of
from core.orders import OrderStatus
from tests.fakes.company import START, make_company

ORDERS = list(make_company().orders.values())
ONE = next(each for each in ORDERS if each.status is OrderStatus.DELIVERED)


def test_all_but_the_cancelled_are_purchases() -> None:
    left_out = {each.id for each in ORDERS} - {each.id for each in bought(ORDERS)}
    assert left_out == {each.id for each in ORDERS if each.status is OrderStatus.CANCELLED} != set()


@pytest.mark.parametrize(
    ("charged", "refunded", "total", "wanted"),
    [
        ("40.00", "0.00", "40.00", "40.00"),
        ("40.00", "15.05", "40.00", "24.95"),
        ("0.00", "0.00", "40.00", "0.00"),  # not dispatched yet
        ("80.00", "0.00", "40.00", "40.00"),  # charged twice: half is owed back
        ("80.00", "40.00", "40.00", "40.00"),
        ("80.00", "60.00", "40.00", "20.00"),
        ("40.00", "50.00", "40.00", "0.00"),
    ],
)
def test_what_counts_is_what_was_really_paid(charged: str, refunded: str, total: str, wanted: str) -> None:
    order = replace(ONE, charged=Decimal(charged), refunded=Decimal(refunded), total=Decimal(total))
    assert paid(order) == Decimal(wanted)


def test_the_moment_is_that_of_the_latest_order_and_never_to_come() -> None:
    newest = max(each.placed for each in ORDERS)
    assert latest(ORDERS, newest + timedelta(days=9)) == newest
    before = newest - timedelta(hours=2)
    assert latest(ORDERS, before) == before
    assert latest([], START) == START


def test_an_order_from_the_future_is_of_the_moment() -> None:
    moment = ONE.placed + timedelta(days=1.5)
    assert day_of(moment) - purchase_of(ONE, moment).day == pytest.approx(1.5)
    early = ONE.placed - timedelta(hours=1)
    assert purchase_of(ONE, early).day == day_of(early)
    assert purchase_of(ONE, moment).amount == 20.0
