"""Which models compete for which kind of series. Nothing heavy is imported here; `opened` does that late."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.errors import MissingExtra
from tabular.demand.series import Kind
from tabular.demand.yearly import FEWEST, WEEK, Yearly

Floats = NDArray[np.float64]


class Model(Protocol):
    """What competes."""

    def forecast(self, panel: Sequence[Floats], horizon: int) -> list[Floats]:
        """Foretell the `horizon` steps after each series; not finite where it could not."""


REPEATS = 4
"""How many of the shortest seasons the trees look back upon; of every other it is two."""


def lookback(seasons: tuple[int, ...], horizon: int) -> int:
    """Values before an origin that the trees look at."""
    repeats = [REPEATS] + [2] * (len(seasons) - 1)
    return max(season * (-(-horizon // season) + each) for season, each in zip(sorted(seasons), repeats, strict=True))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model by name; `opens` makes it for the seasons, and imports its library.

    `fewest` is how many values it takes, for these seasons and a horizon. `only` is for how many seasons it stands:
    one, several (2), or either (0).
    """

    name: str
    opens: Callable[[tuple[int, ...]], Model]
    fewest: Callable[[tuple[int, ...], int], int]
    only: int = 0

    def fits(self, length: int, seasons: tuple[int, ...], horizon: int) -> bool:
        """Whether it stands for series of that length and these seasons."""
        return self.only in (0, min(len(seasons), 2)) and length >= self.fewest(seasons, horizon)


def _seasons(count: int, rest: int = 0) -> Callable[[tuple[int, ...], int], int]:
    return lambda seasons, _: count * max(seasons) + rest


def _passed(seasons: tuple[int, ...], horizon: int) -> int:
    # Futures that have passed are what the trees learn from, beyond what they look back upon: some of them at least.
    return lookback(seasons, horizon) + horizon + 4


def _classical(name: str) -> Callable[[tuple[int, ...]], Model]:
    def opens(seasons: tuple[int, ...]) -> Model:
        if find_spec("statsforecast") is None:
            raise MissingExtra("statsforecast", "tabular")
        from tabular.demand.classical import Classical

        return Classical(name, seasons)

    return opens


def _trees(*, mean: bool) -> Callable[[tuple[int, ...]], Model]:
    def opens(seasons: tuple[int, ...]) -> Model:
        if find_spec("lightgbm") is None:
            raise MissingExtra("lightgbm", "tabular")
        from tabular.demand.trees import Trees

        return Trees(seasons, mean=mean)

    return opens


def _days(seasons: tuple[int, ...], _: int) -> int:
    # Steps whose one season is seven of them are taken for days, whose year is known.
    return FEWEST if seasons == (WEEK,) else sys.maxsize


SEASONAL_NAIVE = Candidate("seasonal_naive", _classical("seasonal_naive"), _seasons(1))

REGULAR = (
    SEASONAL_NAIVE,
    Candidate("short_naive", _classical("short_naive"), _seasons(1), only=2),
    Candidate("mstl_ets", _classical("mstl_ets"), _seasons(2, 8)),
    Candidate("theta", _classical("theta"), _seasons(2, 8), only=1),
    Candidate("trees", _trees(mean=False), _passed),
)
"""Last season's values, decomposition with exponential smoothing, theta, and one model of the whole panel. For M4's
hourly series, in rolling origins of their training part, more of them made it worse (docs/forecasting.md)."""

INTERMITTENT = (
    SEASONAL_NAIVE,
    *(
        Candidate(name, _classical(name), _seasons(0))
        for name in ("croston", "croston_optimized", "croston_sba", "tsb", "adida", "imapa", "mean")
    ),
    Candidate("seasonal_mean", _classical("seasonal_mean"), _seasons(4)),
    Candidate("trees", _trees(mean=True), _passed),
)
"""The family of Croston and what aggregates over time. Those foretell one number for all steps; the seasonal ones are
for demand whose gaps keep to a calendar, as closing hours do."""


def candidates(kind: Kind, length: int, seasons: tuple[int, ...], horizon: int) -> tuple[Candidate, ...]:
    """Those for a series of this kind of which `length` values may be learned from; perhaps none."""
    table = INTERMITTENT if kind == "intermittent" else REGULAR
    return tuple(each for each in table if each.fits(length, seasons, horizon))


YEARLY = Candidate("yearly", lambda _: Yearly(), _days)


def for_sums(kind: Kind, length: int, seasons: tuple[int, ...], horizon: int) -> tuple[Candidate, ...]:
    """Those that are tried where sums of weeks are asked for and training has to be a matter of a minute.

    Decomposition and trees take most of the time, and are at their best within the week; a year's wave (`yearly.py`)
    is at its best beyond it.
    """
    quick = [each for each in candidates(kind, length, seasons, horizon) if each.name not in ("mstl_ets", "trees")]
    return (*quick, YEARLY) if YEARLY.fits(length, seasons, horizon) else tuple(quick)
