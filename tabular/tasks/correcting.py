"""Training that treats groups evenly: rows are weighed, step by step, until decisions on rows held out are even.

After Jiang and Nachum (Identifying and Correcting Label Bias in Machine Learning, AISTATS 2020): labels are taken to be
biased by a factor for each group, so positive rows of a group weigh e^b / (1 + e^b) and negative ones 1 / (1 + e^b),
and b grows for groups that are selected too seldom. Nothing of it is left in service: everybody is judged by one model
and one threshold, and the model need not be told anybody's group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tabular.tasks.calibrating import fit
from tabular.tasks.encoding import Bools, Floats, Labels, Texts, labels
from tabular.tasks.learners import Fitted, Rows
from tabular.tasks.task import NOT_KNOWN, Task

STEPS = 8


@dataclass(frozen=True, slots=True)
class Correction:
    """The model on the rows as they weigh at last, and after how many steps."""

    fitted: Fitted
    steps: int


def correct(task: Task, rows: Rows, fitted: Fitted, texts: Texts) -> Correction:
    """Weigh training rows so that the task's limits on the ratio of selection rates are kept, and fit again.

    What counts are the decisions about rows by models that were trained without them. The aim is halfway between a
    limit and evenness, since who just keeps a limit there misses it elsewhere half of the time. Where `STEPS` do not
    reach it, the step that came nearest stands. Without such limits nothing changes.
    """
    limited = [(_members(labels(task, each, texts), task.least), each.ratio) for each in task.protected if each.ratio]
    bias = np.zeros(len(rows.target))
    nearest, best = -np.inf, Correction(fitted, 0)
    for step in range(STEPS + 1):
        if step:
            fitted = fitted.again(replace(rows, weights=_weights(bias, rows.target)))
        calibration = fit(fitted.held_out, rows.target, rows.folds)
        chosen = calibration.probabilities(fitted.held_out) >= task.threshold
        short = min((_ratio(chosen, members) - (1 + limit) / 2 for members, limit in limited), default=0.0)
        if short > nearest:
            nearest, best = short, Correction(fitted, step)
        if short >= 0:
            break
        for members, _ in limited:
            for member in members:
                bias[member] += _odds(chosen) - _odds(chosen[member])
    return best


def _members(of: Labels, least: int) -> list[Bools]:
    """The rows of each group that is large enough to be compared."""
    names = [name for name in np.unique(of).tolist() if name != NOT_KNOWN]
    return [of == name for name in names if int((of == name).sum()) >= least]


def _weights(bias: Floats, target: Bools) -> Floats:
    weights = 1 / (1 + np.exp(np.where(target, -bias, bias)))
    return np.asarray(weights / weights.mean())


def _ratio(chosen: Bools, members: Sequence[Bools]) -> float:
    rates = [float(chosen[member].mean()) for member in members]
    return min(rates) / max(rates) if rates and max(rates) > 0 else 1.0


def _odds(chosen: Bools) -> float:
    """The log odds of being selected, with half a person more on either side."""
    hits = float(chosen.sum())
    return float(np.log((hits + 0.5) / (len(chosen) - hits + 0.5)))
