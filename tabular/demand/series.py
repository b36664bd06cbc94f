"""What is forecast: series of equal steps, checked before anything is learned from them, and sorted by their kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput

Floats = NDArray[np.float64]
Kind = Literal["regular", "intermittent"]

FEWEST = 8
"""Values below which a series says nothing about what comes."""

MOST_GAP = 1.32
"""Mean steps between demands above which demand is intermittent (A. Syntetos, J. Boylan, J. Croston, Journal of the
Operational Research Society 56, 2005). How much the sizes vary, their second axis, changes no candidate here."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Demand at equal steps, oldest first. `times`, where given, is only checked for order and gaps."""

    name: str
    values: Floats
    times: NDArray[np.datetime64] | None = None


def check(panel: Sequence[Series], fewest: int = FEWEST) -> None:
    """Raise `InvalidInput`, with the series' name as `param`, for the first that cannot be forecast."""
    if not panel:
        raise InvalidInput("there is no series to forecast", param="panel")
    names: set[str] = set()
    for series in panel:
        fault = "comes twice" if series.name in names else _fault(series, fewest)
        if fault:
            raise InvalidInput(f"the series {series.name} {fault}", param=series.name)
        names.add(series.name)


def _fault(series: Series, fewest: int) -> str | None:
    values, times = series.values, series.times
    if values.ndim != 1:
        return f"must have one axis, not {values.ndim}"
    if len(values) < fewest:
        return f"has {len(values)} values, fewer than {fewest}"
    if not np.isfinite(values).all():
        return f"has no number at place {int(np.argmin(np.isfinite(values)))}"
    if (values < 0).any():
        return f"is negative at place {int(np.argmax(values < 0))}"
    if times is None:
        return None
    if len(times) != len(values):
        return f"has {len(times)} times for {len(values)} values"
    steps = np.diff(times)
    if np.isnat(times).any() or (steps <= np.timedelta64(0)).any():
        return "is not in order of time"
    return "has gaps or uneven steps" if (steps != steps[0]).any() else None


def kind(values: Floats) -> Kind:
    """Tell intermittent demand by the mean number of steps from one demand to the next."""
    demands = int(np.count_nonzero(values))
    return "intermittent" if demands * MOST_GAP < len(values) else "regular"
