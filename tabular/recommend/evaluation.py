"""What another policy would have earned at the places that were filled by chance, from what was shown and what came.

A round is one such place that the customer saw. The reward model of the doubly robust estimate is how often each item
was taken, shrunk to how often any was, and is fitted to other customers' rounds only (cross-fitting).
"""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import Conflict
from core.gates import Interval
from tabular.recommend.bandit import Candidate, Policy
from tabular.recommend.offpolicy import Rounds, doubly_robust, ips, self_normalised
from tabular.recommend.slates import Slot

LEAST = 100
"""Rounds without which nothing is estimated: normal intervals of fewer say too little."""

LEAST_EFFECTIVE = 20.0
"""Effective rounds (Kish) without which the other policy was hardly ever seen in what was logged."""

FOLDS = 5

SHRINKAGE = 20.0
"""Showings that every item is taken to have had at the rate of all."""


@dataclass(frozen=True, slots=True)
class Round:
    """What a slot showed to a customer, and the reward that came of it."""

    customer: str
    slot: Slot
    shown: str
    reward: float


@dataclass(frozen=True, slots=True)
class Estimates:
    """The mean reward a round of what was `logged`, and of the other policy in three ways, with 95 % intervals."""

    rounds: int
    effective: float
    logged: Interval
    ips: Interval
    self_normalised: Interval
    doubly_robust: Interval


class Greedy:
    """Always the best candidate, the first of equals. It tries nothing, so that it can be judged and never logged."""

    def chances(self, candidates: Sequence[Candidate], random: np.random.Generator) -> NDArray[np.float64]:
        """One for the best, none for the others."""
        shares = np.zeros(len(candidates))
        shares[int(np.argmax([each.score for each in candidates]))] = 1
        return shares


def evaluate(rounds: Sequence[Round], policy: Policy) -> Estimates:
    """Estimate what the policy earns. Raises `Conflict` where too little was logged to tell."""
    if len(rounds) < LEAST:
        told = f"{len(rounds)} places that were filled by chance are known to have been shown: {LEAST} are the least"
        raise Conflict(told, code="too_few_rounds")
    random = np.random.default_rng(0)
    targets = [policy.chances(each.slot.drawn_from, random) for each in rounds]
    shown = [[one.item for one in each.slot.drawn_from].index(each.shown) for each in rounds]
    logged = Rounds(
        np.array([each.reward for each in rounds]),
        np.array([each.slot.drawn_from[place].chance for each, place in zip(rounds, shown, strict=True)]),
        np.array([float(chances[place]) for chances, place in zip(targets, shown, strict=True)]),
    )
    if logged.effective < LEAST_EFFECTIVE:
        told = (
            f"what was logged is worth {logged.effective:.1f} rounds of the other policy: {LEAST_EFFECTIVE:g} are the "
            "least"
        )
        raise Conflict(told, code="too_few_rounds")
    predicted, expected = _foretold(rounds, targets)
    return Estimates(
        len(rounds),
        logged.effective,
        ips(Rounds(logged.rewards, logged.propensities, logged.propensities)),
        ips(logged),
        self_normalised(logged),
        doubly_robust(logged, predicted, expected),
    )


def _foretold(
    rounds: Sequence[Round], targets: Sequence[NDArray[np.float64]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The reward foretold for what was shown, and its mean under the other policy, (rounds,) each."""
    folds = [zlib.crc32(each.customer.encode()) % FOLDS for each in rounds]
    models = [_rates([each for each, fold in zip(rounds, folds, strict=True) if fold != left]) for left in range(FOLDS)]
    predicted, expected = [], []
    for each, fold, chances in zip(rounds, folds, targets, strict=True):
        rates, otherwise = models[fold]
        told = np.array([rates.get(one.item, otherwise) for one in each.slot.drawn_from])
        predicted.append(rates.get(each.shown, otherwise))
        expected.append(float(told @ chances))
    return np.array(predicted), np.array(expected)


def _rates(rounds: Sequence[Round]) -> tuple[Mapping[str, float], float]:
    """The mean reward of each item, shrunk, and that of all."""
    shown = Counter(each.shown for each in rounds)
    got: defaultdict[str, float] = defaultdict(float)
    for each in rounds:
        got[each.shown] += each.reward
    mean = sum(got.values()) / len(rounds) if rounds else 0.0
    return {item: (got[item] + SHRINKAGE * mean) / (count + SHRINKAGE) for item, count in shown.items()}, mean
