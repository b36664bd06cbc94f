from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tabular.demand import choice


class Recorder:
    """Foretells the last value plus `off`, and keeps what it was shown."""

    def __init__(self, off: float) -> None:
        self.off = off
        self.seen: list[list[float]] = []

    def forecast(self, panel: Sequence[np.ndarray], horizon: int) -> list[np.ndarray]:
        self.seen += [values.tolist() for values in panel]
        return [np.full(horizon, values[-1] + self.off) for values in panel]


def test_rolling_origins_show_nothing_of_what_they_ask_for() -> None:
    model = Recorder(0)
    forecasts, actuals = choice.rolling([model], [np.arange(10.0)], horizon=2, windows=3)
    assert [values[-1] for values in model.seen] == [3, 5, 7]
    assert actuals.tolist() == [[[4, 5], [6, 7], [8, 9]]]
    assert forecasts.tolist() == [[[[3, 3]], [[5, 5]], [[7, 7]]]]


def test_forecasts_below_zero_are_zero() -> None:
    assert choice.together([Recorder(-5)], [np.array([3.0]), np.array([9.0])], 1).tolist() == [[[0]], [[4]]]


def test_regular_errors_are_relative_to_the_first_candidate() -> None:
    history = np.array([1.0, 2.0, 1.0, 2.0, 1.0])
    actuals = np.array([[[10.0, 10.0]]])
    forecasts = np.array([[[[8.0, 8.0], [9.0, 9.0]]]])
    found = choice.errors("regular", forecasts, actuals, [history], 1)
    own = (200 * 1 / 19) / (200 * 2 / 18)
    assert found == pytest.approx(np.array([[[1, (own + 0.5) / 2]]]))


def test_intermittent_demand_does_not_choose_nothing() -> None:
    actuals = np.array([[[0.0, 0.0, 0.0, 10.0]]])
    forecasts = np.array([[[[0.0] * 4, [2.5] * 4]]])
    history = np.array([0.0, 0.0, 5.0, 0.0])
    slow = choice.errors("intermittent", forecasts, actuals, [history], 1)
    assert slow[0, 0, 1] < slow[0, 0, 0]
    regular = choice.errors("regular", forecasts, actuals, [history], 1)
    assert regular[0, 0, 1] > regular[0, 0, 0]


def test_what_is_not_finite_has_an_infinite_error() -> None:
    forecasts = np.array([[[[1.0], [np.nan]]]])
    found = choice.errors("regular", forecasts, np.array([[[2.0]]]), [np.array([1.0, 2.0])], 1)
    assert np.isfinite(found).tolist() == [[[True, False]]]


def test_a_window_s_shares_are_chosen_by_the_others() -> None:
    errors = np.array([[[1.0, 9.0], [9.0, 1.0], [9.0, 1.0]]])
    found = choice.held_out(errors)
    assert found[0, 0] == pytest.approx(choice.weights(np.array([[9.0, 1.0]]))[0])
    assert found[0, 1] == pytest.approx([0.5, 0.5])
    assert choice.held_out(errors[:, :1])[0, 0] == pytest.approx(choice.weights(errors[:, 0])[0])


def test_shares_by_hand() -> None:
    found = choice.weights(np.array([[1.0, 2.0], [3.0, np.inf], [0.0, 1.0], [np.inf, np.inf]]), sharpness=2)
    assert found == pytest.approx(np.array([[0.8, 0.2], [1, 0], [1, 0], [1, 0]]))


@given(arrays(np.float64, (3, 4), elements=st.floats(0, 1e9)))
def test_shares_sum_to_one_and_follow_the_errors(errors: np.ndarray) -> None:
    found = choice.weights(errors)
    assert found.sum(axis=1) == pytest.approx(1)
    assert (found >= 0).all()
    for shares, row in zip(found, errors, strict=True):
        assert (np.diff(shares[np.argsort(row)]) <= 1e-12).all()


def test_a_failed_forecast_leaves_its_share_to_the_rest() -> None:
    forecasts = np.array([[[1.0, 1.0], [5.0, 5.0], [np.nan, 2.0]]])
    assert choice.combine(forecasts, np.array([[0.25, 0.25, 0.5]])).tolist() == [[3, 3]]
    assert choice.combine(forecasts, np.array([[0.0, 0.0, 1.0]])).tolist() == [[3, 3]]


@pytest.mark.parametrize("length", [3, 4, 7])
def test_a_history_shorter_than_two_sums_is_measured_by_its_steps(length: int) -> None:
    history = np.resize([1.0, 3.0], length)
    forecasts, actuals = np.full((1, 1, 1, 4), 2.0), np.full((1, 1, 4), 5.0)
    # Sums of four are 12 too low; steps change by 2 each, and four of them that come alone by twice that.
    assert choice.pooled(forecasts, actuals, [history], 4).tolist() == [[[12 / (2 * 2)]]]


def test_a_history_of_two_sums_is_measured_by_them() -> None:
    history = np.array([9.0, 1, 1, 1, 1, 4, 4, 4, 4])
    forecasts, actuals = np.full((1, 1, 1, 4), 2.0), np.full((1, 1, 4), 5.0)
    assert choice.pooled(forecasts, actuals, [history], 4).tolist() == [[[12 / 12]]]
