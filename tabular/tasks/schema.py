"""A task as a pandera schema, and a file's rows parted by it: what is sound, and what is set aside with its reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from core.errors import InvalidInput
from tabular.tasks.reading import Raw, read_rows
from tabular.tasks.rejected import Problem
from tabular.tasks.task import Category, Column, Task

UNKNOWN = "is missing"


@dataclass(frozen=True, slots=True)
class Table:
    """The sound rows of a file, by column, and the others. `target` is (N,).

    `header` is the file's, `further` what it has and the task does not know.
    """

    columns: Mapping[str, Sequence[str | None]]
    target: npt.NDArray[np.bool_]
    problems: tuple[Problem, ...] = ()
    header: tuple[str, ...] = ()
    further: tuple[str, ...] = ()

    def __len__(self) -> int:
        """How many rows are sound."""
        return len(self.target)

    @property
    def rejected(self) -> int:
        """How many rows were set aside; one row may have several problems."""
        return len({each.line for each in self.problems})

    def take(self, chosen: npt.NDArray[np.bool_]) -> dict[str, list[str | None]]:
        """The columns of the rows where `chosen`, (N,), is true."""
        places = np.flatnonzero(chosen).tolist()
        return {name: [values[place] for place in places] for name, values in self.columns.items()}


def schema(task: Task) -> pa.DataFrameSchema:
    """What a table of the task must be: values as text, None where none is known."""
    columns = {each.name: _column(each) for each in task.columns}
    target = task.target
    # The target is one of two values, like any category.
    columns[target.name] = _column(Category(target.name, "{}", (target.positive, target.negative)))
    return pa.DataFrameSchema(columns)


def _column(column: Column) -> pa.Column:
    check = pa.Check(lambda series: series.map(column.sound), error=column.rule)
    return pa.Column(object, check, nullable=column.missing)


def read_table(path: Path, task: Task) -> Table:
    """Read a file and part its rows. Raises `InvalidInput` as `read_rows` does, and where no row is sound."""
    raw = read_rows(path, task)
    table = part(raw, task)
    if not len(table):
        raise InvalidInput(f"{path} has no sound row", param="data")
    return table


def part(raw: Raw, task: Task) -> Table:
    """Part the rows of a file by the task's schema; every problem of every row is found."""
    names = [*(each.name for each in task.columns), task.target.name]
    frame = pd.DataFrame(
        {name: pd.Series([row.values[name] for row in raw.rows], dtype=object) for name in names},
        index=pd.RangeIndex(len(raw.rows)),
    )
    problems = [Problem(each.line, "", each.reason, each.plain) for each in raw.ragged]
    bad: set[int] = set()
    try:
        schema(task).validate(frame, lazy=True)
    except SchemaErrors as found:
        for column, check, place in found.failure_cases[["column", "check", "index"]].itertuples(index=False):
            row = raw.rows[int(place)]
            why = UNKNOWN if check == "not_nullable" else str(check)
            problems.append(Problem(row.line, str(column), why, row.plain))
            bad.add(int(place))
    sound = [row for place, row in enumerate(raw.rows) if place not in bad]
    columns = {each.name: [row.values[each.name] for row in sound] for each in task.columns}
    target = np.array([row.values[task.target.name] == task.target.positive for row in sound], dtype=np.bool_)
    problems.sort(key=lambda each: (each.line, each.column))
    return Table(columns, target, tuple(problems), raw.header, raw.further)
