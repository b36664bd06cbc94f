"""The way in: choose models for a panel once, forecast as often as new demand comes in.

::

    chosen = choose(panel, seasons=(7,), horizon=28)     # minutes for hundreds of series; worth keeping
    forecasts = chosen.forecast(panel)                    # a fraction of that
    forecasts["SKU-0137"].mean, forecasts["SKU-0137"].quantile(0.9)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from tabular.demand import choice
from tabular.demand.candidates import Candidate, Model, candidates
from tabular.demand.series import FEWEST, Kind, Series, check, kind
from tabular.demand.spread import LEVELS, Spread, learn

Floats = NDArray[np.float64]

Offer = Callable[[Kind, int, tuple[int, ...], int], tuple[Candidate, ...]]
"""From kind, length of history, seasons and horizon to the candidates, as `candidates.candidates` does."""

WINDOWS = 3
MOST_HORIZON = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """A series' next steps: `mean` (horizon), `quantiles` (levels, horizon) at `levels`; nothing is below zero.

    `shares` says how much each candidate counts. `errors` (windows, horizon) are those of its rolling
    origins, actual minus forecast, each window's with the shares that the others chose.
    """

    name: str
    kind: Kind
    mean: Floats
    levels: tuple[float, ...]
    quantiles: Floats
    shares: Mapping[str, float]
    errors: Floats

    def quantile(self, level: float) -> Floats:
        """The quantile of each step on its own. Raises `InvalidInput` for a level that was not asked for."""
        if level not in self.levels:
            raise InvalidInput(f"no quantile {level}; there are: {', '.join(map(str, self.levels))}", param="level")
        found: Floats = self.quantiles[self.levels.index(level)]
        return found


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """Series of one kind for which the same candidates are able."""

    kind: Kind
    names: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    models: tuple[Model, ...]
    shares: Floats
    errors: Floats
    spread: Spread


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """What was chosen for the series of a panel. It holds weights and past errors, no fitted model."""

    seasons: tuple[int, ...]
    horizon: int
    groups: tuple[_Group, ...]

    def forecast(self, panel: Sequence[Series], levels: Sequence[float] = LEVELS) -> dict[str, Forecast]:
        """Foretell each series' next steps, the models fitted to what is known now.

        The panel has the same series, which may have grown since. Raises `InvalidInput` for others, for levels not
        between 0 and 1, and as `check` does.
        """
        if not levels or not all(0 < level < 1 for level in levels):
            raise InvalidInput("levels lie between 0 and 1", param="levels")
        check(panel, FEWEST)
        given = {series.name: series.values for series in panel}
        known = {name for group in self.groups for name in group.names}
        for name in sorted(given.keys() ^ known):
            why = "was not there when models were chosen" if name in given else "is missing"
            raise InvalidInput(f"the series {name} {why}", param=name)
        found: dict[str, Forecast] = {}
        for group in self.groups:
            every = choice.together(group.models, [given[name] for name in group.names], self.horizon)
            means = choice.combine(every, group.shares)
            quantiles = group.spread.quantiles(means, np.array(levels))
            for place, name in enumerate(group.names):
                shares = {
                    each.name: float(share)
                    for each, share in zip(group.candidates, group.shares[place], strict=True)
                    if share > 0
                }
                found[name] = Forecast(
                    name, group.kind, means[place], tuple(levels), quantiles[place], shares, group.errors[place]
                )
        return {series.name: found[series.name] for series in panel}


def choose(
    panel: Sequence[Series],
    seasons: Sequence[int],
    horizon: int,
    windows: int = WINDOWS,
    offer: Offer = candidates,
    together: int | None = None,
) -> Chosen:
    """Choose by rolling origin, series by series. `seasons` are lengths in steps: (24, 168) for hours, () for none.

    With `together`, sums of so many steps are judged, and all series of a kind get the same shares. The last
    `windows` horizons of each series decide; a shorter series has fewer, at least one. Raises `InvalidInput` naming
    the series for what cannot be forecast, and `MissingExtra` without the packages.
    """
    if not 1 <= horizon <= MOST_HORIZON:
        raise InvalidInput(f"the horizon is between 1 and {MOST_HORIZON} steps, not {horizon}", param="horizon")
    if together is not None and not 1 <= together <= horizon:
        raise InvalidInput(f"sums are of 1 to {horizon} steps, not {together}", param="together")
    if any(season < 1 for season in seasons) or windows < 1:
        raise InvalidInput("seasons and windows are at least 1", param="seasons")
    periods = tuple(sorted(set(seasons))) or (1,)
    check(panel, horizon + max(FEWEST, periods[-1] + 1))
    members: dict[tuple[Kind, tuple[Candidate, ...], int], list[Series]] = {}
    for series in panel:
        most = min(windows, (len(series.values) - max(FEWEST, periods[-1] + 1)) // horizon)
        sort = kind(series.values)
        # A series that would have one window with all candidates or three with a few takes the three.
        able = offer(sort, len(series.values) - most * horizon, periods, horizon)
        members.setdefault((sort, able, most), []).append(series)
    groups = [_chosen(*key, each, periods, horizon, together) for key, each in members.items()]
    return Chosen(periods, horizon, tuple(groups))


def _chosen(
    sort: Kind,
    able: tuple[Candidate, ...],
    windows: int,
    panel: list[Series],
    seasons: tuple[int, ...],
    horizon: int,
    together: int | None,
) -> _Group:
    models = tuple(candidate.opens(seasons) for candidate in able)
    values = [series.values for series in panel]
    forecasts, actuals = choice.rolling(models, values, horizon, windows)
    histories = [each[: len(each) - windows * horizon] for each in values]
    if together is None:
        errors, sharpness = choice.errors(sort, forecasts, actuals, histories, seasons[0]), choice.SHARPNESS
    else:
        errors, sharpness = choice.pooled(forecasts, actuals, histories, together), choice.PANEL_SHARPNESS
    shares = choice.weights(errors.mean(axis=1), sharpness)
    means = choice.combine(forecasts, choice.held_out(errors, sharpness))
    return _Group(
        sort, tuple(each.name for each in panel), able, models, shares, actuals - means, learn(means, actuals)
    )
