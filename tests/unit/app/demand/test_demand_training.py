from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from app.demand.training import horizon_of, rolling_metrics
from core.purchasing import Product
from tabular.demand.forecasting import Forecast

WINDOWS, HORIZON = 3, 14
KETTLE = Product("SKU-1", "Kettle", "kitchen", Decimal(9), Decimal(4), 1, 0, 21, "SUP-1")


def made(values: np.ndarray, share: float) -> Forecast:
    """A forecast that errs by this share of what the seasonal naive one errs by, at each step of the last windows."""
    begin = len(values) - WINDOWS * HORIZON
    starts = [begin + window * HORIZON for window in range(WINDOWS)]
    naive = np.stack([np.resize(values[start - 7 : start], HORIZON) for start in starts])
    errors = share * (values[begin:].reshape(WINDOWS, HORIZON) - naive)
    steps = np.zeros(HORIZON)
    return Forecast("x", "regular", steps, (0.5,), steps[None], {"theta": 1.0}, errors)


def test_errors_are_told_relative_to_the_seasonal_naive_method_s() -> None:
    random = np.random.default_rng(2)
    histories = {f"SKU-{place}": random.poisson(4.0, 120).astype(float) for place in range(5)}
    for share in (0.25, 1.0):
        found = rolling_metrics({name: made(each, share) for name, each in histories.items()}, histories)
        relative = found["rolling/rmsse-of-snaive"]
        assert relative.interval.value == pytest.approx(share)
        assert (relative.interval.low, relative.interval.high) == pytest.approx((share, share))
        assert (relative.interval.cases, relative.gates, relative.lower_is_better) == (WINDOWS, True, True)
    # Sums of a week, in units of how they change from week to week before the windows.
    [values] = (histories["SKU-0"],)
    own = rolling_metrics({"SKU-0": made(values, 1.0)}, {"SKU-0": values})["rolling/rmsse"]
    sums = values[120 % 7 :].reshape(-1, 7).sum(axis=1)
    past, ahead = sums[:-6], sums[-6:]
    naive = np.repeat([past[-1], ahead[1], ahead[3]], 2)
    wanted = np.sqrt(np.square(ahead - naive).mean() / np.square(np.diff(past)).mean())
    assert own.interval.value == pytest.approx(wanted)
    assert not own.gates


@pytest.mark.parametrize(("lead", "stale", "weeks"), [(21, 14, 13), (54, 14, 15), (54, 7, 14), (400, 14, 26)])
def test_forecasts_reach_over_the_longest_interval_when_they_are_oldest(lead: int, stale: int, weeks: int) -> None:
    assert horizon_of([KETTLE, replace(KETTLE, lead_time_days=lead)], stale) == 7 * weeks
    assert horizon_of([], stale) == 7 * 13
