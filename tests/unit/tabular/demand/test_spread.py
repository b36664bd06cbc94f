import numpy as np
import pytest

from tabular.demand.spread import LEVELS, learn

RANDOM = np.random.default_rng(11)
WIDE = np.array(LEVELS)


def past(noise: np.ndarray, means: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return means, np.maximum(means + noise, 0)


def test_quantiles_cover_what_comes_after_as_often_as_they_say() -> None:
    means = np.full((200, 4, 12), 100.0)
    spread = learn(*past(RANDOM.normal(0, 10, means.shape), means))
    found = spread.quantiles(means[:, 0], WIDE)
    future = 100 + RANDOM.normal(0, 10, (200, 12))
    inside = (found[:, 1] <= future) & (future <= found[:, 5])
    assert 0.76 < inside.mean() < 0.86
    assert found[:, 5].mean() == pytest.approx(100 + 1.2816 * 10, abs=1.5)


def test_quantiles_rise_with_the_level_and_are_never_negative() -> None:
    means = np.tile([0.0, 1.0, 5.0], (3, 4, 1))
    found = learn(*past(RANDOM.normal(0, 3, means.shape), means)).quantiles(means[:, 0], WIDE)
    assert found.shape == (3, 7, 3)
    assert (np.diff(found, axis=1) >= 0).all()
    assert found.min() == 0


def test_errors_that_grow_with_the_step_widen_the_later_ones() -> None:
    means = np.full((60, 4, 20), 100.0)
    noise = RANDOM.normal(0, 1, means.shape) * np.linspace(1, 9, 20)
    found = learn(*past(noise, means)).quantiles(means[:, 0], WIDE)
    widths = (found[:, 5] - found[:, 1]).mean(axis=0)
    assert widths[-1] > 4 * widths[0]


def test_errors_that_follow_the_size_are_found_out() -> None:
    means = np.tile(np.where(np.arange(24) % 2, 200.0, 1.0), (50, 4, 1))
    spread = learn(*past(RANDOM.normal(0, 0.2, means.shape) * means, means))
    assert spread.power == 1
    found = spread.quantiles(means[:, 0], WIDE)
    widths = (found[:, 5] - found[:, 1]).mean(axis=0)
    assert widths[0] < 2 < 50 < widths[1]
    even = learn(*past(RANDOM.normal(0, 20, means.shape), means + 100))
    assert even.power == 0


def test_one_window_is_enough_and_a_series_of_nothing_stays_nothing() -> None:
    means = np.zeros((2, 1, 5))
    found = learn(means, means.copy()).quantiles(means[:, 0], WIDE)
    assert not found.any()
