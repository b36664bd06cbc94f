import math

import numpy as np
import pytest

from core.demand import Demand
from core.errors import InvalidInput
from tabular.demand.forecasting import Forecast
from tabular.demand.stock import dispersions, protection_demand, reorder


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


def test_dispersions_of_one_window_are_three_quarters_the_panel_s() -> None:
    # One window of four days: told 4 each, the first two err by 2 together: its square is below the expected 8 pieces.
    calm = forecast([4, 4, 4, 4], [[1, 1, 9, 9]])
    # Here by 12 each: 144 where 8 are expected, an excess of 136 / 64.
    wild = forecast([4, 4, 4, 4], [[6, 6, 6, 6]])
    found = dispersions(
        {"calm": calm, "wild": wild}, {"calm": np.array([9.0, 5, 5, 13, 13]), "wild": np.array([9.0, 10, 10, 10, 10])}
    )
    shared = 136 / 64 / 2
    assert found.shape == (2, 4)
    assert found[0, 1] == pytest.approx(1 + 0.75 * shared * 8)
    assert found[1, 1] == pytest.approx(1 + (0.25 * 136 / 64 + 0.75 * shared) * 8)


def test_what_is_not_expected_at_all_has_the_spread_of_single_pieces() -> None:
    nothing = forecast([0, 0], [[0, 0]])
    assert dispersions({"n": nothing}, {"n": np.zeros(9)}) == pytest.approx(np.ones((1, 2)))


def test_an_order_fills_up_to_whole_pieces_and_is_never_negative() -> None:
    found = forecast([4, 5], [[0, 0]])
    exact = Demand(9, 3).quantile(0.9)
    order = reorder(found, position=2.5, lead_steps=1, review_steps=1, service_level=0.9)
    assert order.order_up_to == math.ceil(exact)
    assert order.quantity == math.ceil(order.order_up_to - 2.5)
    assert reorder(found, position=99, lead_steps=1, review_steps=1, service_level=0.9).quantity == 0
    # Customers who wait are a position below zero.
    waiting = reorder(found, position=-4, lead_steps=1, review_steps=1, service_level=0.9)
    assert waiting.quantity == order.order_up_to + 4
