"""Tastes as a few numbers: implicit-feedback matrix factorisation by alternating least squares.

After Y. Hu, Y. Koren, C. Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008: a purchase is
a preference of 1 with confidence 1 + `alpha`, everything else one of 0 with confidence 1. A customer's taste follows
from what was bought by one small linear system, so that a live purchase needs no new training.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

SIZE = 48
ALPHA = 10.0
RIDGE = 5.0
SWEEPS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """`items` (n, k): what each item is like; `gram` (k, k): their inner products and the ridge, for `taste`."""

    items: Floats
    gram: Floats
    alpha: float

    @classmethod
    def of(cls, items: Floats, alpha: float = ALPHA, ridge: float = RIDGE) -> Factors:
        """The factors of items, ready to tell tastes."""
        items = items.astype(np.float32)
        return cls(items, items.T @ items + np.float32(ridge) * np.eye(items.shape[1], dtype=np.float32), alpha)

    def taste(self, bought: NDArray[np.intp]) -> Floats:
        """The taste (k,) of who bought these items."""
        chosen = self.items[bought]
        confidence = self.gram + np.float32(self.alpha) * (chosen.T @ chosen)
        taste: Floats = np.linalg.solve(confidence, (1 + self.alpha) * chosen.sum(axis=0)).astype(np.float32)
        return taste


def fit_factors(
    customer: NDArray[np.int32],
    item: NDArray[np.int32],
    items: int,
    *,
    size: int = SIZE,
    sweeps: int = SWEEPS,
    seed: int = 0,
) -> Factors:
    """Learn from pairs of customer and item, numbered from 0. Equal pairs and seed give equal factors."""
    pairs = np.unique(np.stack([customer, item], axis=1), axis=0)
    by_customer = _groups(pairs[:, 0], pairs[:, 1], int(pairs[:, 0].max(initial=-1)) + 1)
    turned = pairs[np.lexsort((pairs[:, 0], pairs[:, 1]))]
    by_item = _groups(turned[:, 1], turned[:, 0], items)
    goods = np.random.default_rng(seed).normal(0, 0.01, (items, size)).astype(np.float32)
    for _ in range(sweeps):
        people = _solved(by_customer, Factors.of(goods))
        goods = _solved(by_item, Factors.of(people))
    return Factors.of(goods)


def _groups(keys: NDArray[np.int32], values: NDArray[np.int32], count: int) -> list[NDArray[np.int32]]:
    """The values of each key; the keys come sorted."""
    return np.split(values, np.searchsorted(keys, np.arange(1, count)))


def _solved(groups: list[NDArray[np.int32]], other: Factors) -> Floats:
    return np.stack([other.taste(group.astype(np.intp)) for group in groups])
