"""A device's part: some steps of gradient descent on its own rows. What leaves is the difference it made."""

from __future__ import annotations

import numpy as np

from tabular.federated.plan import Plan
from tabular.federated.task import Floats, Rows


def sigmoid(values: Floats) -> Floats:
    """The logistic function, without overflow."""
    told: Floats = 0.5 * (1 + np.tanh(0.5 * values))
    return told


def improve(weights: Floats, rows: Rows, plan: Plan, seed: int) -> Floats:
    """The update of the weights, (dimension,) → (dimension,): the device's model minus the round's.

    Stochastic gradient descent on the logistic loss (FederatedAveraging: McMahan and others, 2017). Equal arguments
    give equal updates. A device without rows changes nothing.
    """
    rng = np.random.default_rng(seed)
    own = weights.copy()
    for _ in range(plan.epochs):
        order = rng.permutation(len(rows))
        for start in range(0, len(rows), plan.batch):
            chosen = order[start : start + plan.batch]
            features = rows.features[chosen]
            off = sigmoid(features @ own) - rows.labels[chosen]
            own -= plan.rate * (off @ features) / len(chosen)
    return own - weights
