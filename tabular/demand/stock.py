"""From a forecast to an order: the quantile of the demand until the next goods come.

What is in the warehouse or on order has to last for the protection interval: the time to the next look at the stock and
the lead time after it (E. Silver, D. Pyke, D. Thomas: Inventory and Production Management in Supply Chains, 4th ed.
2017, chapter 6). The quantile of a sum is not the sum of quantiles, so the interval's demand gets a distribution of its
own: a gamma with the forecast's mean, which is never negative and skewed where demand is slow (T. Burgin, Operational
Research Quarterly 26, 1975), and the variance that sums of as many steps had in the rolling origins.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import gamma

from core.errors import InvalidInput
from tabular.demand.forecasting import Forecast


@dataclass(frozen=True, slots=True)
class ProtectionDemand:
    """Pieces wanted in the next `steps` together: mean and standard deviation."""

    steps: int
    mean: float
    sd: float

    def quantile(self, level: float) -> float:
        """The demand that is not exceeded with this chance, in pieces. Raises `InvalidInput` outside of (0, 1)."""
        if not 0 < level < 1:
            raise InvalidInput(f"a service level lies between 0 and 1, not at {level}", param="service_level")
        if self.mean <= 0:
            return 0.0
        if self.sd <= 0:
            return self.mean
        shape = (self.mean / self.sd) ** 2
        return float(gamma.ppf(level, shape, scale=self.mean / shape))


def protection_demand(forecast: Forecast, steps: int) -> ProtectionDemand:
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
    return ProtectionDemand(steps, mean, math.sqrt(max(float(np.square(runs).mean()), mean)))


@dataclass(frozen=True, slots=True)
class Reorder:
    """What to order, and the numbers it follows from, in pieces. `quantity` is whole, and 0 where there is enough."""

    demand: ProtectionDemand
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
