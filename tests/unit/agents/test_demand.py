import math
from datetime import date
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.demand import METHOD, outlook
from core.purchasing import SalesHistory
from core.seasonal import foresee


def history(units: list[int]) -> SalesHistory:
    return SalesHistory("SKU-1", date(2026, 1, 1), tuple(units), (False,) * len(units))


def test_it_begins_on_the_day_after_the_last_and_shares_weeks_out_by_the_day() -> None:
    found = outlook(history([2] * 140), 10)
    assert (found.known_until, found.begins) == (date(2026, 5, 20), date(2026, 5, 21))
    assert found.daily == pytest.approx([2] * 10)
    assert (found.history, found.method, found.models) == (20, METHOD, ())
    assert (found.over(10).mean, found.over(10).sd) == pytest.approx((20, 0))


def test_uncertainty_grows_with_what_the_level_takes_up() -> None:
    units = [int(10 + 6 * math.sin(day)) + (day % 5) for day in range(200)]
    weight, dispersion = (getattr(foresee(np.array(units, float), 4), name) for name in ("weight", "dispersion"))
    found = outlook(history(units), 28)
    assert found.dispersions[:7] == pytest.approx([dispersion] * 7)
    # Over four weeks, 1 + 3 a + 3 * 7 / 6 a² times as much.
    assert found.dispersions[27] == pytest.approx(dispersion * (1 + 3 * weight + 3.5 * weight**2))


@given(st.lists(st.integers(0, 10_000), min_size=28, max_size=800), st.integers(1, 140))
def test_any_sales_give_an_outlook_in_which_more_days_are_more(units: list[int], days: int) -> None:
    found = outlook(history(units), days)
    assert len(found.daily) == len(found.dispersions) == days
    spans = [found.over(count) for count in range(0, days + 1, 3)]
    for less, more in pairwise(spans):
        assert 0 <= less.mean <= more.mean and 0 <= less.sd <= more.sd * (1 + 1e-9)
