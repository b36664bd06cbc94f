"""Forecasts of a panel as they are kept to be served: what they say of the days to come, with no model left in them.

Numpy is all that reading them takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tabular.demand.forecasting import Forecast
from tabular.demand.stock import dispersions

Floats = NDArray[np.float64]

_LEAST = 1e-3


@dataclass(frozen=True, eq=False)
class Prepared:
    """Forecasts of the days after `origin`, by name.

    `means` (series, horizon) are pieces a day. The variance of the sum of n days is its expectation times
    `dispersions[:, n - 1]`. `histories` (series) are the days that were known, `shares` what each model counted for.
    """

    origin: date
    names: tuple[str, ...]
    means: Floats
    dispersions: Floats
    histories: NDArray[np.int64]
    shares: tuple[Mapping[str, float], ...]

    @property
    def horizon(self) -> int:
        """How many days it reaches."""
        return int(self.means.shape[1])

    @cached_property
    def places(self) -> Mapping[str, int]:
        """The row of each name."""
        return {name: place for place, name in enumerate(self.names)}


def prepare(found: Mapping[str, Forecast], histories: Mapping[str, Floats], origin: date) -> Prepared:
    """Keep what forecasts of the days after `origin` say; `histories` are what they were made of."""
    return Prepared(
        origin=origin,
        names=tuple(found),
        means=np.stack([each.mean for each in found.values()]),
        dispersions=dispersions(found, histories),
        histories=np.array([len(histories[name]) for name in found]),
        shares=tuple(_counting(each.shares) for each in found.values()),
    )


def _counting(shares: Mapping[str, float]) -> dict[str, float]:
    """Without what counts for less than a thousandth; there are never so many models that all do."""
    return {name: share for name, share in shares.items() if share >= _LEAST}
