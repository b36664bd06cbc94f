"""How good probabilities are, with 95 % intervals by resampling the rows (Efron 1979)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from core.gates import Interval
from tabular.tasks.encoding import Bools, Floats

RESAMPLES = 1000
BINS = 10

Measure = Callable[[Floats, Bools], float]


def auc(scores: Floats, target: Bools) -> float:
    """The share of pairs of a positive and a negative row that are in the right order; ties count half.

    NaN without a pair.
    """
    _, place = np.unique(scores, return_inverse=True)
    return _auc(*_counts(place, target))


def average_precision(scores: Floats, target: Bools) -> float:
    """The mean, over the positive rows, of the share of positives among those scored no lower. NaN without any."""
    _, place = np.unique(scores, return_inverse=True)
    return _average_precision(*_counts(place, target))


def brier(probabilities: Floats, target: Bools) -> float:
    """The mean squared error of the probabilities (Brier 1950)."""
    return float(np.mean((probabilities - target) ** 2))


def log_loss(probabilities: Floats, target: Bools, weights: Floats | None = None) -> float:
    """The (weighted) mean negative log likelihood, in nats; probabilities are kept 1e-9 from 0 and 1."""
    sure = np.clip(probabilities, 1e-9, 1 - 1e-9)
    return float(-np.average(np.where(target, np.log(sure), np.log1p(-sure)), weights=weights))


def calibration_error(probabilities: Floats, target: Bools) -> float:
    """Expected calibration error: over ten bins of equal width, how far the mean probability is from the share."""
    bins = np.minimum((probabilities * BINS).astype(np.int64), BINS - 1)
    apart = np.bincount(bins, probabilities - target, minlength=BINS)
    return float(np.abs(apart).sum() / len(target))


def accuracy(probabilities: Floats, target: Bools, threshold: float) -> float:
    """The share of right decisions."""
    return float(np.mean((probabilities >= threshold) == target))


def measured(
    probabilities: Floats, target: Bools, threshold: float, *, seed: int = 0, resamples: int = RESAMPLES
) -> dict[str, Interval]:
    """Every measure with its interval over the rows. Equal arguments give equal intervals."""
    _, place = np.unique(probabilities, return_inverse=True)
    figures: Mapping[str, Callable[[npt.NDArray[np.int64]], float]] = {
        "auc": lambda rows: _auc(*_counts(place[rows], target[rows])),
        "average-precision": lambda rows: _average_precision(*_counts(place[rows], target[rows])),
        "accuracy": lambda rows: accuracy(probabilities[rows], target[rows], threshold),
        "brier": lambda rows: brier(probabilities[rows], target[rows]),
        "calibration-error": lambda rows: calibration_error(probabilities[rows], target[rows]),
    }
    count = len(target)
    random = np.random.default_rng(seed)
    drawn = [random.integers(0, count, count) for _ in range(resamples)]
    return {
        name: interval(figure(np.arange(count)), np.array([figure(rows) for rows in drawn]), count)
        for name, figure in figures.items()
    }


def ahead(first: Floats, second: Floats, target: Bools, *, seed: int = 0, resamples: int = 500) -> Interval:
    """By how much the first scores' AUC is above the second's, on the same rows: a paired bootstrap."""
    places = [np.unique(each, return_inverse=True)[1] for each in (first, second)]
    random = np.random.default_rng(seed)

    def apart(rows: npt.NDArray[np.int64]) -> float:
        one, other = (_auc(*_counts(place[rows], target[rows])) for place in places)
        return one - other

    count = len(target)
    drawn = np.array([apart(random.integers(0, count, count)) for _ in range(resamples)])
    return interval(apart(np.arange(count)), drawn, count)


def told_apart(usual: Floats, odd: Floats, *, seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """The AUC at telling odd rows from usual ones by their scores, (N,) each: a bootstrap of the pairs by place."""
    count = len(usual)
    _, place = np.unique(np.concatenate([usual, odd]), return_inverse=True)
    size = int(place.max()) + 1

    def figure(rows: npt.NDArray[np.int64]) -> float:
        found = np.bincount(place[count + rows], minlength=size), np.bincount(place[rows], minlength=size)
        return _auc(*(each.astype(np.float64) for each in found))

    random = np.random.default_rng(seed)
    drawn = np.array([figure(random.integers(0, count, count)) for _ in range(resamples)])
    return interval(figure(np.arange(count)), drawn, count)


def interval(value: float, drawn: Floats, cases: int) -> Interval:
    """The 95 % percentile interval of resampled figures, which holds the figure itself; NaN among them is left out."""
    low, high = np.nanpercentile(drawn, (2.5, 97.5))
    return Interval(value, min(float(low), value), max(float(high), value), cases)


def _counts(place: npt.NDArray[np.int64], target: Bools) -> tuple[Floats, Floats]:
    """How many positive and negative rows have each score, lowest first."""
    size = int(place.max()) + 1
    positive = np.bincount(place[target], minlength=size).astype(np.float64)
    return positive, np.bincount(place, minlength=size) - positive


def _auc(positive: Floats, negative: Floats) -> float:
    pairs = positive.sum() * negative.sum()
    below = np.cumsum(negative) - negative / 2
    return float(positive @ below / pairs) if pairs else float("nan")


def _average_precision(positive: Floats, negative: Floats) -> float:
    found = np.cumsum(positive[::-1])
    taken = found + np.cumsum(negative[::-1])
    if not found[-1]:
        return float("nan")
    precise = np.divide(found, taken, out=np.zeros_like(found), where=taken > 0)
    return float(precise @ positive[::-1] / found[-1])
