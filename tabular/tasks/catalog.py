"""The tasks that there are, by name. A new one is a file with its declaration, and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from core.errors import NotFound
from tabular.tasks.churn import CHURN
from tabular.tasks.income import INCOME
from tabular.tasks.task import Task

TASKS: Mapping[str, Task] = {task.name: task for task in (CHURN, INCOME)}


def find(name: str) -> Task:
    """The task. Raises `NotFound`."""
    if name not in TASKS:
        raise NotFound(f"There is no task {name!r}: there are {', '.join(sorted(TASKS))}.", param="task")
    return TASKS[name]
