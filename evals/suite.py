"""What a suite is: cases, a task that turns each into an output, and scorers that judge the pair."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from core.errors import InvalidInput


class Case(Protocol):
    """Anything frozen with an identity; each suite declares its own dataclass."""

    @property
    def id(self) -> str:
        """Unique within the suite."""


C = TypeVar("C", bound=Case)
O = TypeVar("O")  # noqa: E741  (the output of a task; nothing here counts)


@dataclass(frozen=True, slots=True)
class Scorer(Generic[C, O]):
    """A metric: its name in reports and JSON, and what one case scores.

    `score` returns None where the metric says nothing about the case; the metric is the mean over the others.
    """

    name: str
    score: Callable[[C, O], float | None]
    lower_is_better: bool = False


@dataclass(frozen=True, slots=True)
class Pooled(Generic[C, O]):
    """A figure over all cases together, where no case has a score of its own: a percentile, a calibration error.

    It has no interval and is held against no baseline. `figure` returns None where there is nothing to say.
    """

    name: str
    figure: Callable[[Sequence[tuple[C, O]]], float | None]


@dataclass(frozen=True, slots=True)
class Suite(Generic[C, O]):
    """Data plus scorers. The first scorer is the headline.

    `details` gives what a reader needs to understand one result, label → text. `facts` says what was
    measured: data, models, sizes.
    """

    name: str
    cases: Sequence[C]
    task: Callable[[C], Awaitable[O]]
    scorers: Sequence[Scorer[C, O]]
    details: Callable[[C, O], Mapping[str, str]]
    facts: Mapping[str, str] = field(default_factory=dict)
    concurrency: int = 2
    pooled: Sequence[Pooled[C, O]] = ()


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line may ask of a suite. A suite refuses what it has no use for.

    `data` and `foreign` are folders of the suite's layout; without `data` a suite runs on the project's own.
    `train_start` is the first day of training, where a suite splits by time.
    """

    data: Path | None = None
    foreign: tuple[Path, ...] = ()
    limit: int | None = None
    seed: int = 0
    train_start: date | None = None


OpenSuite = Callable[[Options], AbstractAsyncContextManager[Suite[Any, Any]]]


def sample(rows: Sequence[C], options: Options) -> list[C]:
    """At most `limit` of the rows, drawn with the seed, in their order. Raises `InvalidInput` below 1."""
    if options.limit is None or options.limit >= len(rows):
        return list(rows)
    if options.limit < 1:
        raise InvalidInput(f"a limit of {options.limit} leaves nothing to evaluate", param="limit")
    chosen = np.random.default_rng(options.seed).choice(len(rows), size=options.limit, replace=False)
    return [rows[index] for index in sorted(chosen)]


def refuse_foreign(suite: str, options: Options) -> None:
    """Raise `InvalidInput` when a suite without a use for foreign folders was given some."""
    if options.foreign:
        raise InvalidInput(f"the suite {suite} has no use for foreign questions", param="foreign")
