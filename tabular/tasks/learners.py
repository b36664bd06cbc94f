"""Fitting a candidate: once for each fold, so that every row is judged by a model without it, and once on all rows.

What is chosen (rounds of boosting, strength of the penalty) is chosen by the log loss of those judgements.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from tabular.tasks.encoding import Bools, Encoding, Floats
from tabular.tasks.linear import Linear, Parts
from tabular.tasks.measures import log_loss
from tabular.tasks.trees import Trees

ROUNDS = tuple(range(40, 401, 40))
PARAMETERS: dict[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.08,
    "num_leaves": 15,
    "min_data_in_leaf": 20,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "cat_smooth": 20,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbose": -1,
}
"""One set for all tasks, small trees and slow steps; only the number of rounds is chosen."""

PENALTIES = (0.01, 0.1, 1.0)


@dataclass(frozen=True, slots=True)
class Rows:
    """What a model learns from: (N, features), (N,), the weight of each row, and the fold that it is held out in."""

    matrix: Floats
    target: Bools
    weights: Floats
    folds: npt.NDArray[np.int64]

    def splits(self) -> list[Bools]:
        """For each fold, which rows are out."""
        return [self.folds == fold for fold in np.unique(self.folds)]

    def where(self, chosen: Bools) -> Rows:
        """The rows that are chosen."""
        return Rows(self.matrix[chosen], self.target[chosen], self.weights[chosen], self.folds[chosen])


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model on all rows; `held_out` are the margins, (N,), of each by a model that was trained without it.

    `again` fits the same to rows that weigh otherwise, with what was chosen here.
    """

    model: Trees | Linear
    held_out: Floats
    recipe: str
    again: Callable[[Rows], Fitted]


def fit_trees(rows: Rows, encoding: Encoding, *, seed: int, rounds: Sequence[int] = ROUNDS) -> Fitted:
    """Boosted trees, with the number of rounds that was best; `rounds` are in rising order."""
    judged = np.empty((len(rounds), len(rows.target)))
    for out in rows.splits():
        booster = _boost(rows.where(~out), encoding, rounds[-1], seed)
        for place, count in enumerate(rounds):
            judged[place, out] = booster.predict(rows.matrix[out], raw_score=True, num_iteration=count, num_threads=1)
    best = _best(judged, rows)
    model = Trees(_boost(rows, encoding, rounds[best], seed))
    again = partial(fit_trees, encoding=encoding, seed=seed, rounds=(rounds[best],))
    return Fitted(model, judged[best], f"LightGBM, {rounds[best]} rounds", again)


def fit_linear(rows: Rows, encoding: Encoding, *, penalties: Sequence[float] = PENALTIES) -> Fitted:
    """Logistic regression, with the penalty that was best."""
    sizes = tuple(len(values) for values in encoding.values)
    judged = np.empty((len(penalties), len(rows.target)))
    for out in rows.splits():
        kept = rows.where(~out)
        prepared = _prepared(kept.matrix, sizes)
        for place, penalty in enumerate(penalties):
            judged[place, out] = _regress(prepared, kept, penalty).margins(rows.matrix[out])
    best = _best(judged, rows)
    model = _regress(_prepared(rows.matrix, sizes), rows, penalties[best])
    told = f"logistic regression on {len(model.weights)} parts, inverse penalty {penalties[best]:g}"
    return Fitted(model, judged[best], told, partial(fit_linear, encoding=encoding, penalties=(penalties[best],)))


def _best(judged: Floats, rows: Rows) -> int:
    odds = 1 / (1 + np.exp(-np.clip(judged, -500, 500)))
    return int(np.argmin([log_loss(each, rows.target, rows.weights) for each in odds]))


def _boost(rows: Rows, encoding: Encoding, rounds: int, seed: int) -> lightgbm.Booster:
    kinds = [place for place, values in enumerate(encoding.values) if values]
    # Names of columns may hold characters that LightGBM does not take.
    names = [f"c{place}" for place in range(len(encoding.names))]
    data = lightgbm.Dataset(
        rows.matrix,
        rows.target.astype(np.float64),
        weight=rows.weights,
        feature_name=names,
        categorical_feature=kinds,
    )
    return lightgbm.train({**PARAMETERS, "seed": seed}, data, rounds)


Prepared = tuple[Parts, Floats, Floats, Floats]


def _prepared(matrix: Floats, sizes: tuple[int, ...]) -> Prepared:
    """Parts, their centre and spread, and the standardised parts of the rows."""
    parts = Parts.learned(matrix, sizes)
    plain = parts.of(matrix)
    centre, spread = plain.mean(axis=0), plain.std(axis=0)
    # What never varies says nothing; what a category holds stays 0 or 1, or rare values would weigh most.
    spread[(spread < 1e-12) | (np.array(sizes)[parts.owners] > 0)] = 1.0
    return parts, centre, spread, (plain - centre) / spread


def _regress(prepared: Prepared, rows: Rows, penalty: float) -> Linear:
    parts, centre, spread, standard = prepared
    model = LogisticRegression(C=penalty, max_iter=1000).fit(standard, rows.target, sample_weight=rows.weights)
    return Linear(parts, centre, spread, model.coef_[0].astype(np.float64), float(model.intercept_[0]))
