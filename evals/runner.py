"""Runs a suite: every case once, a bounded number at a time, nothing dropped."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from evals.intervals import Interval, bootstrap
from evals.suite import C, O, Suite


@dataclass(frozen=True, slots=True)
class Result:
    """One case: its scores (None: the metric does not apply) and its details, or the error that ended it."""

    case_id: str
    seconds: float
    scores: Mapping[str, float | None]
    details: Mapping[str, str]
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A finished suite. `metrics` has only those that at least one case was scored on.

    `pooled` has the figures over all cases together, which have no interval.
    """

    suite: str
    seed: int
    facts: Mapping[str, str]
    metrics: Mapping[str, Interval]
    lower_is_better: frozenset[str]
    results: Sequence[Result]
    seconds: float
    pooled: Mapping[str, float] = field(default_factory=dict)

    @property
    def errors(self) -> list[Result]:
        """The cases that raised. A run with any has failed, whatever its metrics say."""
        return [result for result in self.results if result.error is not None]

    def flat(self) -> dict[str, float | int]:
        """Metric → value, with `_low` and `_high` unless pooled, and the counts `cases` and `errors`."""
        rows: dict[str, float | int] = dict(self.pooled)
        for name, interval in self.metrics.items():
            rows |= {name: interval.value, f"{name}_low": interval.low, f"{name}_high": interval.high}
        return rows | {"cases": len(self.results), "errors": len(self.errors)}


async def run(suite: Suite[C, O], *, seed: int = 0, console: Console | None = None) -> Run:
    """Run every case and gather its scores; `console` gets a progress bar.

    A case that raises becomes a `Result` with an error; the others go on.
    """
    started = time.perf_counter()
    outputs: list[tuple[C, O]] = []
    with _progress(console) as progress:
        bar = progress.add_task(suite.name, total=len(suite.cases))
        gate = asyncio.Semaphore(suite.concurrency)

        async def one(case: C) -> Result:
            async with gate:
                begun = time.perf_counter()
                # Gathered as a value: a case may fail in ways that nobody foresaw, and must still be counted.
                (output,) = await asyncio.gather(_judge(suite, case, outputs), return_exceptions=True)
                progress.advance(bar)
                if isinstance(output, BaseException):
                    reason = "".join(traceback.format_exception(output))
                    return Result(case.id, time.perf_counter() - begun, {}, {}, reason)
                return output

        results = await asyncio.gather(*(one(case) for case in suite.cases))
    return Run(
        suite=suite.name,
        seed=seed,
        facts=suite.facts,
        metrics=_metrics(suite, results, seed),
        lower_is_better=frozenset(scorer.name for scorer in suite.scorers if scorer.lower_is_better),
        results=results,
        seconds=time.perf_counter() - started,
        pooled=_pooled(suite, outputs),
    )


async def _judge(suite: Suite[C, O], case: C, outputs: list[tuple[C, O]]) -> Result:
    begun = time.perf_counter()
    output = await suite.task(case)
    seconds = time.perf_counter() - begun
    scores = {scorer.name: scorer.score(case, output) for scorer in suite.scorers}
    outputs.append((case, output))
    return Result(case.id, seconds, scores, suite.details(case, output))


def _metrics(suite: Suite[C, O], results: Sequence[Result], seed: int) -> dict[str, Interval]:
    metrics = {}
    for scorer in suite.scorers:
        scored = [score for result in results if (score := result.scores.get(scorer.name)) is not None]
        if scored:
            metrics[scorer.name] = bootstrap(scored, seed=seed)
    return metrics


def _pooled(suite: Suite[C, O], outputs: Sequence[tuple[C, O]]) -> dict[str, float]:
    figures = {pooled.name: pooled.figure(outputs) for pooled in suite.pooled} if outputs else {}
    return {name: figure for name, figure in figures.items() if figure is not None}


def _progress(console: Console | None) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=console is None)
