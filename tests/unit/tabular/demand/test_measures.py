import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabular.demand import measures

ACTUAL = np.array([2.0, 0.0, 4.0])
FORECAST = np.array([1.0, 0.0, 6.0])
sizes = st.lists(st.floats(0, 1e6), min_size=3, max_size=3).map(lambda values: np.array(values))


def test_smape_by_hand() -> None:
    # 200 / 3, nothing where both are zero, 400 / 10.
    assert float(measures.smape(ACTUAL, FORECAST)) == pytest.approx((200 / 3 + 0 + 40) / 3)


@given(sizes, sizes)
def test_smape_is_symmetric_and_bounded(actual: np.ndarray, forecast: np.ndarray) -> None:
    found = float(measures.smape(actual, forecast))
    assert 0 <= found <= 200 * (1 + 1e-12)
    assert found == float(measures.smape(forecast, actual))
    assert (found == 0) == bool((actual == forecast).all())


def test_scaled_errors_by_hand() -> None:
    history = np.array([0.0, 1.0, 3.0, 3.0, 7.0])
    assert measures.absolute_scale(history, 2) == pytest.approx((3 + 2 + 4) / 3)
    # The leading zero is no change from a product that did not exist.
    assert measures.square_scale(history) == pytest.approx(np.sqrt((4 + 0 + 16) / 3))
    assert float(measures.mase(ACTUAL, FORECAST, 2.0)) == pytest.approx(0.5)
    assert float(measures.rmsse(ACTUAL, FORECAST, 2.0)) == pytest.approx(np.sqrt(5 / 3) / 2)


def test_a_history_that_never_changes_has_the_unit_one() -> None:
    assert measures.absolute_scale(np.full(9, 5.0), 1) == 1
    assert measures.square_scale(np.full(9, 5.0)) == 1
    assert measures.square_scale(np.zeros(9)) == 1


def test_zero_forecasts_win_by_absolute_errors_and_lose_by_squared_ones() -> None:
    demand = np.array([0.0, 0.0, 0.0, 10.0])
    nothing, expected = np.zeros(4), np.full(4, 2.5)
    assert measures.mase(demand, nothing, 1.0) < measures.mase(demand, expected, 1.0)
    assert measures.rmsse(demand, nothing, 1.0) > measures.rmsse(demand, expected, 1.0)


def test_owa_is_one_for_the_reference_and_takes_means_before_ratios() -> None:
    smapes, mases = np.array([10.0, 30.0]), np.array([1.0, 2.0])
    assert measures.owa(smapes, mases, smapes, mases) == 1
    assert measures.owa(np.array([20.0, 0.0]), np.array([3.0, 0.0]), smapes, mases) == pytest.approx((0.5 + 1) / 2)


def test_pinball_by_hand() -> None:
    quantiles = np.array([[1.0, 3.0], [5.0, 3.0]])
    found = float(measures.pinball(np.array([3.0, 3.0]), quantiles, np.array([0.1, 0.9])))
    assert found == pytest.approx((0.1 * 2 + 0.1 * 2) / 4)


def test_the_true_quantile_has_the_least_pinball_loss() -> None:
    draws = np.random.default_rng(0).exponential(size=20_000)
    level = np.array([0.9])

    def loss(guess: float) -> float:
        return float(measures.pinball(draws, np.full((1, len(draws)), guess), level))

    true = float(np.quantile(draws, 0.9))
    assert loss(true) < min(loss(0.8 * true), loss(1.2 * true))


def test_the_ends_of_an_interval_belong_to_it() -> None:
    low, high = np.array([1.0, 1.0, 1.0, 1.0]), np.array([2.0, 2.0, 2.0, 2.0])
    assert float(measures.coverage(np.array([1.0, 2.0, 0.9, 2.1]), low, high)) == 0.5
