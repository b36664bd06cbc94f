"""What the suites on supervised tasks share: test rows as cases, figures with intervals, groups in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from app.demo.tables import Row, write_table
from core.errors import InvalidInput, MissingExtra
from core.gates import Interval, judge
from evals.suite import Options, Pooled, Scorer, refuse_foreign

if TYPE_CHECKING:
    from tabular.tasks.report import Agreement
    from tabular.tasks.schema import Table
    from tabular.tasks.task import Task
    from tabular.tasks.training import Trained


@dataclass(frozen=True, slots=True)
class Case:
    """A row of the test."""

    id: str
    positive: bool


@dataclass(frozen=True, slots=True)
class Result:
    """What each model says of a row, by the model's name, and the most that speaks for or against it."""

    probabilities: Mapping[str, float]
    reasons: Mapping[str, str]


def ready(suite: str, options: Options) -> None:
    """Raise `MissingExtra` and `InvalidInput` for what stands in the way of a suite on a task."""
    refuse_foreign(suite, options)
    if options.limit is not None:
        raise InvalidInput(f"the suite {suite} is read whole: its intervals are over all rows", param="limit")
    packages = {"lightgbm": "lightgbm", "sklearn": "scikit-learn", "pandera": "pandera", "fairlearn": "fairlearn"}
    for package, name in {**packages, "lime": "lime", "shap": "shap"}.items():
        if find_spec(package) is None:
            raise MissingExtra(name, "tabular")


def read(task: Task, data: Path | None, made: Callable[[], Sequence[Row]], folder: Path) -> Table:
    """The table that is named, or one of made-up rows, which goes through a file in the folder as well."""
    from tabular.tasks.schema import read_table

    return read_table(data or write_table(made(), folder / f"{task.name}.csv"), task)


def cases(trained: Trained) -> list[Case]:
    """The test rows, in their order."""
    return [Case(f"row {place + 1}", bool(positive)) for place, positive in enumerate(trained.target)]


def results(models: Mapping[str, Trained], rows: Sequence[Case]) -> dict[str, Result]:
    """What models that have the same test rows say of each, by case."""
    from tabular.tasks.reasons import reasons

    judged = {name: each.model.judge(each.matrix) for name, each in models.items()}
    said: dict[str, Result] = {}
    for place, case in enumerate(rows):
        told = {}
        for name, each in models.items():
            found = reasons(each.task, each.model, each.matrix[place], judged[name].shares[place])
            told[name] = "; ".join(reason.text for reason in found)
        said[case.id] = Result({name: float(each.probabilities[place]) for name, each in judged.items()}, told)
    return said


def scorers(model: str, threshold: float, before: str = "") -> list[Scorer[Case, Result]]:
    """Accuracy and Brier score of one of the models; names begin with `before`."""

    def right(case: Case, out: Result) -> float:
        return float((out.probabilities[model] >= threshold) == case.positive)

    def squared(case: Case, out: Result) -> float:
        return (out.probabilities[model] - case.positive) ** 2

    return [Scorer(f"{before}accuracy", right), Scorer(f"{before}brier", squared, lower_is_better=True)]


def figures(named: Mapping[str, Interval]) -> list[Pooled[Case, Result]]:
    """Figures over all rows together; the ends of their intervals stand beside them, resampled by rows."""
    return [
        Pooled(f"{name}{end}", _constant(value))
        for name, each in named.items()
        for end, value in (("", each.value), ("_low", each.low), ("_high", each.high))
    ]


def comparisons(trained: Trained) -> dict[str, Interval]:
    """The figures between groups, by name."""
    return {name: each.interval for name, each in trained.metrics.items() if name.startswith("fairness/")}


def groups(trained: Trained) -> Iterator[tuple[str, str]]:
    """Each group, and how it is treated, in words."""
    for each in trained.fairness:
        for group in each.groups:
            rates = {"selected": group.selected, "found": group.found, "wrongly selected": group.wronged}
            told = [f"{name} {told_of(rate)}" for name, rate in rates.items() if rate is not None]
            few = "" if group.compared else ", too few to compare"
            yield f"{each.protected.column} {group.name}", f"{group.cases:,} people{few}: {', '.join(told)}"


def verdict(trained: Trained) -> str:
    """Whether the gate would let it be a first champion, in words."""
    refused = [each.words for each in judge(trained.metrics, None) if each.refuses]
    return f"stopped: {'; '.join(refused)}" if refused else "passes"


def agreed(found: Agreement) -> str:
    """How far LIME agrees, in words."""
    return f"rank correlation {told_of(found.rank)}, sign {told_of(found.sign)}, over {found.rank.cases} rows"


def told_of(interval: Interval) -> str:
    """A figure and its interval."""
    return f"{interval.value:.3f} ({interval.low:.3f} to {interval.high:.3f})"


def _constant(value: float) -> Callable[[Sequence[tuple[Case, Result]]], float]:
    return lambda _: value
