import math
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.reorder import ReorderPolicy, advise
from core.demand import Demand, Outlook
from core.purchasing import Product, Supplier

KETTLE = Product("SKU-0001", "Kettle", "kitchen", Decimal("24.00"), Decimal("9.50"), 20, 6, 21, "SUP-01")
SAFETY = 18.468  # scipy.stats.gamma.ppf(0.95, 28, scale=2) - 56
MILL = Supplier("SUP-01", "Mill", "IE", 18, Decimal("400.00"), 4, 30)
TODAY = date(2026, 6, 30)


def outlook(daily: tuple[float, ...], dispersion: float) -> Outlook:
    return Outlook("SKU-0001", "by hand", TODAY, TODAY + timedelta(days=1), daily, (dispersion,) * len(daily), 104)


STEADY = outlook((2.0,) * 91, 2.0)


def test_the_arithmetic_by_hand() -> None:
    # 21 + 7 days at 2 a day are 56; variance 2 * 56 = 112, deviation 10.583; of a gamma with both, 95 % lie below 74.47
    # (scipy), so 18.47 in reserve, 1.745 deviations: reorder at 75, fill up to 56 + 56 + 18.47, so 131. There are 26:
    # 105 are missing, 27 packs, and 1026.00 to pay.
    advice = advise(KETTLE, MILL, STEADY, ReorderPolicy())
    assert (advice.protection_days, advice.protection_demand) == pytest.approx((28, 56))
    assert advice.protection_sd == pytest.approx(10.583, abs=1e-3)
    assert advice.safety_factor == pytest.approx(advice.safety_stock / 10.583, abs=1e-4)
    assert advice.safety_stock == pytest.approx(SAFETY, abs=1e-3)
    assert (advice.reorder_point, advice.cover_demand, advice.order_up_to) == pytest.approx((75, 56, 131))
    assert (advice.stock, advice.on_order, advice.position, advice.shortfall) == (20, 6, 26, 105)
    assert (advice.pack_size, advice.least_quantity, advice.quantity) == (4, 44, 108)
    assert (advice.unit_cost, advice.total) == (Decimal("9.50"), Decimal("1026.00"))
    assert advice.days_left == pytest.approx(13)


def test_what_the_order_changes() -> None:
    # As it is, 26 pieces stand against 56: all but a hair of the difference goes short, at a margin of 14.50 each.
    advice = advise(KETTLE, MILL, STEADY, ReorderPolicy())
    demand = Demand(56, math.sqrt(112))
    before, after = advice.unchanged, advice.ordered
    assert (before.position, after.position) == (26, 134)
    assert before.short == pytest.approx(demand.short(26)) == pytest.approx(30, abs=0.01)
    assert before.short_share == pytest.approx(before.short / 56)
    assert before.shortage_cost == (Decimal("14.50") * Decimal(str(before.short))).quantize(Decimal("0.01"))
    assert after.short < 1e-6 and after.shortage_cost == 0
    # What is left at the end: 134 - 56 pieces of 9.50, a quarter of that a year, for 28 days.
    assert after.left == pytest.approx(78)
    assert after.holding_cost == Decimal("14.21")
    assert advise(KETTLE, MILL, STEADY, ReorderPolicy(holding_rate=0)).ordered.holding_cost == 0


def test_nothing_is_bought_above_the_reorder_point() -> None:
    calm = advise(replace(KETTLE, stock=70), MILL, STEADY, ReorderPolicy())
    assert (calm.quantity, calm.unchanged) == (0, calm.ordered)
    at_the_point = advise(replace(KETTLE, stock=69), MILL, STEADY, ReorderPolicy())
    assert (at_the_point.position, at_the_point.shortfall, at_the_point.quantity) == (75, 56, 56)


def test_little_is_raised_to_the_supplier_s_minimum() -> None:
    advice = advise(replace(KETTLE, stock=69), MILL, STEADY, ReorderPolicy(cover_days=0))
    assert (advice.shortfall, advice.quantity) == (0, 0)
    advice = advise(replace(KETTLE, stock=66), MILL, STEADY, ReorderPolicy(cover_days=0))
    assert (advice.shortfall, advice.least_quantity, advice.quantity) == (3, 44, 44)


def test_what_does_not_sell_is_not_bought() -> None:
    unsold = outlook((0.0,) * 91, 0.0)
    advice = advise(replace(KETTLE, stock=0, on_order=0), MILL, unsold, ReorderPolicy())
    assert (advice.reorder_point, advice.quantity, advice.days_left) == (0, 0, None)


def test_a_policy_says_how_far_a_forecast_must_reach() -> None:
    policy = ReorderPolicy(review_days=7, cover_days=28)
    assert policy.days(21) == 56
    assert advise(KETTLE, MILL, outlook((2.0,) * 56, 2.0), policy).order_up_to == 131
    with pytest.raises(ValueError, match="55 days"):
        advise(KETTLE, MILL, outlook((2.0,) * 55, 2.0), policy)


@pytest.mark.parametrize(
    "wrong", [{"service_level": 1.0}, {"service_level": 0.0}, {"review_days": -1}, {"holding_rate": -0.1}]
)
def test_a_policy_without_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"service level|negative"):
        ReorderPolicy(**wrong)  # type: ignore[arg-type]


demands = st.builds(
    outlook,
    st.lists(st.floats(0, 70), min_size=20, max_size=20).map(
        lambda weeks: tuple(each for each in weeks for _ in range(7))
    ),
    st.floats(0, 20),
)
products = st.builds(
    replace,
    st.just(KETTLE),
    stock=st.integers(0, 2000),
    on_order=st.integers(0, 500),
    lead_time_days=st.integers(0, 60),
    cost=st.decimals("0.01", "300.00", places=2),
)
suppliers = st.builds(
    replace, st.just(MILL), pack_size=st.integers(1, 50), minimum_order=st.decimals("0.00", "3000.00", places=2)
)


@given(products, suppliers, demands, st.floats(0.5, 0.99))
def test_an_order_is_accepted_and_fills_the_gap_with_no_pack_too_many(
    product: Product, supplier: Supplier, demand: Outlook, level: float
) -> None:
    advice = advise(product, supplier, demand, ReorderPolicy(level))
    assert advice.reorder_point <= advice.order_up_to
    assert advice.position == product.stock + product.on_order
    if advice.quantity == 0:
        assert advice.position > advice.reorder_point or advice.shortfall == 0
        return
    assert advice.position <= advice.reorder_point
    assert advice.quantity % supplier.pack_size == 0
    assert advice.total == advice.quantity * product.cost >= supplier.minimum_order
    assert advice.position + advice.quantity >= advice.order_up_to
    assert advice.quantity in (
        advice.least_quantity,
        math.ceil(advice.shortfall / supplier.pack_size) * supplier.pack_size,
    )


@given(products, demands, st.floats(0.5, 0.98))
def test_more_service_takes_no_less_stock(product: Product, demand: Outlook, level: float) -> None:
    less, more = (advise(product, MILL, demand, ReorderPolicy(each)) for each in (level, level + 0.01))
    assert less.safety_stock <= more.safety_stock
    assert less.reorder_point <= more.reorder_point
    assert less.quantity <= more.quantity or less.shortfall == 0
