"""Intervals by resampling the cases: how far a metric would move had other questions been asked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.gates import Interval as Interval

RESAMPLES = 2000
_BLOCK = 4_000_000


def bootstrap(scores: Sequence[float], *, seed: int, resamples: int = RESAMPLES) -> Interval:
    """The percentile bootstrap of the mean (Efron 1979). Equal scores and seed give an equal interval.

    Where every case scores the same the interval has no width; three over the number of cases is then a fair
    bound. Raises `ValueError` without scores.
    """
    values = np.asarray(scores, dtype=np.float64)
    if not values.size:
        raise ValueError("no case was scored, so there is no mean")
    rng = np.random.default_rng(seed)
    # A block of resamples at a time, or a large data set would take gigabytes.
    rows = max(1, _BLOCK // values.size)
    means = np.concatenate(
        [
            values[rng.integers(values.size, size=(min(rows, resamples - done), values.size))].mean(axis=1)
            for done in range(0, resamples, rows)
        ]
    )
    low, high = np.percentile(means, [2.5, 97.5])
    # Rounding in the last bit may put the mean of equal values outside its own interval.
    mean = float(values.mean())
    return Interval(mean, min(float(low), mean), max(float(high), mean), int(values.size))
