"""From a forecast to an order: the quantile of the demand until the next goods come.

What is in the warehouse or on order has to last for the protection interval: the time to the next look at the stock and
the lead time after it (E. Silver, D. Pyke, D. Thomas: Inventory and Production Management in Supply Chains, 4th ed.
2017, chapter 6). The quantile of a sum is not the sum of quantiles, so the interval's demand gets a distribution of its
own: a gamma with the forecast's mean, which is never negative and skewed where demand is slow (T. Burgin, Operational
Research Quarterly 26, 1975), and the variance that sums of as many steps had in the rolling origins.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.demand import Demand
from core.errors import InvalidInput
from tabular.demand.forecasting import Forecast

Floats = NDArray[np.float64]

_NOTHING = 1e-6
_SHRINK = 3
"""Windows that the panel's excess variance counts for beside a series' own."""


def protection_demand(forecast: Forecast, steps: int) -> Demand:
    """The demand of the next `steps`, at most the horizon (`InvalidInput`).

    The variance is the mean square of the errors' sums over every run of `steps` within a window, bias included; no
    less than the mean, as pieces wanted independently of each other have it.
    """
    horizon = len(forecast.mean)
    if not 1 <= steps <= horizon:
        raise InvalidInput(f"the forecast of {forecast.name} reaches 1 to {horizon} steps, not {steps}", param="steps")
    mean = float(forecast.mean[:steps].sum())
    sums = np.cumsum(np.pad(forecast.errors, ((0, 0), (1, 0))), axis=1)
    runs = sums[:, steps:] - sums[:, :-steps]
    return Demand(mean, math.sqrt(max(float(np.square(runs).mean()), mean)))


def dispersions(found: Mapping[str, Forecast], histories: Mapping[str, Floats]) -> Floats:
    """Variance over expectation of the first 1, 2, … `horizon` steps' sums: (series, horizon), in the order of `found`.

    `histories` are the values that the models were chosen by. What counts are the sums from each window's beginning:
    an order is decided at a beginning, and later runs of a long window err by more. Their mean square exceeds the
    variance of pieces wanted independently of each other by some multiple of the squared expectation. Few windows tell
    little of it, so that of three half is the series' own, and half is the panel's median.
    """
    squares, expected, windows = [], [], []
    for name, each in found.items():
        count, horizon = each.errors.shape
        told = histories[name][-count * horizon :].reshape(count, horizon) - each.errors
        squares.append(np.square(each.errors.cumsum(axis=1)).mean(axis=0))
        expected.append(told.cumsum(axis=1).mean(axis=0))
        windows.append([count])
    means = np.maximum(np.stack(expected), 0.0)
    own = np.array(windows, np.float64)
    beyond = np.maximum(np.stack(squares) - means, 0.0)
    excess = np.divide(beyond, means**2, out=np.zeros_like(means), where=means > _NOTHING)
    spread: Floats = 1 + (own * excess + _SHRINK * np.median(excess, axis=0)) / (own + _SHRINK) * means
    return spread


@dataclass(frozen=True, slots=True)
class Reorder:
    """What to order, and the numbers it follows from, in pieces. `quantity` is whole, and 0 where there is enough."""

    demand: Demand
    service_level: float
    order_up_to: int
    position: float
    quantity: int


def reorder(
    forecast: Forecast, *, position: float, lead_steps: int, review_steps: int, service_level: float
) -> Reorder:
    """How much to order now, so that with the chance `service_level` nothing is short until the next goods come.

    `position` is stock plus what is on order minus what customers wait for.
    """
    demand = protection_demand(forecast, lead_steps + review_steps)
    # A rounding error of the sum is no piece.
    level = math.ceil(round(demand.quantile(service_level), 6))
    return Reorder(demand, service_level, level, position, max(0, math.ceil(level - position)))
