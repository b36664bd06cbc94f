"""What another policy would have earned, from what a logged one showed and got.

Inverse propensity scoring (Horvitz and Thompson 1952), its self-normalised form (A. Swaminathan, T. Joachims, NIPS
2015) and the doubly robust estimate (M. Dudík, J. Langford, L. Li, ICML 2011). The intervals are normal, at 95 %, with
the variance between rounds; that of the self-normalised form is the delta method's. They take rounds for independent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from core.gates import Interval

Z = 1.959964
"""The 97.5th percentile of the normal distribution."""

Column = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Rounds:
    """n logged rounds: what was got, the logged policy's chance of what was shown, the other policy's; each (n,)."""

    rewards: Column
    propensities: Column
    targets: Column

    def __post_init__(self) -> None:
        """Raise `InvalidInput` for what no estimate can be made of."""
        sizes = {len(self.rewards), len(self.propensities), len(self.targets)}
        if len(sizes) != 1 or len(self.rewards) < 2:
            raise InvalidInput("two or more rounds are needed, each with reward, propensity and target", param="rounds")
        if not (np.all(self.propensities > 0) and np.all(self.propensities <= 1)):
            raise InvalidInput("a propensity outside (0, 1]: what cannot be shown was not shown", param="propensities")
        if not (np.all(self.targets >= 0) and np.all(self.targets <= 1)):
            raise InvalidInput("a chance outside [0, 1]", param="targets")
        if not np.all(np.isfinite(self.rewards)):
            raise InvalidInput("a reward that is no number", param="rewards")

    @property
    def weights(self) -> Column:
        """How much likelier the other policy was to show what was shown."""
        return self.targets / self.propensities

    @property
    def effective(self) -> float:
        """The effective number of rounds (Kish), 0 without overlap: far below their number, no estimate is good."""
        squares = float((self.weights**2).sum())
        return float(self.weights.sum()) ** 2 / squares if squares else 0.0


def ips(rounds: Rounds) -> Interval:
    """Unbiased; its variance grows with the weights."""
    return _normal(rounds.weights * rounds.rewards)


def self_normalised(rounds: Rounds) -> Interval:
    """Biased in small samples, but it never leaves the range of the rewards. Raises `InvalidInput` without overlap."""
    weights = rounds.weights
    if not weights.any():
        raise InvalidInput("the other policy would have shown nothing of what was shown", param="targets")
    value = float(weights @ rounds.rewards / weights.sum())
    influence = weights * (rounds.rewards - value) / weights.mean()
    spread = Z * float(influence.std(ddof=1)) / len(influence) ** 0.5
    return Interval(value, value - spread, value + spread, len(influence))


def doubly_robust(rounds: Rounds, predicted: Column, expected: Column) -> Interval:
    """Right when either the propensities or a reward model are, and narrower the better the model is.

    `predicted` (n,) is the model's reward for what was shown, `expected` (n,) its mean under the other policy. The
    model must not have been fitted to these rounds (cross-fitting), or the interval is too narrow.
    """
    if predicted.shape != rounds.rewards.shape or expected.shape != rounds.rewards.shape:
        raise InvalidInput("a prediction is needed for each round", param="predicted")
    return _normal(expected + rounds.weights * (rounds.rewards - predicted))


def _normal(terms: Column) -> Interval:
    value = float(terms.mean())
    spread = Z * float(terms.std(ddof=1)) / len(terms) ** 0.5
    return Interval(value, value - spread, value + spread, len(terms))
