"""The data check before any training: what was set aside, what is missing, what tells too much, who is in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tabular.tasks.encoding import Bools, Floats, labels
from tabular.tasks.measures import auc
from tabular.tasks.schema import Table
from tabular.tasks.splitting import folds, same
from tabular.tasks.task import Flag, Number, Task

TELLING = 0.97
"""The AUC of one column alone from which on it is suspected to hold the answer."""

NAMING = 0.9
"""The share of distinct values from which on a column is suspected to name rows."""

PROXY = 0.3
"""Cramér's V (Cramér 1946) from which on a column is told to give away a protected property."""

RARE = 0.02
_BINS = 20
_FOLDS = 5
_FEW = 50

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ColumnCard:
    """A column: the share of its rows where it is not known, its distinct values, and the AUC of it alone."""

    name: str
    kind: str
    missing: float
    distinct: int
    auc: float


@dataclass(frozen=True, slots=True)
class DataCard:
    """What a table is like.

    `reasons` counts the problems of rows set aside; `duplicates` are rows that an earlier one equals in all columns,
    `contradictions` such with another outcome. `proxies` are (column, property, Cramér's V). `suspects` say in words
    what somebody should look into before training.
    """

    task: str
    rows: int
    rejected: int
    reasons: dict[str, int]
    positive: float
    duplicates: int
    contradictions: int
    columns: tuple[ColumnCard, ...]
    further: tuple[str, ...]
    groups: dict[str, dict[str, int]]
    proxies: tuple[tuple[str, str, float], ...]
    suspects: tuple[str, ...]

    def told(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def check(task: Task, table: Table, *, seed: int = 0) -> DataCard:
    """Look at a table's sound rows, of which there is one at least."""
    alike = same(table.columns)
    places = {each.name: _places(task, table, each.name) for each in task.columns}
    fold = folds(alike, table.target, _FOLDS, seed=seed)
    columns = tuple(
        ColumnCard(
            each.name,
            type(each).__name__.lower(),
            sum(value is None for value in table.columns[each.name]) / len(table),
            len(set(table.columns[each.name]) - {None}),
            _alone(places[each.name], table.target, fold),
        )
        for each in task.columns
    )
    duplicates, contradictions = _repeated(alike, table.target)
    proxies = _proxies(task, table, places)
    return DataCard(
        task=task.name,
        rows=len(table),
        rejected=table.rejected,
        reasons=dict(Counter(f"{each.column} {each.reason}".strip() for each in table.problems).most_common()),
        positive=float(table.target.mean()),
        duplicates=duplicates,
        contradictions=contradictions,
        columns=columns,
        further=table.further,
        groups={each.column: dict(Counter(labels(task, each, table.columns).tolist())) for each in task.protected},
        proxies=proxies,
        suspects=tuple(_suspects(task, table, columns, proxies)),
    )


def _suspects(
    task: Task, table: Table, columns: tuple[ColumnCard, ...], proxies: tuple[tuple[str, str, float], ...]
) -> list[str]:
    found = []
    for each in columns:
        column = task.column(each.name)
        if each.auc >= TELLING:
            found.append(f"{each.name} alone tells the outcome (AUC {each.auc:.3f}): is it known beforehand?")
        names = not isinstance(column, Flag) and not (isinstance(column, Number) and not column.whole)
        if names and len(table) >= _FEW and each.distinct >= NAMING * len(table):
            found.append(f"{each.name} has {each.distinct:,} values in {len(table):,} rows: does it name them?")
        if each.missing > 0.5:
            found.append(f"{each.name} is not known in {each.missing:.0%} of the rows")
        if each.distinct < 2:
            found.append(f"{each.name} is the same everywhere")
    share = float(table.target.mean())
    if min(share, 1 - share) < RARE:
        found.append(f"{share:.2%} of the rows are positive: one outcome is rare")
    hidden = {each.column for each in task.protected if not each.seen}
    found += [
        f"{column} gives away {of} (Cramér's V {strength:.2f}), which the model is not to see"
        for column, of, strength in proxies
        if of in hidden
    ]
    return found


def _repeated(alike: Places, target: Bools) -> tuple[int, int]:
    _, first = np.unique(alike, return_index=True)
    return len(alike) - len(first), int((target != target[first][alike]).sum())


def _places(task: Task, table: Table, name: str) -> Places:
    """The bin of each row's value, (N,): a category's value or a twentieth of the numbers; 0 where it is not known."""
    values = table.columns[name]
    if not isinstance(task.column(name), Number):
        texts = np.array(["" if each is None else f"={each}" for each in values], dtype=np.str_)
        return np.unique(np.append(texts, ""), return_inverse=True)[1][:-1].astype(np.int64)
    numbers: Floats = np.array([np.nan if each is None else float(each) for each in values], dtype=np.float64)
    known = ~np.isnan(numbers)
    if not known.any():
        return np.zeros(len(numbers), dtype=np.int64)
    edges = np.unique(np.quantile(numbers[known], np.linspace(0, 1, _BINS + 1)[1:-1]))
    return np.where(known, np.searchsorted(edges, numbers, side="right") + 1, 0).astype(np.int64)


def _alone(places: Places, target: Bools, fold: Places) -> float:
    """The AUC of the share of positives in a row's bin, in the folds that the row is not in; 0.5 when it is no use."""
    size = int(places.max()) + 1
    scores = np.empty(len(target))
    for each in np.unique(fold):
        out = fold == each
        prior = target[~out].mean() if (~out).any() else 0.5
        hits = np.bincount(places[~out], weights=target[~out], minlength=size) + prior
        scores[out] = (hits / (np.bincount(places[~out], minlength=size) + 1))[places[out]]
    found = auc(scores, target)
    return 0.5 if np.isnan(found) else found


def _proxies(task: Task, table: Table, places: dict[str, Places]) -> tuple[tuple[str, str, float], ...]:
    found = []
    for protected in task.protected:
        of = np.unique(labels(task, protected, table.columns), return_inverse=True)[1]
        found += [
            (column.name, protected.column, _cramer(places[column.name], of.astype(np.int64)))
            for column in task.features
            if column.name != protected.column
        ]
    return tuple(sorted((each for each in found if each[2] >= PROXY), key=lambda each: -each[2]))


def _cramer(first: Places, second: Places) -> float:
    """How strongly two categories go together, from 0 to 1."""
    table = np.zeros((int(first.max()) + 1, int(second.max()) + 1))
    np.add.at(table, (first, second), 1)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    least = min(table.shape) - 1
    if not least:
        return 0.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    return float(np.sqrt(((table - expected) ** 2 / expected).sum() / table.sum() / least))
