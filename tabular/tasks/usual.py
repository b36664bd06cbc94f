"""Trains a model of what is usual, and measures it on rows that it was not trained on.

Every fifth row, drawn with the seed, is kept for the test. Nobody knows which of them are unusual, so they are made so:
the test asks whether a row is scored above itself as it was.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.errors import InvalidInput
from core.gates import Interval, Metric, wilson
from tabular.tasks.anomalies import LEAST, Anomalies, find_usual
from tabular.tasks.encoding import Floats
from tabular.tasks.measures import told_apart

PARTS = 5
PUSH = 3.0
"""Standard deviations of its column by which a value is pushed out."""


@dataclass(frozen=True, slots=True)
class TrainedUsual:
    """A model, and what was measured on `tested` rows held out, with 95 % intervals over them.

    `pushed` is the AUC at telling rows of which one value was pushed out from the same rows as they were: in each row
    one column of those that vary and are known in it, drawn by chance, by three standard deviations up or down, drawn
    by chance. `mixed` is the AUC at telling rows of which each column's values were permuted among the rows: about one
    half, for the model takes columns as independent. `share` is how many of the rows as they were it tells unusual.
    """

    model: Anomalies
    tested: int
    pushed: Interval
    mixed: Interval
    share: Interval

    @property
    def metrics(self) -> dict[str, Metric]:
        """For the registry. The gate compares `pushed`; the others are told."""
        return {
            "test/pushed-out-auc": Metric(self.pushed),
            "test/mixed-auc": Metric(self.mixed, gates=False),
            "test/share-unusual": Metric(self.share, lower_is_better=True, gates=False),
        }


def train_usual(names: tuple[str, ...], matrix: Floats, *, expected: float, seed: int = 0) -> TrainedUsual:
    """Learn from four fifths of the rows, (N, columns), and measure on the others. Equal arguments give equal models.

    Raises `InvalidInput` for fewer than 125 rows, when no column varies, and as `find_usual` does.
    """
    least = LEAST * PARTS // (PARTS - 1)
    if len(matrix) < least:
        told = f"{len(matrix)} sound rows: {least} are the least, of which a fifth is kept for the test"
        raise InvalidInput(told, param="data")
    random = np.random.default_rng(seed)
    tested = random.permutation(len(matrix)) % PARTS == 0
    kept, held = matrix[~tested], matrix[tested]
    model = find_usual(names, kept, expected=expected)
    spread = np.nanstd(kept, axis=0)
    if not (spread > 0).any():
        raise InvalidInput("every column has one value only: nothing can be unusual in them", param="data")
    usual = model.scores(held)
    found = int((usual >= model.threshold).sum())
    pushable = (~np.isnan(held) & (spread > 0)).any(axis=1)
    pushed = model.scores(_pushed(held[pushable], spread, random))
    return TrainedUsual(
        model=model,
        tested=len(held),
        pushed=told_apart(usual[pushable], pushed, seed=seed),
        mixed=told_apart(usual, model.scores(random.permuted(held, axis=0)), seed=seed),
        share=Interval(found / len(held), *wilson(found, len(held)), len(held)),
    )


def _pushed(rows: Floats, spread: Floats, random: np.random.Generator) -> Floats:
    """The rows, (N, columns), with one value of each pushed out."""
    free = ~np.isnan(rows) & (spread > 0)
    # The greatest of random numbers is drawn evenly among those that may be.
    columns = np.argmax(np.where(free, random.random(rows.shape), -1.0), axis=1)
    signs = random.choice(np.array([-1.0, 1.0]), len(rows))
    made = rows.copy()
    made[np.arange(len(rows)), columns] += signs * PUSH * spread[columns]
    return made
