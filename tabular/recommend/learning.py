"""Learns how much each feature counts, from what customers bought next: a multinomial logit, by Newton's method.

The likelihood is that of each item of a basket under the softmax of the scores over *all* items; none are sampled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tabular.recommend.blend import DEPTHS, WIDTH, Blend, moments, prior, scores
from tabular.recommend.features import Features

PULL = 1.0
"""Cases' worth of belief in the prior weights."""

EVIDENCE = 100.0
"""Cases' worth of belief in the weights of all customers together, against those of one depth alone."""

_STEPS = 30
_HALVINGS = 12
# Log-likelihood a case that is not worth another step.
_ENOUGH = 1e-5

Weights = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """What spoke for each item, and the places of those that were then bought, at least one. `depth` in baskets."""

    depth: int
    features: Features
    bought: NDArray[np.intp]


def learn(examples: Sequence[Example], evidence: float = EVIDENCE) -> Blend:
    """The weights for every depth. Where a depth has few examples, those of all count for more; without any, the prior.

    Customers without a history share nothing with the others: their weights start from the prior.
    """
    known = [each for each in examples if each.depth > 0]
    everybody = _fitted(known, prior(), PULL)
    rows = []
    for place, depth in enumerate(DEPTHS):
        ceiling = DEPTHS[place + 1] if place + 1 < len(DEPTHS) else None
        those = [each for each in examples if depth <= each.depth and (ceiling is None or each.depth < ceiling)]
        rows.append(_fitted(those, everybody, evidence) if depth else _fitted(those, prior(), PULL))
    return Blend(np.array(rows, np.float32))


def _fitted(examples: Sequence[Example], belief: Weights, pull: float) -> Weights:
    """The likeliest weights, `belief` being held against the examples as `pull` of them: Newton, with halved steps."""
    weights = belief
    if not examples:
        return weights
    value, push, bend = _evidence(examples, weights, belief, pull)
    for _ in range(_STEPS):
        step = np.linalg.solve(bend, push)
        # What is left to gain, to second order.
        if float(push @ step) < _ENOUGH * len(examples):
            break
        for _ in range(_HALVINGS):
            tried = _evidence(examples, weights - step, belief, pull)
            if tried[0] < value:
                weights, (value, push, bend) = weights - step, tried
                break
            step = step / 2
        else:
            break
    return weights


def _evidence(
    examples: Sequence[Example], weights: Weights, belief: Weights, pull: float
) -> tuple[float, Weights, Weights]:
    """Minus the log-likelihood, its gradient (WIDTH,) and its curvature (WIDTH, WIDTH), with the pull to `belief`."""
    away = weights - belief
    value, push, bend = 0.5 * pull * float(away @ away), pull * away, pull * np.eye(WIDTH)
    narrow = weights.astype(np.float32)
    for each in examples:
        told = _case(narrow, each)
        value, push, bend = value + told[0], push + told[1], bend + told[2]
    return value, push, bend


def _case(weights: NDArray[np.float32], example: Example) -> tuple[float, Weights, Weights]:
    """Of one example: minus the mean log-likelihood of what was bought, gradient and curvature."""
    logits = scores(weights, example.features)
    logits -= logits.max()
    chances = np.exp(logits)
    whole = float(chances.sum(dtype=np.float64))
    chances /= np.float32(whole)
    value = float(np.log(whole) - logits[example.bought].mean(dtype=np.float64))
    mean, square = moments(example.features, chances)
    bought = np.zeros_like(chances)
    bought[example.bought] = 1 / len(example.bought)
    return value, mean - moments(example.features, bought)[0], square - np.outer(mean, mean)
