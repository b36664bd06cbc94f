import math
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.demand import Demand, Outlook
from core.errors import InvalidInput

gamma = pytest.importorskip("scipy.stats").gamma
DAY = date(2026, 6, 30)


def outlook(*daily: float, dispersions: tuple[float, ...]) -> Outlook:
    return Outlook("SKU-1", "by hand", DAY, DAY, daily, dispersions, 9)


@given(st.floats(0.1, 1e4), st.floats(0.004, 4), st.floats(0.01, 0.999), st.floats(0, 4))
def test_it_is_scipy_s_gamma(mean: float, variation: float, level: float, stock: float) -> None:
    demand = Demand(mean, variation * mean)
    shape, scale = variation**-2, mean * variation**2
    assert demand.quantile(level) == pytest.approx(gamma.ppf(level, shape, scale=scale), rel=1e-6, abs=1e-6 * mean)
    above = mean * gamma.sf(stock * mean, shape + 1, scale=scale)
    wanted = above - stock * mean * gamma.sf(stock * mean, shape, scale=scale)
    assert demand.short(stock * mean) == pytest.approx(max(wanted, 0), abs=1e-6 * mean)


def test_hardly_any_doubt_is_nearly_normal() -> None:
    assert Demand(1e4, 1.0).quantile(0.95) == pytest.approx(1e4 + 1.6449, abs=1e-3)
    assert Demand(1e4, 1.0).short(1e4) == pytest.approx(1 / math.sqrt(2 * math.pi), abs=1e-2)


def test_the_quantile_is_that_of_an_exponential_where_both_are_equal() -> None:
    assert Demand(10, 10).quantile(0.95) == pytest.approx(-10 * math.log(0.05))
    assert Demand(10, 10).short(5) == pytest.approx(10 * math.exp(-0.5))


def test_without_doubt_or_demand_there_is_nothing_to_look_for() -> None:
    assert Demand(10, 0).quantile(0.99) == 10
    assert (Demand(10, 0).short(4), Demand(10, 0).short(11)) == (6, 0)
    assert (Demand(0, 0).quantile(0.99), Demand(0, 0).short(0)) == (0, 0)
    # Customers who wait are a stock below zero.
    assert Demand(10, 3).short(-2) == 12


@pytest.mark.parametrize("level", [0, 1, -0.5])
def test_a_service_level_lies_between_nothing_and_always(level: float) -> None:
    with pytest.raises(InvalidInput, match="service level"):
        Demand(10, 3).quantile(level)


@given(st.floats(0.1, 1e4), st.floats(0.01, 3), st.floats(0.5, 0.98))
def test_more_service_takes_more_stock_and_leaves_less_short(mean: float, variation: float, level: float) -> None:
    demand = Demand(mean, variation * mean)
    less, more = demand.quantile(level), demand.quantile(level + 0.01)
    assert 0 <= less < more
    assert demand.short(less) >= demand.short(more) >= 0


def test_an_outlook_adds_up_days_anywhere() -> None:
    found = outlook(1.0, 2.0, 3.0, 4.0, dispersions=(1.0, 1.5, 2.0, 2.5))
    assert found.over(3) == Demand(6.0, math.sqrt(12.0))
    assert found.over(2, 2) == Demand(7.0, math.sqrt(10.5))
    assert found.over(0) == Demand(0.0, 0.0)


@pytest.mark.parametrize(("days", "after"), [(5, 0), (2, 3), (-1, 0), (1, -1)])
def test_nothing_is_said_beyond_the_days(days: int, after: int) -> None:
    with pytest.raises(ValueError, match="4 days"):
        outlook(1, 2, 3, 4, dispersions=(1, 1, 1, 1)).over(days, after)
