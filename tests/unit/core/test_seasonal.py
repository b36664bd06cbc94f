import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from core.seasonal import foresee, weekly


def test_weeks_end_on_the_last_day() -> None:
    assert weekly([9, 9] + [1] * 7 + [2] * 7).tolist() == [7, 14]


def test_steady_sales_go_on_without_doubt() -> None:
    found = foresee(np.full(140, 2.0), 4)
    assert found.weeks == approx([14, 14, 14, 14])
    assert (found.level, found.dispersion, found.history) == approx((14, 0, 20))


def test_a_product_that_never_sold_is_expected_not_to() -> None:
    assert foresee(np.zeros(730), 3).weeks.tolist() == [0, 0, 0]


def test_the_year_s_swing_is_found_again() -> None:
    days = np.arange(730)
    mean = 20 * np.exp(0.8 * np.cos(2 * np.pi * days / 365.25))
    found = foresee(np.random.default_rng(5).poisson(mean).astype(float), 26)
    wanted = [20 * 7 * math.exp(0.8 * math.cos(2 * math.pi * (730 + 7 * week + 3) / 365.25)) for week in range(26)]
    assert np.abs(found.weeks / wanted - 1).max() < 0.12
    # Sums of Poisson days have their mean as their variance.
    assert 0.7 < found.dispersion < 1.5


def test_within_the_first_year_no_season_is_made_up() -> None:
    days = np.array([int(20 + 10 * math.cos(day / 58)) for day in range(300)], float)
    assert len(set(foresee(days, 8).weeks.tolist())) == 1


@given(st.lists(st.integers(0, 10_000), min_size=28, max_size=800), st.integers(1, 20))
def test_any_sales_give_finite_weeks(units: list[int], weeks: int) -> None:
    found = foresee(np.array(units, float), weeks)
    assert found.weeks.shape == (weeks,)
    assert np.isfinite(found.weeks).all() and (found.weeks >= 0).all() and math.isfinite(found.dispersion)
