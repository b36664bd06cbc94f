"""A small task, and tables for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tabular.tasks.encoding import Bools, Encoding, Floats
from tabular.tasks.learners import Rows
from tabular.tasks.schema import Table
from tabular.tasks.task import Category, Flag, Number, Protected, Target, Task

LOAN: dict[str, Any] = {
    "name": "loan",
    "title": "Loans that are paid back",
    "columns": (
        Number("income", 0, 1000, "earns {}", missing=True),
        Category("home", "lives in: {}", missing=True),
        Flag("owner", "owns it", "rents it"),
        Category("sex", "sex: {}", ("F", "M")),
        Number("age", 18, 99, "{} years old", whole=True),
    ),
    "target": Target("paid", "1", "0", "paying back"),
    "protected": (Protected("sex", ratio=0.8, odds=0.2), Protected("age", edges=(30, 60), seen=True)),
    "unused": (("id", "names the loan"),),
    "least": 20,
}


def task(**changes: Any) -> Task:
    return Task(**{**LOAN, **changes})


def table(columns: Mapping[str, Sequence[str | None]], target: Sequence[bool]) -> Table:
    return Table(columns, np.array(target, dtype=np.bool_))


def loans(count: int = 600, seed: int = 3) -> tuple[dict[str, list[str | None]], Bools]:
    """Columns with gaps, and an outcome that follows income, home and, wrongly, sex."""
    random = np.random.default_rng(seed)
    income, home = random.uniform(0, 100, count), random.integers(0, 3, count)
    female, owner = random.random(count) < 0.5, random.random(count) < 0.5
    odds = 0.06 * (income - 50) + np.array([1.5, 0.0, -1.5])[home] - 1.2 * female
    columns: dict[str, list[str | None]] = {
        "income": [None if random.random() < 0.1 else f"{each:.1f}" for each in income],
        "home": [None if random.random() < 0.1 else "abc"[each] for each in home],
        "owner": ["Yes" if each else "No" for each in owner],
        "sex": ["F" if each else "M" for each in female],
        "age": [str(each) for each in random.integers(18, 90, count)],
    }
    return columns, random.random(count) < 1 / (1 + np.exp(-odds))


def rows(count: int = 600, seed: int = 3) -> tuple[Encoding, Rows]:
    columns, target = loans(count, seed)
    encoding = Encoding.learned(task(), columns)
    matrix: Floats = encoding.matrix(columns)
    return encoding, Rows(matrix, target, np.ones(count), np.arange(count) % 4)
