"""The models of the tasks that are in force: the registry's champions, taken up while the gateway runs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app import logs
from app.champions import Champion
from core.errors import Conflict, InvalidInput, WaysideError
from core.registry import Registry
from core.versions import Version
from tabular.tasks.catalog import TASKS, find
from tabular.tasks.model import TaskModel, load
from tabular.tasks.reasons import Reason, reasons
from tabular.tasks.rows import Value, texts
from tabular.tasks.task import Task


@dataclass(frozen=True, slots=True)
class Scored:
    """A row as the model judges it; `positive` is the decision at the task's threshold."""

    probability: float
    positive: bool
    reasons: tuple[Reason, ...]


class ServedTasks:
    """Holds a model for each task that has a champion."""

    def __init__(self, registry: Registry) -> None:
        self._champions = {name: Champion(registry, name) for name in TASKS}
        self._models: dict[str, TaskModel] = {}

    async def score(self, name: str, rows: Sequence[Mapping[str, Value]]) -> tuple[str, list[Scored]]:
        """Judge rows by the champion: its SHA-256, and what it says of each.

        Raises `NotFound` for an unknown task, `Conflict` when none of its models is in force, and `InvalidInput` for a
        row that is not sound, with the path of the value.
        """
        task = find(name)
        model = self._models.get(name)
        if model is None:
            raise Conflict(f"no model of {name} is in force: train one, and promote it", param="task")
        return model.sha256, await asyncio.to_thread(_scored, task, model, texts(task, rows))

    async def refresh(self) -> None:
        """Take up each champion that changed.

        One that cannot be taken up is logged, once; the one before it stays in force.
        """
        for task in TASKS.values():
            try:
                await self._refresh(task)
            except WaysideError as error:
                logs.logger.error("the champion was not taken up", model=task.name, **logs.describe(error))

    async def _refresh(self, task: Task) -> None:
        change = await self._champions[task.name].change()
        if change is None:
            return
        if change.version is None:
            self._models.pop(task.name, None)
            return
        _check(task, change.version)
        self._models[task.name] = await asyncio.to_thread(load, change.files, task)


def _check(task: Task, version: Version) -> None:
    """Refuse a champion that was never held to the task's limits, such as one registered without them."""
    for name, limit in task.limits.items():
        metric = version.metrics.get(name)
        kept = metric is not None and (
            metric.interval.value <= limit if metric.lower_is_better else metric.interval.value >= limit
        )
        if not kept:
            told = f"{task.name} {version.number} was not measured to keep {name} within {limit:g}"
            raise InvalidInput(told, param="metrics")


def _scored(task: Task, model: TaskModel, columns: Mapping[str, Sequence[str | None]]) -> list[Scored]:
    matrix = model.encoding.matrix(columns)
    judged = model.judge(matrix)
    return [
        Scored(float(probability), bool(probability >= task.threshold), tuple(reasons(task, model, row, shares)))
        for probability, row, shares in zip(judged.probabilities, matrix, judged.shares, strict=True)
    ]
