"""Models of statsforecast, one series after the other. Imports statsforecast and pandas: callers import this late."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas
from numpy.typing import NDArray
from statsforecast import StatsForecast, models

Floats = NDArray[np.float64]

# R's stl() smooths at every tenth point of its windows and interpolates between; here at a tenth of the smallest ones.
_JUMPS = {"seasonal_jump": 2, "trend_jump": 5, "low_pass_jump": 3}

_SMOOTHING = 0.1  # of TSB: within the range of .1 to .3 that R. Teunter, A. Syntetos, M. Babai (2011) advise
_WEEKS = 4


def _mstl(seasons: tuple[int, ...]) -> object:
    trend = models.AutoETS(model="ZZN")
    if max(seasons) == 1:
        return trend
    return models.MSTL(list(seasons), trend_forecaster=trend, stl_kwargs=_JUMPS)


BUILDERS: dict[str, Callable[[tuple[int, ...]], object]] = {
    "seasonal_naive": lambda seasons: models.SeasonalNaive(max(seasons)),
    "short_naive": lambda seasons: models.SeasonalNaive(min(seasons)),
    "seasonal_mean": lambda seasons: models.SeasonalWindowAverage(max(seasons), _WEEKS),
    "mstl_ets": _mstl,
    "theta": lambda seasons: models.DynamicOptimizedTheta(max(seasons)),
    "croston": lambda _: models.CrostonClassic(),
    "croston_optimized": lambda _: models.CrostonOptimized(),
    "croston_sba": lambda _: models.CrostonSBA(),
    "tsb": lambda _: models.TSB(_SMOOTHING, _SMOOTHING),
    "adida": lambda _: models.ADIDA(),
    "imapa": lambda _: models.IMAPA(),
    "mean": lambda _: models.HistoricAverage(),
}
"""Models by the name of their candidate, for seasons in steps, the shortest first."""


class Classical:
    """One model of the table above, on one thread. A series that it fails on gets the seasonal naive forecast."""

    def __init__(self, name: str, seasons: tuple[int, ...]) -> None:
        self._engine = StatsForecast(
            models=[BUILDERS[name](seasons)],
            freq=1,
            n_jobs=1,
            fallback_model=models.SeasonalNaive(max(seasons)),
        )

    def forecast(self, panel: Sequence[Floats], horizon: int) -> list[Floats]:
        """Foretell each series."""
        found = self._engine.forecast(horizon, frame(panel))
        values = found.drop(columns=["unique_id", "ds"]).to_numpy(np.float64)
        return list(values.reshape(len(panel), horizon))


def frame(panel: Sequence[Floats]) -> pandas.DataFrame:
    """The panel in the long form that statsforecast reads, series and steps numbered."""
    lengths = [len(values) for values in panel]
    return pandas.DataFrame(
        {
            "unique_id": np.repeat(np.arange(len(panel)), lengths),
            "ds": np.concatenate([np.arange(length) for length in lengths]),
            "y": np.concatenate(panel),
        }
    )
