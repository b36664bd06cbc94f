import numpy as np
import pytest

from tabular.demand.candidates import candidates, for_sums
from tabular.demand.yearly import Yearly

WEEK = np.array([1.0, 1, 1, 1, 2, 3, 0])


def test_a_year_and_a_week_are_foretold_together() -> None:
    days = np.arange(730 + 56)
    mean = 10 * np.exp(0.7 * np.cos(2 * np.pi * days / 365.25)) * np.resize(WEEK, len(days))
    units = np.random.default_rng(3).poisson(mean).astype(float)
    (found,) = Yearly().forecast([units[:730]], 56)
    assert found.shape == (56,)
    assert found.sum() == pytest.approx(mean[730:].sum(), rel=0.08)
    assert np.abs(found - mean[730:]).mean() < 0.12 * mean[730:].mean()


def test_a_week_that_is_hardly_known_is_the_panel_s() -> None:
    shop = np.resize(WEEK, 140) * 50
    rare = np.zeros(140)
    rare[3] = 1
    _, found = Yearly().forecast([shop, rare], 7)
    # The day after 140 days is the first of the week again.
    assert found / found.sum() == pytest.approx(WEEK / WEEK.sum(), abs=0.02)
    # Nobody has sold: every day alike.
    assert Yearly().forecast([np.zeros(30)], 3)[0].tolist() == [0, 0, 0]


def names(*asked: object) -> set[str]:
    return {each.name for each in for_sums(*asked)}  # type: ignore[arg-type]  # each of its own type


def test_it_stands_for_days_only() -> None:
    assert "yearly" in names("intermittent", 28, (7,), 28)
    assert "yearly" in names("regular", 700, (7,), 28)
    for length, seasons in ((27, (7,)), (7000, (24, 168)), (700, (12,)), (7000, (7, 365))):
        assert "yearly" not in names("regular", length, seasons, 14)


def test_sums_are_tried_with_what_is_quick() -> None:
    for kind in ("regular", "intermittent"):
        every = {each.name for each in candidates(kind, 700, (7,), 28)}
        assert names(kind, 700, (7,), 28) == every - {"trees", "mstl_ets"} | {"yearly"}
