"""`wayside eval`: run a suite, keep its figures and its report in the workspace, and fail when it got worse.

Exit codes: 0; 1 when a case raised or a metric fell below the baseline; 2 for input that we cannot use.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.commands import Workspace, settings_for
from app.evaluations import Evaluation, Evaluations, Metric, evaluation_id
from app.workspace import TENANT
from core.database import now
from core.errors import InvalidInput, WaysideError
from evals.gate import Change, compare, read_baseline
from evals.report import render
from evals.runner import Run, run
from evals.suite import Options
from evals.suites import BY_TIME, SUITES, find

_SHOWN = 3


def command(
    suite: Annotated[str, typer.Argument(help=f"One of: {', '.join(SUITES)}.")],
    data: Annotated[
        Path | None, typer.Option(help="A folder (tools: or a file) of the suite's layout; default: the demo.")
    ] = None,
    foreign: Annotated[
        list[Path] | None, typer.Option(help="A BEIR folder whose questions must be declined (answering).")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Run this many of each kind, drawn by seed.")] = None,
    seed: Annotated[int, typer.Option(help="Draws the cases of --limit, and the intervals.")] = 0,
    train_start: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The first day of training (fraud).")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write metric → value, _low and _high here.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the report here.")] = None,
    baseline: Annotated[Path | None, typer.Option(help="An earlier --json to hold this run against.")] = None,
    store: Annotated[bool, typer.Option(help="Keep the run in the workspace, where /api/evals shows it.")] = True,
    workspace: Workspace = None,
) -> None:
    """Run an evaluation suite."""
    errors = Console(stderr=True)
    kept = Evaluations(settings_for(workspace).workspace) if store else None
    chosen = Options(data, tuple(foreign or ()), limit, seed, train_start.date() if train_start else None)
    try:
        before = read_baseline(baseline) if baseline else None
        finished = asyncio.run(_run(suite, chosen, errors))
        changes = compare(finished, before) if before is not None else None
    except WaysideError as error:
        _complain(errors, error.message)
        raise typer.Exit(2) from error
    report = render(finished, changes)
    for path, content in (
        (json, orjson.dumps(finished.flat(), option=orjson.OPT_INDENT_2)),
        (html, report.encode()),
    ):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    Console().print(_table(finished))
    if kept is not None:
        place = kept.store(record(finished, data), report)
        errors.print(f"kept as {place}", markup=False, highlight=False, soft_wrap=True)
    if not _passed(finished, changes or (), errors):
        raise typer.Exit(1)


async def _run(suite: str, options: Options, console: Console) -> Run:
    if options.train_start is not None and suite not in BY_TIME:
        raise InvalidInput(f"the suite {suite} does not split by time", param="train_start")
    async with find(suite)(options) as opened:
        return await run(opened, seed=options.seed, console=console)


def record(finished: Run, data: Path | None) -> Evaluation:
    """The run as it is kept. It belongs to the workspace's own tenant, whosever data it ran on."""
    at = now()
    metrics = {
        name: Metric(value=each.value, low=each.low, high=each.high, cases=each.cases)
        for name, each in finished.metrics.items()
    }
    for name, figure in finished.pooled.items():
        metrics[name] = Metric(value=figure, low=None, high=None, cases=len(finished.results))
    return Evaluation(
        id=evaluation_id(finished.suite, at),
        tenant=TENANT,
        suite=finished.suite,
        created_at=at,
        data=finished.facts.get("data", data.name if data else "own"),
        metrics=metrics,
        facts=finished.facts,
        cases=len(finished.results),
        errors=len(finished.errors),
        seconds=finished.seconds,
    )


def _table(finished: Run) -> Table:
    caption = "\n".join(f"{name}: {text}" for name, text in finished.facts.items())
    table = Table("metric", "value", "95 % interval", "cases", title=finished.suite)
    table.caption, table.caption_justify = Text(caption), "left"
    for name, interval in finished.metrics.items():
        spread = f"{interval.low:.4f} to {interval.high:.4f}"
        table.add_row(name, f"{interval.value:.4f}", spread, str(interval.cases))
    for name, figure in finished.pooled.items():
        table.add_row(name, f"{figure:.4f}", "", str(len(finished.results)))
    return table


def _passed(finished: Run, changes: Sequence[Change], errors: Console) -> bool:
    for result in finished.errors[:_SHOWN]:
        _complain(errors, f"{result.case_id} failed: {result.error}")
    if finished.errors:
        _complain(errors, f"{len(finished.errors)} of {len(finished.results)} cases failed")
    regressed = [change for change in changes if change.regressed]
    for change in regressed:
        now = "missing" if change.now is None else f"{change.now:.4f}"
        _complain(errors, f"{change.metric} is worse than the baseline: {now}, was {change.before:.4f}")
    return not finished.errors and not regressed


def _complain(errors: Console, text: str) -> None:
    errors.print(text, style="red", markup=False, highlight=False, soft_wrap=True)
