"""The year's swing of weekly sales, and the level beneath it: arithmetic that forecasts in several rooms share.

The swing is one wave of sine and cosine, fitted to the weekly sums by Poisson regression; a ridge on it keeps
products that hardly sell from being given a season by chance. What is left after dividing by the wave follows simple
exponential smoothing, whose weight is the one with the least squared one-step errors. (R. Hyndman, G. Athanasopoulos:
Forecasting, Principles and Practice, 3rd ed. 2021: harmonic regression in 10.5, exponential smoothing in 8.1.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FEWEST_WEEKS = 4

_YEAR = 365.25 / 7
_WARM_UP = 8
_RIDGE = 5.0
_ROUNDS = 15
_WEIGHTS = np.linspace(0.02, 0.6, 30)


@dataclass(frozen=True, slots=True, eq=False)
class Foreseen:
    """Weeks to come: expected pieces of each, the present `level` without the season, and the smoothing's `weight`.

    The variance of a week's demand is `dispersion` times its expectation. `history` is the number of weeks read.
    """

    weeks: Floats
    level: float
    weight: float
    dispersion: float
    history: int


def foresee(units: Floats, weeks: int) -> Foreseen:
    """Foretell the `weeks` after the last of these days (the oldest first), of which there are four weeks at least.

    A season is looked for when there is more than a year of sales.
    """
    sales = weekly(units)
    wave = _wave(sales, len(sales) + weeks)
    past = wave[: len(sales)]
    weight, levels = _smoothed(sales / past)
    expected = levels[:-1] * past
    # The first weeks start from a guess of the level, and say nothing about the errors.
    learnt = slice(min(_WARM_UP, len(sales) // 2), None)
    told = float(expected[learnt].sum())
    dispersion = float(np.square(sales - expected)[learnt].sum()) / told if told > 0 else 0.0
    level = float(levels[-1])
    return Foreseen(level * wave[len(sales) :], level, weight, dispersion, len(sales))


def weekly(units: Sequence[int] | Floats) -> Floats:
    """Sums of seven days each, ending on the last day; days before the first whole week are left out."""
    days = np.asarray(units, dtype=np.float64)
    sums: Floats = days[len(days) % 7 :].reshape(-1, 7).sum(axis=1)
    return sums


def _wave(sales: Floats, length: int) -> Floats:
    """How many times an ordinary week's sales each week brings; ones where no season can be told."""
    if len(sales) <= _YEAR or not sales.any():
        return np.ones(length)
    angle = 2 * np.pi * np.arange(length) / _YEAR
    terms = np.column_stack([np.ones(length), np.sin(angle), np.cos(angle)])
    known = terms[: len(sales)]
    ridge = np.diag([0.0, _RIDGE, _RIDGE])
    factors = np.array([math.log(sales.mean()), 0.0, 0.0])
    # Iteratively reweighted least squares.
    for _ in range(_ROUNDS):
        linear = np.clip(known @ factors, -10, 10)
        mean = np.exp(linear)
        weighted = (known * mean[:, None]).T
        factors = np.linalg.solve(weighted @ known + ridge, weighted @ (linear + (sales - mean) / mean))
    swing: Floats = np.exp(np.clip(terms[:, 1:] @ factors[1:], -3, 3))
    return swing


def _smoothed(series: Floats) -> tuple[float, Floats]:
    """The best weight, and the level before each week and after the last."""
    start = min(_WARM_UP, len(series) // 2)
    levels = np.empty((len(series) + 1, len(_WEIGHTS)))
    levels[0] = series[:start].mean()
    for week, value in enumerate(series):
        levels[week + 1] = levels[week] + _WEIGHTS * (value - levels[week])
    errors = np.square(series[:, None] - levels[:-1])[start:].sum(axis=0)
    best = int(errors.argmin())
    return float(_WEIGHTS[best]), levels[:, best]
