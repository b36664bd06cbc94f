"""One gradient-boosted model for a whole panel: every series teaches it what the others repeat.

Each row is a step of the future as it was seen from an origin in the past: what was known then (the values one season
and more before the step, the latest values and means) in units of the series' own level, so that large and small series
teach alike. All steps come from one direct model, with the step among its features: nothing is fed back. This is the
recipe of the best entries of M5 (S. Makridakis, E. Spiliotis, V. Assimakopoulos, International Journal of Forecasting
38, 2022) at a small size. Needs LightGBM: callers import this file late.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import lightgbm
import numpy as np
from numpy.typing import NDArray

from tabular.demand.candidates import REPEATS, lookback

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

_STEPS = 12
_ROWS_ALONE = 24_000
"""Rows of a single series; more series need more, though not in proportion, until the bound is reached."""


@dataclass(frozen=True, slots=True)
class Trees:
    """Direct forecasts of `horizon` steps for series with these `seasons` (in steps, at least one).

    `mean` aims at the expectation (squared error), as intermittent demand needs, whose median is often zero; otherwise
    at the median of the difference to the value a longest season before (absolute error). `rows` bounds the training.
    """

    seasons: tuple[int, ...]
    mean: bool = False
    rows: int = 400_000
    rounds: int = 400
    seed: int = 0

    def forecast(self, panel: Sequence[Floats], horizon: int) -> list[Floats]:
        """Learn from all series of the panel, and foretell each. Series need `lookback` plus `horizon` values."""
        random = np.random.default_rng(self.seed)
        first = lookback(self.seasons, horizon)
        rows = min(self.rows, int(_ROWS_ALONE * math.sqrt(len(panel))))
        each = max(1, rows // (len(panel) * min(horizon, _STEPS)))
        seen, told = [], []
        for values in panel:
            possible = np.arange(first, len(values) - horizon + 1)
            origins = random.choice(possible, min(each, len(possible)), replace=False)
            steps = random.permuted(np.tile(np.arange(horizon), (len(origins), 1)), axis=1)[:, :_STEPS]
            features, level, shift = self._rows(values, origins, steps)
            seen.append(features)
            told.append(values[(origins[:, None] + steps).ravel()] / level - shift)
        data = lightgbm.Dataset(np.concatenate(seen), np.concatenate(told))
        model = lightgbm.train(self._parameters(), data, self.rounds)
        every = np.arange(horizon)[None]
        found = []
        for values in panel:
            features, level, shift = self._rows(values, np.array([len(values)]), every)
            found.append((np.asarray(model.predict(features), np.float64) + shift) * level)
        return found

    def _parameters(self) -> dict[str, object]:
        return {
            "objective": "l2" if self.mean else "l1",
            "num_leaves": 31,
            "learning_rate": 0.08,
            "min_data_in_leaf": 50,
            "feature_fraction": 0.7,
            "num_threads": 1,
            "deterministic": True,
            "seed": self.seed,
            "verbose": -1,
        }

    def _rows(self, values: Floats, origins: Places, steps: Places) -> tuple[Floats, Floats, Floats]:
        """Features (origins times steps, features), and for each row the level and what is added to the answer."""
        longest = max(self.seasons)
        sums = np.concatenate([[0.0], np.cumsum(values)])

        def recent(length: int, back: int = 0) -> Floats:
            mean: Floats = (sums[origins - back] - sums[origins - back - length]) / length
            return mean

        # Where demand is intermittent the latest season says too little of the level, and may be nothing at all.
        known = sums[origins] / origins
        level = known if self.mean else recent(longest)
        level = np.where(level > 0, level, np.where(known > 0, known, 1.0))
        target = origins[:, None] + steps
        last = origins[:, None] - 1
        columns = [steps.astype(np.float64)]
        shift = np.zeros(steps.shape)
        for place, season in enumerate(sorted(self.seasons)):
            same = target - season * (steps // season + 1)
            lagged = [values[same - repeat * season] for repeat in range(REPEATS if place == 0 else 2)]
            neighbours = [values[same - 1], values[np.minimum(same + 1, last)]]
            moved = values[last] - values[last - season]
            flat = [moved, recent(season)[:, None], (recent(season) - recent(season, season))[:, None]]
            columns += [each / level[:, None] for each in (*lagged, *neighbours)]
            columns += [np.broadcast_to(each / level[:, None], steps.shape) for each in flat]
            shift = lagged[0] / level[:, None]
        columns += [np.broadcast_to(values[last - back] / level[:, None], steps.shape) for back in (0, 1)]
        columns.append(np.broadcast_to((recent(longest) - known)[:, None] / level[:, None], steps.shape))
        features = np.stack(columns, axis=-1).reshape(-1, len(columns))
        if self.mean:
            shift = np.zeros(steps.shape)
        return features, np.repeat(level, steps.shape[1]), shift.ravel()
