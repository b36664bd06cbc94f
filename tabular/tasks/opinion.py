"""LIME (Ribeiro, Singh, Guestrin 2016) as a second opinion on the reasons for a row.

It knows nothing of the model's inside: it asks about rows drawn around this one, and fits a line through the answers.
Where it agrees with the model's own shares, two methods that have little in common say the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from lime.lime_tabular import LimeTabularExplainer

from tabular.tasks.encoding import Floats
from tabular.tasks.model import TaskModel
from tabular.tasks.reasons import agreement

DRAWN = 1000


@dataclass(frozen=True, slots=True)
class Opinion:
    """A row's second opinion: the weight of each feature by LIME, (features,), and how it agrees with the shares."""

    weights: Floats
    rank: float
    sign: float


class SecondOpinion:
    """Explains rows of one model. `background`, (N, features), are the rows it was trained on."""

    def __init__(self, model: TaskModel, background: Floats, *, seed: int = 0) -> None:
        self._model = model
        self._unknown = np.array([_stand_in(column) for column in background.T])
        filled = self._fill(background)
        categories = np.flatnonzero(~model.encoding.numbers()).tolist()
        self._explainer = LimeTabularExplainer(
            filled,
            feature_names=list(model.encoding.names),
            categorical_features=categories,
            categorical_names={place: self._names(place) for place in categories},
            class_names=["negative", "positive"],
            random_state=seed,
        )

    def of(self, row: Floats, shares: Floats) -> Opinion:
        """The opinion on one row, (features,), whose shares of the margin are known."""
        told = self._explainer.explain_instance(
            self._fill(row[None])[0], self._answers, num_features=len(row), num_samples=DRAWN
        )
        weights = np.zeros(len(row))
        for place, weight in told.as_map()[1]:
            weights[place] = weight
        return Opinion(weights, *agreement(shares.tolist(), weights.tolist()))

    def _answers(self, rows: Floats) -> Floats:
        positive = self._model.probabilities(self._empty(rows))
        return np.stack([1 - positive, positive], axis=1)

    def _fill(self, rows: Floats) -> Floats:
        """LIME takes no gaps: an unknown category is a value of its own, an unknown number is at the median."""
        return np.where(np.isnan(rows), self._unknown_codes(), rows)

    def _unknown_codes(self) -> Floats:
        sizes = np.array([float(len(values)) for values in self._model.encoding.values])
        return np.where(self._model.encoding.numbers(), self._unknown, sizes)

    def _empty(self, rows: Floats) -> Floats:
        """Codes that stand for unknown become gaps again."""
        sizes = np.array([float(len(values)) if values else np.inf for values in self._model.encoding.values])
        return np.where(rows >= sizes, np.nan, rows)

    def _names(self, place: int) -> list[str]:
        return [*self._model.encoding.values[place], "not known"]


def _stand_in(column: Floats) -> float:
    known = column[~np.isnan(column)]
    return float(np.median(known)) if len(known) else 0.0
