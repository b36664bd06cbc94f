"""How much each feature counts, by how much is known of the customer: a score for every item, and its parts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tabular.recommend.features import COMPONENTS, PERSONAL, RELATIONS, Features

Floats = NDArray[np.float32]

DEPTHS = (0, 1, 2, 4)
"""From how many baskets on the customers of each row of weights have: none, one, two or three, four or more."""

WISH = 20.0
"""What the likeness of an item's title to a wish counts. all-MiniLM-L6-v2 was trained to tell which of many texts
belongs to another by the softmax of 20 times their cosines (the default of sentence-transformers'
`MultipleNegativesRankingLoss`): added to the score, it turns the chance given the history into one given both.
"""

WIDTH = 2 * len(RELATIONS) + len(PERSONAL)

_SHARED = slice(0, len(RELATIONS))
_OWN = slice(len(RELATIONS), 2 * len(RELATIONS))
_PERSONAL = slice(2 * len(RELATIONS), WIDTH)


def prior() -> NDArray[np.float64]:
    """The weights (WIDTH,) before any evidence: own purchases first, then what goes with them, then what sells."""
    weights = np.zeros(WIDTH)
    for name, weight in {"similar": 0.5, "taste": 0.8, "text": 0.5, "season": 0.9, "cold": -1.0}.items():
        weights[RELATIONS.index(name)] = weight
    for name, weight in {"own": 1.0, "times": 1.0, "fresh": 0.5}.items():
        weights[_PERSONAL.start + PERSONAL.index(name)] = weight
    return weights


@dataclass(frozen=True, slots=True, eq=False)
class Blend:
    """`weights` (len(DEPTHS), WIDTH): of the relations; what is added to them for own items; of the personal ones."""

    weights: Floats

    def row(self, baskets: int) -> Floats:
        """The weights for a customer with that many baskets."""
        chosen: Floats = self.weights[np.searchsorted(DEPTHS, baskets, side="right") - 1]
        return chosen


def wishing(weights: Floats) -> Floats:
    """The weights (WIDTH,) for a customer who said what they look for: that is what texts are then compared with."""
    changed = weights.copy()
    changed[_SHARED.start + RELATIONS.index("text")] = WISH
    changed[_OWN.start + RELATIONS.index("text")] = 0
    return changed


def scores(weights: Floats, found: Features) -> Floats:
    """The score of every item, (n,): its softmax is the chance of being the next thing put into a basket."""
    result: Floats = weights[_SHARED] @ found.relations
    result[found.own] += weights[_OWN] @ found.relations[:, found.own] + weights[_PERSONAL] @ found.personal
    return result


def moments(found: Features, chances: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The features' mean under `chances` (n,), in the order of the weights, and the mean of their products.

    A score's features are its item's relations, the same again for an own item, and the personal ones: only the first
    are there for all items, so that the products need no matrix of (WIDTH, n).
    """
    shared, own = found.relations, found.own
    both = np.concatenate([shared[:, own], found.personal])
    weighed = both * chances[own]
    mean = np.concatenate([shared @ chances, weighed.sum(axis=1)])
    inner = weighed @ both.T
    width = len(RELATIONS)
    across = inner[:width]
    square = np.block([[(shared * chances) @ shared.T, across], [across.T, inner]])
    return mean.astype(np.float64), square.astype(np.float64)


def parts(weights: Floats, found: Features, item: int) -> dict[str, float]:
    """How much each component lifts one item above the mean of all: the parts differ in sum as the scores do."""
    mean = found.relations.mean(axis=1)
    above = found.relations[:, item] - mean
    at = np.flatnonzero(found.own == item)
    values = dict(zip(RELATIONS, (weights[_SHARED] * above).tolist(), strict=True))
    if len(at):
        # What all own items get alike belongs to their being own.
        values = dict(zip(RELATIONS, ((weights[_SHARED] + weights[_OWN]) * above).tolist(), strict=True))
        values |= dict(zip(PERSONAL, (weights[_PERSONAL] * found.personal[:, at[0]]).tolist(), strict=True))
        values["own"] += float(weights[_OWN] @ mean)
    return {name: sum(values.get(each, 0.0) for each in names) for name, names in COMPONENTS.items()}
