"""A year's season of daily demand, from the weekly sums, where single days are too few to show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.seasonal import FEWEST_WEEKS, foresee

Floats = NDArray[np.float64]

WEEK = 7
FEWEST = FEWEST_WEEKS * WEEK

_PRIOR = 50.0
"""Pieces that the panel's share of each weekday counts for beside a series' own."""


@dataclass(frozen=True, slots=True)
class Yearly:
    """The weekly sums with the year's wave and a level (`core.seasonal`), shared out over the days of the week.

    A series' week is its own as far as it has sold enough to know it, and the panel's beyond. Without more than a year
    of demand there is no wave, and the level alone is what it foretells.
    """

    def forecast(self, panel: Sequence[Floats], horizon: int) -> list[Floats]:
        """Foretell each daily series; they have `FEWEST` values at least and may begin on different days."""
        weeks = -(-horizon // WEEK)
        found = []
        # The days of all series are counted from the last one back: a panel ends on one day.
        own = [_by_weekday(values) for values in panel]
        every = np.sum(own, axis=0)
        shares = every / every.sum() if every.sum() > 0 else np.full(WEEK, 1 / WEEK)
        for values, days in zip(panel, own, strict=True):
            week = (days + _PRIOR * shares) / (days.sum() + _PRIOR)
            sums = foresee(values, weeks).weeks
            found.append((sums[:, None] * week).ravel()[:horizon])
        return found


def _by_weekday(values: Floats) -> Floats:
    """Sums by the day of the week, the first one being the day after the last value's."""
    found: Floats = values[len(values) % WEEK :].reshape(-1, WEEK).sum(axis=0)
    return found
