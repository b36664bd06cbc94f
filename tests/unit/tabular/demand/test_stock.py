import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from tabular.demand.forecasting import Forecast
from tabular.demand.stock import ProtectionDemand, protection_demand, reorder


def forecast(mean: list[float], errors: list[list[float]]) -> Forecast:
    steps = np.array(mean)
    return Forecast("SKU-1", "regular", steps, (0.5,), steps[None], {"theta": 1.0}, np.array(errors))


def test_the_demand_of_an_interval_by_hand() -> None:
    # Sums of two: 3, 5, -1 and 0, 0, 8; their mean square is 99 / 6, above the mean of 9.
    found = protection_demand(forecast([4, 5, 6, 7], [[1, 2, 3, -4], [0, 0, 0, 8]]), 2)
    assert (found.mean, found.sd**2) == pytest.approx((9, (9 + 25 + 1 + 64) / 6))


def test_pieces_vary_at_least_as_poisson_does() -> None:
    assert protection_demand(forecast([4, 5], [[0, 0]]), 2).sd == pytest.approx(3)


@pytest.mark.parametrize("steps", [0, 3])
def test_nothing_is_said_beyond_the_horizon(steps: int) -> None:
    with pytest.raises(InvalidInput, match="SKU-1 reaches 1 to 2 steps"):
        protection_demand(forecast([4, 5], [[0, 0]]), steps)


def test_the_quantile_is_that_of_an_exponential_where_both_are_equal() -> None:
    assert ProtectionDemand(7, 10, 10).quantile(0.95) == pytest.approx(-10 * math.log(0.05))


def test_without_doubt_or_demand_there_is_no_quantile_to_look_for() -> None:
    assert ProtectionDemand(7, 10, 0).quantile(0.99) == 10
    assert ProtectionDemand(7, 0, 0).quantile(0.99) == 0


@pytest.mark.parametrize("level", [0, 1, -0.5])
def test_a_service_level_lies_between_nothing_and_always(level: float) -> None:
    with pytest.raises(InvalidInput, match="service level"):
        ProtectionDemand(7, 10, 3).quantile(level)


@given(st.floats(0.1, 1e4), st.floats(0.01, 3), st.floats(0.5, 0.98))
def test_more_service_takes_more_stock(mean: float, variation: float, level: float) -> None:
    demand = ProtectionDemand(7, mean, variation * mean)
    assert 0 <= demand.quantile(level) < demand.quantile(level + 0.01)


def test_an_order_fills_up_to_whole_pieces_and_is_never_negative() -> None:
    found = forecast([4, 5], [[0, 0]])
    exact = ProtectionDemand(2, 9, 3).quantile(0.9)
    order = reorder(found, position=2.5, lead_steps=1, review_steps=1, service_level=0.9)
    assert order.order_up_to == math.ceil(exact)
    assert order.quantity == math.ceil(order.order_up_to - 2.5)
    assert reorder(found, position=99, lead_steps=1, review_steps=1, service_level=0.9).quantity == 0
    # Customers who wait are a position below zero.
    waiting = reorder(found, position=-4, lead_steps=1, review_steps=1, service_level=0.9)
    assert waiting.quantity == order.order_up_to + 4
