import numpy as np
import pytest

from tabular.demand.naive2 import is_seasonal, naive2, seasonal_indices

SHAPE = np.array([0.5, 1.0, 1.5, 1.0])


def test_a_pure_season_goes_on_exactly() -> None:
    history = np.tile(SHAPE, 8) * 20
    assert is_seasonal(history, 4)
    assert naive2(history, 4, 6) == pytest.approx(np.resize(SHAPE * 20, 6))


def test_a_history_that_ends_within_a_season_goes_on_in_its_phase() -> None:
    history = np.resize(SHAPE, 30) * 20
    assert naive2(history, 4, 3) == pytest.approx([30, 20, 10])


def test_an_odd_season_s_indices_are_found_on_a_trend() -> None:
    shape = np.array([0.8, 1.0, 1.2])
    history = np.resize(shape, 60) * np.linspace(100, 160, 60)
    assert seasonal_indices(history, 3) == pytest.approx(shape, abs=0.01)


def test_indices_have_the_mean_one_in_the_first_value_s_phase() -> None:
    found = seasonal_indices(np.resize(SHAPE, 41) * 7, 4)
    assert found.mean() == pytest.approx(1)
    assert found == pytest.approx(SHAPE)


def test_noise_has_no_season_and_its_last_value_goes_on() -> None:
    history = np.random.default_rng(3).uniform(90, 110, 80)
    assert not is_seasonal(history, 12)
    assert naive2(history, 12, 3).tolist() == [history[-1]] * 3


@pytest.mark.parametrize("history", [np.resize(SHAPE, 11), np.resize([0.0, 1.0, 2.0, 1.0], 40), np.full(40, 3.0)])
def test_too_short_not_positive_and_constant_have_no_season(history: np.ndarray) -> None:
    assert not is_seasonal(history, 4)


def test_the_limit_counts_the_correlations_before_the_season() -> None:
    # The autocorrelation of a slow wave is large at the ninth lag, and larger before: no season of nine.
    wave = 10 + np.sin(np.arange(60) / 9)
    centred = wave - wave.mean()
    alone = float(centred[9:] @ centred[:-9] / (centred @ centred))
    assert alone > 1.645 / np.sqrt(60)
    assert not is_seasonal(wave, 9)
