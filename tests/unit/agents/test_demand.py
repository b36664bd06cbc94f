import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.demand import DemandForecast, forecast, weekly
from core.errors import InvalidInput


def test_weeks_end_on_the_last_day() -> None:
    assert weekly([9, 9] + [1] * 7 + [2] * 7).tolist() == [7, 14]


def test_steady_sales_go_on_without_doubt() -> None:
    found = forecast([2] * 140, weeks=4)
    assert found.weeks == pytest.approx((14, 14, 14, 14))
    assert (found.level, found.dispersion, found.history) == pytest.approx((14, 0, 20))
    assert found.over(10) == pytest.approx((20, 0))


def test_a_product_that_never_sold_is_expected_not_to() -> None:
    found = forecast([0] * 730, weeks=3)
    assert found.weeks == (0, 0, 0)
    assert found.over(21) == (0, 0)


def test_the_year_s_swing_is_found_again() -> None:
    days = np.arange(730)
    mean = 20 * np.exp(0.8 * np.cos(2 * np.pi * days / 365.25))
    found = forecast(np.random.default_rng(5).poisson(mean).tolist(), weeks=26)
    wanted = [20 * 7 * math.exp(0.8 * math.cos(2 * math.pi * (730 + 7 * week + 3) / 365.25)) for week in range(26)]
    assert np.abs(np.array(found.weeks) / wanted - 1).max() < 0.12
    # Sums of Poisson days have their mean as their variance.
    assert 0.7 < found.dispersion < 1.5


def test_within_the_first_year_no_season_is_made_up() -> None:
    days = [int(20 + 10 * math.cos(day / 58)) for day in range(300)]
    assert len(set(forecast(days, weeks=8).weeks)) == 1


def test_uncertainty_by_hand() -> None:
    # Four weeks of 10 with weight 0.5: 1 + 0.5 * 3 + 0.25 * 3 * 7 / 6 = 3.375 times 2 * 40.
    found = DemandForecast((10.0,) * 4, level=10, weight=0.5, dispersion=2.0, history=30)
    mean, sd = found.over(28)
    assert (mean, sd**2) == pytest.approx((40, 270))
    assert found.over(0) == (0, 0)
    assert found.over(3.5) == pytest.approx((5, math.sqrt(10)))


@pytest.mark.parametrize("days", [-1, 29])
def test_nothing_is_said_beyond_the_weeks(days: int) -> None:
    with pytest.raises(ValueError, match="28 days"):
        DemandForecast((10.0,) * 4, level=10, weight=0.5, dispersion=2.0, history=30).over(days)


@pytest.mark.parametrize(("days", "weeks"), [(27, 4), (28, 0), (28, 105)])
def test_too_little_and_too_much_are_refused(days: int, weeks: int) -> None:
    with pytest.raises(InvalidInput):
        forecast([1] * days, weeks)


@given(st.lists(st.integers(0, 10_000), min_size=28, max_size=800), st.integers(1, 20))
def test_any_sales_give_a_finite_forecast(units: list[int], weeks: int) -> None:
    found = forecast(units, weeks)
    assert len(found.weeks) == weeks
    assert all(math.isfinite(week) and week >= 0 for week in found.weeks)
    assert math.isfinite(found.dispersion)
    spans = [found.over(days) for days in range(0, 7 * weeks + 1, 3)]
    for position in (0, 1):
        values = [span[position] for span in spans]
        assert values == sorted(values)
