"""Naive2, the reference of M4: the last value, adjusted for a season where a test finds one.

After the competition's own description and R code (S. Makridakis and others, International Journal of Forecasting 36,
2020): a 90 % test of the autocorrelation at the season, R's `decompose` of the multiplicative kind.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_CRITICAL = 1.645


def naive2(history: Floats, season: int, horizon: int) -> Floats:
    """Foretell `horizon` steps. Without a season that the test finds, this is the last value."""
    if not is_seasonal(history, season):
        return np.full(horizon, history[-1])
    figure = seasonal_indices(history, season)
    phases = (len(history) + np.arange(horizon)) % season
    found: Floats = history[-1] / figure[(len(history) - 1) % season] * figure[phases]
    return found


def is_seasonal(history: Floats, season: int) -> bool:
    """Whether the autocorrelation at the season is beyond its 90 % limit (Bartlett's); no for under three seasons."""
    if season <= 1 or len(history) < 3 * season or (history <= 0).any():
        return False
    centred = history - history.mean()
    variance = float(centred @ centred)
    if variance == 0:
        return False
    correlations = np.array([centred[lag:] @ centred[:-lag] for lag in range(1, season + 1)]) / variance
    limit = _CRITICAL * math.sqrt((1 + 2 * float(np.square(correlations[:-1]).sum())) / len(history))
    return bool(abs(correlations[-1]) > limit)


def seasonal_indices(history: Floats, season: int) -> Floats:
    """How many times the trend each phase is, the phase of the first value first; their mean is one.

    The trend is the moving average over one season, centred; an even season counts both its ends half.
    """
    window = np.ones(season) if season % 2 else np.concatenate([[0.5], np.ones(season - 1), [0.5]])
    trend = np.convolve(history, window / season, mode="valid")
    start = len(window) // 2
    ratios = np.full(-(-len(history) // season) * season, np.nan)
    ratios[start : start + len(trend)] = history[start : start + len(trend)] / trend
    figure: Floats = np.nanmean(ratios.reshape(-1, season), axis=0)
    figure /= figure.mean()
    return figure
