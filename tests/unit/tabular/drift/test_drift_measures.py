import numpy as np
import pytest
from scipy.stats import chi2_contingency, ks_2samp

from tabular.drift.measures import join, joined, kolmogorov_smirnov, stability, usual
from tabular.drift.results import Usual

PLAIN = Usual(1.0, 99.0, 1.0, 10**6)


def test_stability_by_hand() -> None:
    before, now = np.array([50, 30, 20]), np.array([20, 30, 50])
    found = stability(before, now, PLAIN)
    assert found.distance == pytest.approx(2 * 0.3 * np.log(2.5))
    assert found.chance == pytest.approx((1 / 100 + 1 / 100) * 2)
    # With so many windows the F is a χ², the one of Pearson's test of two samples.
    assert found.p == pytest.approx(chi2_contingency(np.array([before, now])).pvalue, rel=1e-3)


def test_an_empty_bin_is_no_infinite_distance() -> None:
    assert 0 < stability(np.array([100, 0]), np.array([50, 50]), PLAIN).distance < 5
    assert stability(np.array([100, 0]), np.array([50, 0]), PLAIN).p == 1


def test_chance_makes_as_much_as_is_said() -> None:
    """Yurdakul and Naranjo: (1/N + 1/M) times the degrees of freedom, in the mean."""
    random = np.random.default_rng(1)
    shares = np.full(10, 0.1)
    drawn = [stability(random.multinomial(4_000, shares), random.multinomial(1_000, shares), PLAIN) for _ in range(400)]
    mean = float(np.mean([each.distance for each in drawn]))
    assert mean == pytest.approx(drawn[0].chance, rel=0.1)
    assert float(np.mean([each.p < 0.1 for each in drawn])) == pytest.approx(0.1, abs=0.04)


def _clustered(random: np.random.Generator, rows: int = 600, each: int = 10) -> np.ndarray:
    """Rows in groups of ten that all lie in one bin: a tenth as much is known as it seems."""
    bins = random.integers(0, 8, rows // each)
    return np.bincount(np.repeat(bins, each), minlength=8)


def test_rows_that_hang_together_are_not_taken_for_many() -> None:
    random = np.random.default_rng(2)
    naive, corrected = [], []
    for _ in range(150):
        windows = np.array([_clustered(random) for _ in range(9)])
        now, varied = _clustered(random), usual(windows)
        assert 4 < varied.inflation < 25
        naive.append(stability(windows.sum(axis=0), now, PLAIN).p)
        corrected.append(stability(windows.sum(axis=0), now, varied).p)
    assert float(np.mean(np.array(naive) < 0.05)) > 0.9
    assert float(np.mean(np.array(corrected) < 0.05)) < 0.08


def test_kolmogorov_smirnov_is_scipy_s() -> None:
    random = np.random.default_rng(3)
    before, now = random.normal(0, 1, 500), random.normal(0.2, 1, 300)
    found, theirs = kolmogorov_smirnov(before, 500, now, PLAIN), ks_2samp(before, now, method="asymp")
    assert found.distance == pytest.approx(theirs.statistic)
    assert found.p == pytest.approx(theirs.pvalue, rel=0.1)
    # Of a tenth as many rows as there seem to be, less follows.
    assert kolmogorov_smirnov(before, 500, now, Usual(1, 1, 10, 9)).p > 5 * found.p
    assert kolmogorov_smirnov(before, 500, now[:0], PLAIN).p == 1


def test_small_bins_are_joined() -> None:
    counts = np.array([2, 2, 40, 1, 1])
    into = joined(counts.astype(float), counts)
    assert into.tolist() == [0, 0, 0, 0, 0]
    assert joined(np.array([6.0, 6, 1, 9]), np.array([0, 0, 0, 0])).tolist() == [0, 1, 1, 2]
    # What was never there and is there now is not hidden in a neighbour.
    assert joined(np.array([60.0, 40, 0]), np.array([60, 30, 10])).tolist() == [0, 1, 2]
    assert join(np.array([[1, 2, 3]]), np.array([0, 0, 1])).tolist() == [[3, 3]]
