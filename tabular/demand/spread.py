"""Quantiles of the steps to come, from the errors that the same combination made in its rolling origins.

A series' errors, each in units of a scale that grows with the step and with the size of the forecast, are its
distribution (a conformal interval in the sense of J. Lei and others, JASA 113, 2018, without its guarantee: a
series' errors are not exchangeable). Two numbers are taken from a grid by leaving each window out: how much the scale
follows the forecast's size, by the least pinball loss; and by how much all is widened, until the inner interval covers
as much of the windows left out as it should.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tabular.demand.measures import coverage, pinball

Floats = NDArray[np.float64]

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)

_POWERS = (0.0, 0.5, 1.0)
_WIDENINGS = (1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 2.0, 2.25, 2.5)
_INNER = (0.1, 0.9)
_FLOOR = 0.02
"""A forecast of nothing may still err: its size counts as at least this part of the series' mean."""


@dataclass(frozen=True, slots=True)
class Spread:
    """What turns means into quantiles, for a group of series that were chosen for together.

    `growth` (horizon) is the scale's rise with the step, `sizes` (series) their mean demand in the windows, `errors`
    (series, samples) the errors in units of the scale.
    """

    power: float
    widening: float
    growth: Floats
    sizes: Floats
    errors: Floats

    def quantiles(self, means: Floats, levels: Floats) -> Floats:
        """From means (series, horizon) to quantiles (series, levels, horizon), none below zero."""
        return _quantiles(
            self.errors * self.widening, _scale(means, self.sizes, self.growth, self.power), means, levels
        )


def learn(means: Floats, actuals: Floats) -> Spread:
    """Learn from combined forecasts and what came, both (series, windows, horizon)."""
    errors = actuals - means
    sizes = actuals.mean(axis=(1, 2))
    growth = _growth(errors)
    windows = range(means.shape[1])
    units = np.where(sizes > 0, sizes, 1.0)

    def left_out(power: float, widening: float, levels: Floats) -> list[Floats]:
        """Quantiles of each window by the errors of the others."""
        found = []
        for window in windows:
            rest = np.delete(np.arange(len(windows)), window)
            known = _units(errors[:, rest], means[:, rest], sizes, growth, power) * widening
            scale = _scale(means[:, window], sizes, growth, power)
            found.append(_quantiles(known, scale, means[:, window], levels))
        return found

    def loss(power: float) -> float:
        levels = np.array(LEVELS)
        found = left_out(power, 1.0, levels)
        return sum(float((pinball(actuals[:, each], found[each], levels) / units).mean()) for each in windows)

    def covers(widening: float) -> bool:
        found = left_out(power, widening, np.array(_INNER))
        inside = [coverage(actuals[:, each], found[each][:, 0], found[each][:, 1]).mean() for each in windows]
        return float(np.mean(inside)) >= _INNER[1] - _INNER[0]

    # A single window leaves nothing out to choose by.
    power, widening = 0.5, 1.5
    if len(windows) > 1:
        power = min(_POWERS, key=loss)
        enough = next((each for each in _WIDENINGS if covers(each)), _WIDENINGS[-1])
        # What few windows miss falls with their number, and what is used has one more than what was left out.
        widening = 1 + (enough - 1) * (len(windows) - 1) / len(windows)
    return Spread(power, widening, growth, sizes, _units(errors, means, sizes, growth, power))


def _growth(errors: Floats) -> Floats:
    """A straight line through the mean size of the errors by step, one at the mean and never falling."""
    size = np.abs(errors).mean(axis=1, dtype=np.float64)
    unit = size.mean(axis=1, keepdims=True)
    profile = (size / np.where(unit > 0, unit, 1.0)).mean(axis=0)
    steps = np.arange(len(profile), dtype=np.float64) - (len(profile) - 1) / 2
    square = float(steps @ steps)
    slope = float(np.clip(steps @ profile / square, 0, 1.8 / len(profile))) if square else 0.0
    return np.asarray(1 + slope * steps, np.float64)


def _scale(means: Floats, sizes: Floats, growth: Floats, power: float) -> Floats:
    """The scale of each step; `means` is (series, …, horizon)."""
    axes = (-1,) + (1,) * (means.ndim - 1)
    unit = np.where(sizes > 0, sizes, 1.0).reshape(axes)
    scale: Floats = growth * unit * np.maximum(means / unit, _FLOOR) ** power
    return scale


def _units(errors: Floats, means: Floats, sizes: Floats, growth: Floats, power: float) -> Floats:
    found: Floats = (errors / _scale(means, sizes, growth, power)).reshape(len(errors), -1)
    return found


def _quantiles(errors: Floats, scale: Floats, means: Floats, levels: Floats) -> Floats:
    line = np.quantile(errors, levels, axis=1).T
    return np.maximum(means[:, None] + line[:, :, None] * scale[:, None], 0.0)
