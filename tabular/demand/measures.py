"""How far forecasts are from what came: point measures, scaled ones, and those of quantiles.

Arrays may have any number of leading axes; the last one is time, and it is averaged over. sMAPE, MASE and OWA are those
of the M4 competition (S. Makridakis, E. Spiliotis, V. Assimakopoulos, International Journal of Forecasting 36, 2020).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def smape(actual: Floats, forecast: Floats) -> Floats:
    """Symmetric mean absolute percentage error, 0 to 200. Where both are zero the forecast is right, and it is 0."""
    size = np.abs(actual) + np.abs(forecast)
    return _mean(np.divide(200 * np.abs(actual - forecast), size, out=np.zeros(np.shape(size)), where=size > 0))


def absolute_scale(history: Floats, season: int) -> float:
    """MASE's unit: the mean absolute error of last season's value within the history. One where that never erred."""
    return _unit(float(np.abs(history[season:] - history[:-season]).mean()))


def square_scale(history: Floats) -> float:
    """RMSSE's unit: the root mean square of the changes from step to step. One where nothing ever changed.

    Leading zeros are left out, as in M5: there was no such product yet.
    """
    begun = int(np.argmax(history > 0))
    changes = np.diff(history[begun:])
    return _unit(float(np.sqrt(np.square(changes).mean())) if changes.size else 0.0)


def mase(actual: Floats, forecast: Floats, scale: Floats | float) -> Floats:
    """Mean absolute error in units of `scale` (R. Hyndman, A. Koehler, Int. J. of Forecasting 22, 2006)."""
    return np.asarray(_mean(np.abs(actual - forecast)) / scale, np.float64)


def rmsse(actual: Floats, forecast: Floats, scale: Floats | float) -> Floats:
    """Root mean squared error in units of `scale`: the measure of M5.

    It suits intermittent demand, because what makes it small is the expectation. An absolute error is smallest at the
    median, which is zero where most steps sell nothing: MASE rewards whoever forecasts that nothing will ever be sold
    (S. Kolassa, International Journal of Forecasting 32, 2016).
    """
    return np.asarray(np.sqrt(_mean(np.square(actual - forecast))) / scale, np.float64)


def owa(smapes: Floats, mases: Floats, naive_smapes: Floats, naive_mases: Floats) -> float:
    """M4's overall weighted average: means over the series of both measures, over Naive2's, averaged."""
    return 0.5 * float(smapes.mean() / naive_smapes.mean() + mases.mean() / naive_mases.mean())


def pinball(actual: Floats, quantiles: Floats, levels: Floats) -> Floats:
    """Mean pinball loss over levels and time. `quantiles` has levels before time: (…, levels, time)."""
    above = actual[..., None, :] - quantiles
    column = levels[:, None]
    return _mean(np.maximum(column * above, (column - 1) * above).mean(axis=-2))


def coverage(actual: Floats, low: Floats, high: Floats) -> Floats:
    """The share of steps that lie within the interval, its ends included."""
    return _mean(((low <= actual) & (actual <= high)).astype(np.float64))


def _mean(values: Floats) -> Floats:
    return np.asarray(values.mean(axis=-1), np.float64)


def _unit(scale: float) -> float:
    return scale if scale > 0 else 1.0
