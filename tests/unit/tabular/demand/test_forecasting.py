from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from core.errors import InvalidInput
from tabular.demand.candidates import Candidate
from tabular.demand.forecasting import Chosen, choose
from tabular.demand.series import Series

HORIZON = 4
RANDOM = np.random.default_rng(6)


@dataclass(frozen=True)
class Last:
    """The last value, times a factor; of as many as there are."""

    factor: float

    def forecast(self, panel: Sequence[np.ndarray], horizon: int) -> list[np.ndarray]:
        return [np.full(horizon, self.factor * values[-1]) for values in panel]


def offer(kind: str, length: int, seasons: tuple[int, ...], horizon: int) -> tuple[Candidate, ...]:
    rows = {"good": 1.0, "double": 2.0, "negative": -3.0}
    found = [Candidate(name, lambda _, by=factor: Last(by), lambda *_: 0) for name, factor in rows.items()]  # type: ignore[misc]
    return tuple(found if length >= 20 and kind == "regular" else found[:1])


def level(name: str, mean: float, length: int = 60) -> Series:
    return Series(name, np.maximum(mean + RANDOM.normal(0, 1, length), 0))


def chosen(*panel: Series) -> Chosen:
    return choose(panel, (), HORIZON, offer=offer)


def test_the_better_candidate_gets_nearly_all_of_it() -> None:
    panel = [level("a", 50), level("b", 20)]
    found = chosen(*panel).forecast(panel)
    assert list(found) == ["a", "b"]
    for series in panel:
        forecast = found[series.name]
        assert forecast.shares["good"] > 0.99
        assert sum(forecast.shares.values()) == pytest.approx(1)
        assert forecast.mean == pytest.approx([series.values[-1]] * HORIZON, rel=0.05)
        assert forecast.errors.shape == (3, HORIZON)


def test_quantiles_are_ordered_and_never_negative() -> None:
    panel = [level("a", 2), level("b", 90)]
    found = chosen(*panel).forecast(panel, levels=(0.05, 0.5, 0.95))
    for forecast in found.values():
        assert forecast.quantiles.shape == (3, HORIZON)
        assert (forecast.quantiles >= 0).all()
        assert (np.diff(forecast.quantiles, axis=0) >= 0).all()
        assert (forecast.quantile(0.95) > forecast.quantile(0.05)).all()
    with pytest.raises(InvalidInput, match=r"no quantile 0\.9;"):
        found["a"].quantile(0.9)


def test_what_was_chosen_forecasts_from_what_came_since() -> None:
    panel = [level("a", 50)]
    kept = chosen(*panel)
    grown = [Series("a", np.append(panel[0].values, 80.0))]
    assert kept.forecast(grown)["a"].mean == pytest.approx([80] * HORIZON, rel=0.05)


def test_every_kind_and_length_has_candidates_of_its_own_and_the_order_stays() -> None:
    slow = Series("slow", np.where(np.arange(60) % 3, 0.0, 5.0))
    panel = [level("long", 50), slow, level("short", 50, 19)]
    found = chosen(*panel).forecast(panel)
    assert list(found) == ["long", "slow", "short"]
    assert found["slow"].kind == "intermittent"
    assert set(found["long"].shares) >= {"good", "double"}
    assert set(found["slow"].shares) == set(found["short"].shares) == {"good"}
    # Nineteen values have room for two horizons behind the eight that must remain.
    assert found["short"].errors.shape == (2, HORIZON)


def test_a_series_that_grew_or_came_later_is_told_apart() -> None:
    kept = chosen(level("a", 50), level("b", 50))
    with pytest.raises(InvalidInput, match="b is missing"):
        kept.forecast([level("a", 50)])
    with pytest.raises(InvalidInput, match="c was not there"):
        kept.forecast([level("a", 50), level("b", 50), level("c", 50)])


@pytest.mark.parametrize("levels", [(), (0.5, 1.0), (0.0,)])
def test_levels_lie_between_nothing_and_everything(levels: tuple[float, ...]) -> None:
    panel = [level("a", 50)]
    with pytest.raises(InvalidInput, match="levels"):
        chosen(*panel).forecast(panel, levels)


def test_what_cannot_be_forecast_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match="series short has 11 values, fewer than 12"):
        chosen(level("a", 50), level("short", 50, 11))
    with pytest.raises(InvalidInput, match="series low is negative at place 1"):
        chosen(Series("low", np.where(np.arange(60) == 1, -1.0, 4.0)))
    kept = chosen(level("a", 50))
    with pytest.raises(InvalidInput, match="series a has no number at place 7"):
        kept.forecast([Series("a", np.where(np.arange(60) == 7, np.nan, 4.0))])


@pytest.mark.parametrize(("seasons", "horizon", "windows"), [((), 0, 3), ((), 1001, 3), ((0,), 4, 3), ((), 4, 0)])
def test_horizons_seasons_and_windows_have_bounds(seasons: tuple[int, ...], horizon: int, windows: int) -> None:
    with pytest.raises(InvalidInput):
        choose([level("a", 50)], seasons, horizon, windows, offer)


def test_judged_together_all_series_share_what_sums_say() -> None:
    panel = [level("a", 50), level("b", 20), level("c", 30)]
    table = offer("regular", 60, (), HORIZON)
    found = choose(panel, (), HORIZON, offer=lambda *_: table, together=HORIZON).forecast(panel)
    assert len({tuple(each.shares.items()) for each in found.values()}) == 1
    assert found["a"].shares["good"] > 0.999
    for steps in (0, HORIZON + 1):
        with pytest.raises(InvalidInput, match="sums are of 1 to 4 steps"):
            choose(panel, (), HORIZON, offer=offer, together=steps)
