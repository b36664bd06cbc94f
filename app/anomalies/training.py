"""From a file to a version of what is usual in it: its columns of numbers, learned, measured, described."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson

from app.anomalies.served import MODEL
from core.versions import Candidate, Kind, Lineage
from tabular.tasks import usual
from tabular.tasks.anomalies import POINTS, check_expected
from tabular.tasks.numbers import Numbers, read_numbers
from tabular.tasks.rejected import rejected_beside, write_rejected
from tabular.tasks.storing import FORMAT, save
from tabular.tasks.usual import TrainedUsual, train_usual

EXPECTED = 0.01
"""The share of rows that is told unusual, where nobody says another."""


@dataclass(frozen=True, slots=True)
class TrainedAnomalies:
    """A model, what it was learned from, and the share of rows that it was to tell unusual."""

    trained: TrainedUsual
    numbers: Numbers
    expected: float


def train_anomalies(file: Path, *, expected: float, say: Callable[[str], None]) -> TrainedAnomalies:
    """Read the columns of numbers of a file, and learn what is usual in them; each other column is told by name.

    Rows that are not sound are written beside the file, as `NAME.rejected.csv`. Raises `InvalidInput` for a file that
    cannot be read, when too little is in it, and for a share outside 0 to one half.
    """
    check_expected(expected)
    numbers = read_numbers(file)
    if numbers.problems:
        beside = rejected_beside(file)
        write_rejected(numbers.header, numbers.problems, beside)
        say(f"{numbers.rejected:,} rows were set aside: {beside} says why")
    say(f"{len(numbers.matrix):,} rows, of which it learns: {', '.join(numbers.names)}")
    for each in numbers.left_out:
        say(f"left out: {each.name} {each.why}")
    return TrainedAnomalies(train_usual(numbers.names, numbers.matrix, expected=expected), numbers, expected)


def candidate(made: TrainedAnomalies, folder: Path, code: str) -> Candidate:
    """The model as a version to be registered; its file is written into the folder."""
    recipe = {"format": FORMAT, "points": POINTS, "parts": usual.PARTS, "push": usual.PUSH, "expected": made.expected}
    data = hashlib.sha256(orjson.dumps([made.numbers.header, made.numbers.names]))
    data.update(made.numbers.matrix.tobytes())
    return Candidate(
        model=MODEL,
        kind=Kind.TABULAR,
        files=save(MODEL, made.trained.model.told(), folder),
        lineage=Lineage("", data.hexdigest(), hashlib.sha256(orjson.dumps(recipe)).hexdigest(), code),
        metrics=made.trained.metrics,
        card=_card(made),
    )


def _card(made: TrainedAnomalies) -> str:
    trained, numbers = made.trained, made.numbers
    figures = "\n".join(
        f"* {name}: {metric.interval.value:.3f} ({metric.interval.low:.3f} to {metric.interval.high:.3f})"
        for name, metric in trained.metrics.items()
    )
    columns = "\n".join(
        f"* {name}: {points[0]:g} to {points[-1]:g}, the middle {points[POINTS // 2]:g}"
        for name, points in zip(trained.model.names, trained.model.points, strict=True)
    )
    left_out = "".join(f"* left out: {each.name} {each.why}\n" for each in numbers.left_out)
    return (
        f"# Unusual rows\n\nWhat is usual of {len(numbers.names)} columns of numbers, learned from "
        f"{trained.model.rows:,} rows, of which the share {made.expected:g} is told unusual: those with a score from "
        f"{trained.model.threshold:.3f} on. Columns are taken as independent of each other.\n\nMeasured on "
        f"{trained.tested:,} other rows, with one value of each pushed out by {usual.PUSH:g} standard deviations, or "
        f"mixed among the rows:\n\n{figures}\n\n## Data\n\n{columns}\n{left_out}"
        f"* {len(numbers.matrix):,} sound rows, {numbers.rejected:,} set aside\n"
    )
