import math
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.demand import DemandForecast
from agents.reorder import ReorderPolicy, advise
from core.purchasing import Product, Supplier

KETTLE = Product("SKU-0001", "Kettle", "kitchen", Decimal("24.00"), Decimal("9.50"), 20, 6, 21, "SUP-01")
MILL = Supplier("SUP-01", "Mill", "IE", 18, Decimal("400.00"), 4, 30)
STEADY = DemandForecast((14.0,) * 13, level=14, weight=0.0, dispersion=2.0, history=104)


def test_the_arithmetic_by_hand() -> None:
    # 21 + 7 days at 2 a day are 56; variance 2 * 56 = 112, deviation 10.583; z(95 %) = 1.6449, so 17.41 in reserve:
    # reorder at 74, fill up to 56 + 56 + 17.41, so 130. There are 26: 104 are missing, 26 packs, and 988.00 to pay.
    advice = advise(KETTLE, MILL, STEADY, ReorderPolicy())
    assert (advice.protection_days, advice.protection_demand) == pytest.approx((28, 56))
    assert advice.protection_sd == pytest.approx(10.583, abs=1e-3)
    assert advice.z == pytest.approx(1.6449, abs=1e-4)
    assert advice.safety_stock == pytest.approx(17.407, abs=1e-3)
    assert (advice.reorder_point, advice.cover_demand, advice.order_up_to) == pytest.approx((74, 56, 130))
    assert (advice.stock, advice.on_order, advice.position, advice.shortfall) == (20, 6, 26, 104)
    assert (advice.pack_size, advice.least_quantity, advice.quantity) == (4, 44, 104)
    assert (advice.unit_cost, advice.total) == (Decimal("9.50"), Decimal("988.00"))
    assert advice.days_left == pytest.approx(13)


def test_nothing_is_bought_above_the_reorder_point() -> None:
    assert advise(replace(KETTLE, stock=69), MILL, STEADY, ReorderPolicy()).quantity == 0
    at_the_point = advise(replace(KETTLE, stock=68), MILL, STEADY, ReorderPolicy())
    assert (at_the_point.position, at_the_point.shortfall, at_the_point.quantity) == (74, 56, 56)


def test_little_is_raised_to_the_supplier_s_minimum() -> None:
    advice = advise(replace(KETTLE, stock=68), MILL, STEADY, ReorderPolicy(cover_days=0))
    assert (advice.shortfall, advice.quantity) == (0, 0)
    advice = advise(replace(KETTLE, stock=65), MILL, STEADY, ReorderPolicy(cover_days=0))
    assert (advice.shortfall, advice.least_quantity, advice.quantity) == (3, 44, 44)


def test_what_does_not_sell_is_not_bought() -> None:
    unsold = DemandForecast((0.0,) * 13, level=0, weight=0.1, dispersion=0.0, history=104)
    advice = advise(replace(KETTLE, stock=0, on_order=0), MILL, unsold, ReorderPolicy())
    assert (advice.reorder_point, advice.quantity, advice.days_left) == (0, 0, None)


def test_a_policy_says_how_far_a_forecast_must_reach() -> None:
    policy = ReorderPolicy(review_days=7, cover_days=28)
    assert policy.weeks(21) == 8
    assert policy.weeks(22) == 9
    assert advise(KETTLE, MILL, replace(STEADY, weeks=(14.0,) * 8), policy).order_up_to == 130


@pytest.mark.parametrize("wrong", [{"service_level": 1.0}, {"service_level": 0.0}, {"review_days": -1}])
def test_a_policy_without_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"service level|negative"):
        ReorderPolicy(**wrong)  # type: ignore[arg-type]


demands = st.builds(
    DemandForecast,
    weeks=st.lists(st.floats(0, 500), min_size=20, max_size=20).map(tuple),
    level=st.just(1.0),
    weight=st.floats(0.02, 0.6),
    dispersion=st.floats(0, 20),
    history=st.just(104),
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
    product: Product, supplier: Supplier, demand: DemandForecast, level: float
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
def test_more_service_takes_no_less_stock(product: Product, demand: DemandForecast, level: float) -> None:
    less, more = (advise(product, MILL, demand, ReorderPolicy(each)) for each in (level, level + 0.01))
    assert less.safety_stock <= more.safety_stock
    assert less.reorder_point <= more.reorder_point
    assert less.quantity <= more.quantity or less.shortfall == 0
