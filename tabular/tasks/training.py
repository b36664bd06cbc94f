"""Training a task's model: two candidates, judged on rows that they were not trained on; one of them, measured.

Every fifth row, drawn with the seed, is kept for the test and chooses nothing. The candidates are judged on the others
by cross-fitting. The interpretable one is taken when the trees are not ahead of it by more than chance.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from core.errors import InvalidInput
from core.gates import Interval, Metric
from tabular.tasks.calibrating import fit
from tabular.tasks.correcting import correct
from tabular.tasks.encoding import Bools, Encoding, Floats, labels
from tabular.tasks.fairness import Fairness, fairness, metrics
from tabular.tasks.learners import Rows, fit_linear, fit_trees
from tabular.tasks.measures import ahead, measured
from tabular.tasks.model import TaskModel
from tabular.tasks.schema import Table
from tabular.tasks.splitting import folds, same
from tabular.tasks.task import Task

PARTS = 5
LEAST = 100
"""Positive and negative rows that training takes, of each."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A model, and what it was measured to be on the test rows.

    `matrix` and `target` are the test rows', `background` the training rows' matrix. `lead` is by how much the trees'
    AUC was above the linear model's, on training rows held out. `figures` have no limits, `fairness` may.
    """

    task: Task
    model: TaskModel
    recipe: str
    lead: Interval
    matrix: Floats
    target: Bools
    background: Floats
    tested: Bools
    figures: dict[str, Interval]
    fairness: tuple[Fairness, ...]
    data: str

    @property
    def choice(self) -> str:
        """Which candidate was taken, and why, in a sentence."""
        lead = f"{self.lead.value:+.4f} ({self.lead.low:+.4f} to {self.lead.high:+.4f})"
        if self.model.learner.kind == "linear":
            return f"The interpretable model was taken: the trees' AUC is ahead of it by {lead}, which may be chance."
        return f"The trees were taken: their AUC is ahead of the interpretable model's by {lead}."

    @property
    def metrics(self) -> dict[str, Metric]:
        """For the registry."""
        lower = {"brier", "calibration-error"}
        figures = {f"test/{name}": Metric(each, name in lower) for name, each in self.figures.items()}
        return {**figures, **metrics(self.fairness)}


def train(task: Task, table: Table, *, correcting: bool = False, seed: int = 0) -> Trained:
    """Train on the sound rows of a table. Equal tables and seeds give equal models.

    When `correcting`, rows are weighed until the task's limits on selection are kept on training rows held out
    (`correcting.py`). Raises `InvalidInput` when rows of either outcome are too few, or
    fairness could not be shown.
    """
    if min(table.target.sum(), (~table.target).sum()) < LEAST:
        told = f"{int(table.target.sum())} positive and {int((~table.target).sum())} negative rows"
        raise InvalidInput(f"{told}: {LEAST} of each are the least", param="data")
    alike = same(table.columns)
    tested = folds(alike, table.target, PARTS, seed=seed) == 0
    kept = table.take(~tested)
    encoding = Encoding.learned(task, kept)
    target = table.target[~tested]
    held = folds(alike[~tested], target, PARTS, seed=seed + 1)
    rows = Rows(encoding.matrix(kept), target, np.ones(len(target)), held)
    trees, linear = fit_trees(rows, encoding, seed=seed), fit_linear(rows, encoding)
    lead = ahead(trees.held_out, linear.held_out, target, seed=seed)
    chosen = trees if lead.low > 0 else linear
    steps = 0
    if correcting:
        correction = correct(task, rows, chosen, kept)
        chosen, steps = correction.fitted, correction.steps
    calibration = fit(chosen.held_out, target, held)
    model = TaskModel(task.name, encoding, chosen.model, calibration, _quartiles(rows.matrix, encoding))

    others = table.take(tested)
    matrix, truth = encoding.matrix(others), table.target[tested]
    probabilities = model.probabilities(matrix)
    compared = (
        fairness(task, each, probabilities >= task.threshold, truth, labels(task, each, others), seed=seed)
        for each in task.protected
    )
    even = tuple(each for each in compared if each is not None)
    recipe = f"{chosen.recipe}, {calibration.kind} calibration" + (
        f", weighed against biased labels in {steps} steps" if steps else ""
    )
    return Trained(
        task,
        model,
        recipe,
        lead,
        matrix,
        truth,
        rows.matrix,
        tested,
        measured(probabilities, truth, task.threshold, seed=seed),
        even,
        _digest(table),
    )


def _quartiles(matrix: Floats, encoding: Encoding) -> Floats:
    """Of numbers, (features, 2); NaN for categories, and for a number that is never known."""
    found = np.full((len(encoding.names), 2), np.nan)
    for place in np.flatnonzero(encoding.numbers() & ~np.isnan(matrix).all(axis=0)).tolist():
        found[place] = np.nanquantile(matrix[:, place], (0.25, 0.75))
    return found


def _digest(table: Table) -> str:
    digest = hashlib.sha256()
    for row in zip(*table.columns.values(), table.target.tolist(), strict=True):
        digest.update(repr(row).encode())
    return digest.hexdigest()
