import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from tabular.tasks import measures

# Few values, so that there are ties.
judged = st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40).filter(
    lambda rows: len({outcome for _, outcome in rows}) == 2
)


@settings(max_examples=30)
@given(judged)
def test_ranks_are_those_of_scikit_learn(rows: list[tuple[int, bool]]) -> None:
    scores, target = np.array([each for each, _ in rows], dtype=float), np.array([each for _, each in rows])
    assert measures.auc(scores, target) == pytest.approx(roc_auc_score(target, scores))
    assert measures.average_precision(scores, target) == pytest.approx(average_precision_score(target, scores))


def test_one_outcome_alone_has_no_rank() -> None:
    alone = np.ones(3, dtype=bool)
    assert np.isnan(measures.auc(np.arange(3.0), alone))
    assert np.isnan(measures.average_precision(np.arange(3.0), ~alone))


def test_errors_by_hand() -> None:
    said, came = np.array([0.05, 0.05, 0.95, 1.0]), np.array([False, True, True, True])
    assert measures.brier(said, came) == pytest.approx((0.05**2 * 2 + 0.95**2) / 4)
    # Two bins: .1 said and 1 came, 1.95 said and 2 came.
    assert measures.calibration_error(said, came) == pytest.approx((0.9 + 0.05) / 4)
    assert measures.accuracy(said, came, 0.5) == 0.75
    assert measures.log_loss(np.array([0.5, 0.25]), np.array([True, False])) == pytest.approx(
        -(np.log(0.5) + np.log(0.75)) / 2
    )
    assert measures.log_loss(np.array([0.0, 1.0]), np.array([True, False])) < 21


def test_intervals_hold_their_figure_and_are_repeatable() -> None:
    random = np.random.default_rng(1)
    target = random.random(400) < 0.4
    said = np.clip(0.4 + 0.3 * (target - 0.4) + random.normal(0, 0.2, 400), 0, 1)
    found = measures.measured(said, target, 0.5, resamples=200)
    assert found == measures.measured(said, target, 0.5, resamples=200)
    for each in found.values():
        assert each.low < each.value < each.high or each.low == each.value
        assert each.cases == 400
    # The standard error of a share of .7 over 400 rows is about .023.
    accuracy = found["accuracy"]
    assert accuracy.high - accuracy.low == pytest.approx(4 * 0.022, abs=0.03)


def test_a_lead_is_one_or_may_be_chance() -> None:
    random = np.random.default_rng(2)
    target = random.random(600) < 0.5
    good, poor = target + random.normal(0, 0.7, 600), target + random.normal(0, 3, 600)
    assert measures.ahead(good, poor, target).low > 0
    assert measures.ahead(good, good + 1e-9, target).value == 0
    alike = measures.ahead(good, good + random.normal(0, 0.05, 600), target)
    assert alike.low <= 0 <= alike.high


def test_pairs_are_told_apart_as_scikit_learn_ranks_them() -> None:
    random = np.random.default_rng(0)
    usual = random.integers(0, 9, 200).astype(float)
    odd = usual + random.integers(0, 4, 200).astype(float)
    found = measures.told_apart(usual, odd)
    target = np.repeat([False, True], 200)
    assert found.value == pytest.approx(roc_auc_score(target, np.concatenate([usual, odd])))
    assert 0.5 < found.low < found.value < found.high
    assert found == measures.told_apart(usual, odd)
    assert measures.told_apart(usual, usual).value == 0.5
