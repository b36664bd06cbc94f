"""From a file to a version of a task's model: checked, trained, measured, described."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson

from core.versions import Candidate, Kind, Lineage
from tabular.tasks.checks import DataCard, check
from tabular.tasks.learners import PARAMETERS
from tabular.tasks.rejected import rejected_beside, write_rejected
from tabular.tasks.schema import Table, read_table
from tabular.tasks.task import Task
from tabular.tasks.training import Trained, train


@dataclass(frozen=True, slots=True)
class TaskTraining:
    """A trained model and the data it came from."""

    trained: Trained
    card: DataCard


def checked(task: Task, file: Path, say: Callable[[str], None]) -> tuple[Table, DataCard]:
    """Read and check a file; rows that are not sound are written beside it, as `NAME.rejected.csv`.

    Raises `InvalidInput` for a file that cannot be read, or has no sound row.
    """
    table = read_table(file, task)
    if table.problems:
        beside = rejected_beside(file)
        write_rejected(table.header, table.problems, beside)
        say(f"{table.rejected:,} rows were set aside: {beside} says why")
    return table, check(task, table)


def train_task(task: Task, file: Path, *, even: bool, say: Callable[[str], None]) -> TaskTraining:
    """Check the file and train on it; `even` weighs rows until the task's limits on selection are kept.

    Raises `InvalidInput` for a file that cannot be read, and when too little is in it.
    """
    table, card = checked(task, file, say)
    say(f"{card.rows:,} rows, {card.positive:.1%} of them positive")
    for each in card.suspects:
        say(f"to look into: {each}")
    trained = train(task, table, correcting=even)
    say(trained.recipe)
    return TaskTraining(trained, card)


def candidate(made: TaskTraining, folder: Path, code: str) -> Candidate:
    """The model as a version to be registered; its files are written into the folder."""
    trained = made.trained
    recipe = hashlib.sha256(orjson.dumps({**PARAMETERS, "recipe": trained.recipe}))
    return Candidate(
        model=trained.task.name,
        kind=Kind.TABULAR,
        files=trained.model.save(folder),
        lineage=Lineage("", trained.data, recipe.hexdigest(), code),
        metrics=trained.metrics,
        card=_card(made),
    )


def _card(made: TaskTraining) -> str:
    trained, data = made.trained, made.card
    figures = "\n".join(
        f"* {name}: {metric.interval.value:.3f} ({metric.interval.low:.3f} to {metric.interval.high:.3f})"
        + ("" if metric.limit is None else f", limit {metric.limit:g}")
        for name, metric in trained.metrics.items()
    )
    suspects = "".join(f"* to look into: {each}\n" for each in data.suspects)
    return (
        f"# {trained.task.title}\n\n{trained.recipe}. {trained.choice}\n\n"
        f"Trained on {len(trained.background):,} rows, measured on {len(trained.target):,} others, of which equal rows "
        f"are never on both sides:\n\n{figures}\n\n## Data\n\n* {data.rows:,} rows, {data.positive:.1%} positive, "
        f"{data.rejected:,} set aside, {data.duplicates:,} equal to an earlier one\n{suspects}"
    )
