"""Why a row is judged as it is, in words: the columns that did most, each with its value and its direction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tabular.tasks.encoding import Floats
from tabular.tasks.model import TaskModel
from tabular.tasks.task import Number, Task

MOST = 4


@dataclass(frozen=True, slots=True)
class Reason:
    """A column that mattered: its value (None: not known), its share of the log odds, and the sentence."""

    column: str
    value: str | None
    weight: float
    text: str


def reasons(task: Task, model: TaskModel, row: Floats, shares: Floats, most: int = MOST) -> list[Reason]:
    """The columns with the largest shares of one row's log odds, both (features,), the largest first.

    Shares are against the mean of the training rows, before calibration. What adds nothing is no reason.
    """
    order = np.argsort(-np.abs(shares), kind="stable")[:most]
    return [_reason(task, model, place, row, float(shares[place])) for place in order.tolist() if shares[place]]


def _reason(task: Task, model: TaskModel, place: int, row: Floats, weight: float) -> Reason:
    name = model.encoding.names[place]
    value = model.encoding.text(place, float(row[place]))
    speaks = "for" if weight > 0 else "against"
    said = _said(task, model, place, name, value)
    return Reason(name, value, weight, f"{said}: speaks {speaks} {task.target.words}")


def _said(task: Task, model: TaskModel, place: int, name: str, value: str | None) -> str:
    if value is None:
        return f"{name} is not known"
    column = task.column(name)
    told = column.told(value)
    if not isinstance(column, Number):
        return told
    low, high = model.quartiles[place].tolist()
    # Where a quartile is the same as its neighbour, being below or above it means nothing.
    where = "less than most" if float(value) < low else "more than most" if float(value) > high else ""
    return f"{told} ({where})" if where else told


def agreement(first: Sequence[float], second: Sequence[float], top: int = MOST) -> tuple[float, float]:
    """How far two explanations of one row agree: the rank correlation of their weights (Spearman), and the share of
    the first's `top` columns that have the same sign in the second.

    The correlation is 0 where one of them says nothing.
    """
    ranks = [_ranks(np.asarray(each, dtype=np.float64)) for each in (first, second)]
    spread = [each.std() for each in ranks]
    together = float(np.mean((ranks[0] - ranks[0].mean()) * (ranks[1] - ranks[1].mean())))
    rank = together / (spread[0] * spread[1]) if all(spread) else 0.0
    leading = np.argsort(-np.abs(first), kind="stable")[:top]
    same = np.sign(np.asarray(first)[leading]) == np.sign(np.asarray(second)[leading])
    return float(np.clip(rank, -1, 1)), float(same.mean())


def _ranks(values: Floats) -> Floats:
    """Ranks from 0; equal values share their mean rank."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts + 1) / 2)[place], dtype=np.float64)
