"""What a model achieved, once it is known how things turned out, beside what it achieved when it was made.

A week's figure moves from week to week by more than the rows of one week tell: frauds come in series, of one card or at
one terminal. So a window is held against how far the reference's own weeks lie apart, where there are enough of them,
and against the error of both figures in any case.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from core.errors import InvalidInput
from tabular.drift.reference import WEEK, Figure, Reference, week_of
from tabular.drift.results import AUC, AVERAGE_PRECISION, CALIBRATION, Achieved
from tabular.features import Floats

LEAST_POSITIVES = 20
"""The least frauds (or whatever is looked for) of a window that says something."""

GROUPS = 20
"""Into how many groups owners are dealt to tell a figure's error."""

_LEAST_WEEKS = 4


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What was said and what it turned out to be, row by row: when (ms), whose it was, the score, and whether it was
    what is looked for. Rows of one owner depend on each other.
    """

    at: NDArray[np.int64]
    owners: NDArray[np.str_]
    scores: Floats
    positive: NDArray[np.bool_]

    def where(self, chosen: NDArray[np.bool_]) -> Outcomes:
        """Those that are chosen."""
        return Outcomes(self.at[chosen], self.owners[chosen], self.scores[chosen], self.positive[chosen])


# As scikit-learn has them, to the last digits, without its checks of every argument: a figure's error takes dozens.
def auc(scores: Floats, positive: NDArray[np.bool_]) -> float:
    """Area under the ROC curve; equal scores count as half in order."""
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    hits = int(positive.sum())
    return float((ranks[positive].sum() - hits * (hits + 1) / 2) / (hits * (len(scores) - hits)))


def average_precision(scores: Floats, positive: NDArray[np.bool_]) -> float:
    """The precision at each positive, in the mean, without interpolation."""
    _, place, counts = np.unique(-scores, return_inverse=True, return_counts=True)
    hits = np.bincount(place, weights=positive, minlength=len(counts))
    return float((hits * np.cumsum(hits) / np.cumsum(counts)).sum() / hits.sum())


def _calibration(scores: Floats, positive: NDArray[np.bool_]) -> float:
    return math.log((positive.sum() + 0.5) / (scores.sum() + 0.5))


MEASURES: Mapping[str, Callable[[Floats, NDArray[np.bool_]], float]] = {
    AUC: auc,
    AVERAGE_PRECISION: average_precision,
    CALIBRATION: _calibration,
}
"""Area under the ROC curve, average precision, and the logarithm of how many there were to how many were expected."""


def figures(outcomes: Outcomes, begin: int, end: int) -> tuple[Figure, ...]:
    """What a model achieved between two moments, for its reference.

    Week by week only where each whole week has `LEAST_POSITIVES`. Without as many over all there are no figures.
    """
    if not _enough(outcomes):
        return ()
    week = week_of(outcomes.at, begin, end)
    weeks = [outcomes.where(week == each) for each in range((end - begin) // WEEK)]
    told = weeks if weeks and all(_enough(each) for each in weeks) else []
    return tuple(
        Figure(name, of(outcomes.scores, outcomes.positive), _error(outcomes, of), tuple(_each(told, of)))
        for name, of in MEASURES.items()
    )


def achieved(reference: Reference, window: Outcomes, weeks: int = 1) -> list[Achieved]:
    """Hold a window of so many weeks, whose outcomes are known, against the reference.

    Raises `InvalidInput` when the window has too few frauds to say anything, or the reference has no figures.
    """
    if not reference.figures:
        raise InvalidInput("the reference does not say what the model achieved", param="reference")
    if not _enough(window):
        found = int(window.positive.sum())
        raise InvalidInput(f"{found} frauds are known of the window: {LEAST_POSITIVES} are the least", param="window")
    return [_beside(each, window, weeks) for each in reference.figures if each.name in MEASURES]


def _beside(figure: Figure, window: Outcomes, weeks: int) -> Achieved:
    of = MEASURES[figure.name]
    now, error = of(window.scores, window.positive), _error(window, of)
    before, variance, freedom = figure.value, error**2 + figure.error**2, GROUPS - 1
    whole = len(figure.weeks) // weeks
    if whole >= _LEAST_WEEKS:
        apart = np.asarray(figure.weeks[-whole * weeks :]).reshape(whole, weeks).mean(axis=1)
        before = float(apart.mean())
        between = float(apart.var(ddof=1)) * (1 + 1 / whole)
        if between > variance:
            variance, freedom = between, whole - 1
    # Equal scores everywhere leave no error at all; then any difference is one.
    deviation = max(math.sqrt(variance), 1e-9)
    step = (now - before) / deviation
    p = float(stdtr(freedom, step))
    if figure.name == CALIBRATION:
        p = 2 * min(p, 1 - p)
    half = float(stdtrit(freedom, 0.975)) * deviation
    return Achieved(figure.name, before, before - half, before + half, now, error, p)


def _error(outcomes: Outcomes, of: Callable[[Floats, NDArray[np.bool_]], float]) -> float:
    """The standard error by leaving out a group of owners at a time (P. S. Kott 2001, "The delete-a-group
    jackknife", Journal of Official Statistics 17).
    """
    owners = np.unique(outcomes.owners, return_inverse=True)[1]
    group = np.random.default_rng(0).permutation(owners.max() + 1)[owners] % GROUPS
    found = []
    for each in range(GROUPS):
        rest = group != each
        positive = outcomes.positive[rest]
        if positive.any() and not positive.all():
            found.append(of(outcomes.scores[rest], positive))
    values = np.asarray(found)
    return float(np.sqrt((len(values) - 1) / len(values) * ((values - values.mean()) ** 2).sum()))


def _each(weeks: list[Outcomes], of: Callable[[Floats, NDArray[np.bool_]], float]) -> list[float]:
    return [of(each.scores, each.positive) for each in weeks]


def _enough(outcomes: Outcomes) -> bool:
    positive = int(outcomes.positive.sum())
    return positive >= LEAST_POSITIVES and positive < len(outcomes.positive)
