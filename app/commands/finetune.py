"""`wayside finetune`: tune a model by a recipe."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from app.commands import Workspace, registering, settings_for
from app.house.lessons import LESSONS
from core.errors import InvalidInput
from finetune.recipe import read_recipe
from finetune.rows import write_rows

if TYPE_CHECKING:
    from finetune.checkpoints import History
    from finetune.report import Report

commands = typer.Typer(help="Tune models by recipes.", no_args_is_help=True)


@commands.command()
def run(
    recipe: Annotated[Path, typer.Argument(help="A recipe, such as finetune/recipes/house.yaml.")],
    out: Annotated[Path | None, typer.Option(help="Default: finetune/NAME in the workspace.")] = None,
    register: Annotated[
        str | None, typer.Option(help="Register the adapter as a version of this model, such as house-adapter.")
    ] = None,
    code: Annotated[str | None, typer.Option(help="The revision of the code, for the version's lineage.")] = None,
    workspace: Workspace = None,
) -> None:
    """Train, compare, export and report. Killed and started again, it goes on at the latest checkpoint."""
    from app.finetuning import candidate, finetune

    wanted = read_recipe(recipe)
    if register is not None and wanted.export.adapter is None:
        raise InvalidInput("there is nothing to register: the recipe has export.adapter: null", param="register")
    settings = settings_for(workspace)
    folder = out or settings.workspace / "finetune" / wanted.name
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[told]}"),
    )
    with Progress(*columns, console=console) as progress:
        training = progress.add_task("training", total=None, told="")

        def watch(history: History, steps: int) -> None:
            told = f"loss {history.losses[-1]['loss']:.3f}"
            if history.evaluations:
                latest = history.evaluations[-1]
                told += f", held out {latest['loss']:.3f}, whole answers {latest['exact']:.1%}"
            progress.update(training, completed=history.step, total=steps, told=told)

        def say(line: str) -> None:
            progress.console.print(line, markup=False, highlight=False)

        report = finetune(wanted, recipe.parent, folder, say=say, watch=watch)
    _tell(report, folder, Console())
    if register is not None:
        made_of = candidate(report, folder, register, code or f"wayside {version('wayside')}")
        made = asyncio.run(registering.keep(settings, made_of))
        typer.echo(f"{register} {made.number} is registered")


@commands.command()
def rows(
    generator: Annotated[str, typer.Argument(help=f"One of {', '.join(LESSONS)}.")],
    out: Annotated[Path, typer.Argument(help="The JSONL file to write.")],
    count: Annotated[int, typer.Option(min=1, help="How many rows.")] = 1000,
    seed: Annotated[int, typer.Option(help="Equal seeds give equal rows.")] = 0,
) -> None:
    """Write what a generator makes, to be looked at or to be trained on elsewhere."""
    lesson = LESSONS.get(generator)
    if lesson is None:
        raise InvalidInput(f"no generator {generator}: there are {', '.join(LESSONS)}", param="generator")
    write_rows(out, lesson(seed, count))


def _tell(report: Report, folder: Path, console: Console) -> None:
    table = Table("", "held-out loss", "whole answers", "size", "tokens/s", title=report.name)
    table.add_row("before", f"{report.untuned.loss:.3f}", f"{report.untuned.exact:.1%}", "", "")
    table.add_row("after", f"{report.tuned.loss:.3f}", f"{report.tuned.exact:.1%}", "", "")
    for file in report.files:
        held = (f"{file.held.loss:.3f}", f"{file.held.exact:.1%}") if file.held else ("", "")
        table.add_row(file.name, *held, f"{file.size / 1e6:.1f} MB", f"{file.speed:.0f}")
    console.print(table)
    if report.parity is not None:
        console.print(
            f"llama.cpp against torch: logits differ by {report.parity.difference:.4f} at most; "
            f"{report.parity.same} of {report.parity.prompts} continuations are equal",
            highlight=False,
        )
    console.print(f"{folder / 'report.html'}", markup=False, highlight=False)
