import numpy as np
import pytest

from evals.intervals import bootstrap


def test_equal_input_gives_an_equal_interval() -> None:
    scores = np.random.default_rng(2).random(50).tolist()
    assert bootstrap(scores, seed=3) == bootstrap(scores, seed=3)
    assert bootstrap(scores, seed=3) != bootstrap(scores, seed=4)


def test_covers_the_true_mean_about_as_often_as_it_claims() -> None:
    rng = np.random.default_rng(0)
    samples = rng.binomial(1, 0.7, size=(200, 120))
    intervals = [bootstrap(sample, seed=1, resamples=500) for sample in samples.tolist()]
    covered = np.mean([each.low <= 0.7 <= each.high for each in intervals])
    assert 0.90 <= covered <= 0.99


def test_agrees_with_the_normal_interval_on_many_cases() -> None:
    scores = np.random.default_rng(1).normal(0.5, 0.1, size=3000)
    interval = bootstrap(scores.tolist(), seed=0)
    half = 1.96 * scores.std() / np.sqrt(scores.size)
    assert interval.value == pytest.approx(scores.mean())
    assert interval.high - interval.value == pytest.approx(half, rel=0.15)
    assert interval.value - interval.low == pytest.approx(half, rel=0.15)


def test_blocks_of_resamples_add_up() -> None:
    # 30,000 cases need several blocks; the interval must not depend on how many there were.
    interval = bootstrap([0.0, 1.0] * 15_000, seed=0, resamples=400)
    assert 0.493 < interval.low < 0.4975 < interval.value == 0.5 < 0.5025 < interval.high < 0.507


def test_no_scores_have_no_interval() -> None:
    with pytest.raises(ValueError, match="no case"):
        bootstrap([], seed=0)
