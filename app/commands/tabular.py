"""`wayside tabular`: the event log and the models that learn from it."""

from __future__ import annotations

import asyncio
import getpass
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from app.commands import Workspace, settings_for
from app.commands.log_database import log_database
from app.commands.purchases import import_purchases
from app.commands.trainers import TRAINERS, Making, Trainer, trainer
from app.demo.card_uses import card_uses
from app.demo.company import generate
from app.fraud.history import append_history, read_history, write_rejected
from app.mirrors import open_mirror
from app.workspace import TENANT
from core.errors import InvalidInput
from core.registry import Registry
from core.settings import Settings
from core.versions import Version

if TYPE_CHECKING:
    from tabular.fraud.events import Transaction

commands = typer.Typer(help="Fill the event log, and train models on it.", no_args_is_help=True)


@commands.command("import")
def import_(
    file: Annotated[
        Path | None, typer.Argument(help="CSV: id, at, card, terminal, amount, fraud.", exists=True, dir_okay=False)
    ] = None,
    demo: Annotated[bool, typer.Option(help="The demo company's card transactions.")] = False,
    purchases: Annotated[bool, typer.Option(help="Every order of the company's order system.")] = False,
    workspace: Workspace = None,
) -> None:
    """Append what happened to the event log: old card transactions, or purchases.

    Lines of a file that are not sound are written beside it; exit code 1 when there were any. What the log has already
    is left out.
    """
    if (file is not None) + demo + purchases != 1:
        raise InvalidInput("name either a file or --demo, or --purchases", param="file")
    settings = settings_for(workspace, demo=False)
    if purchases:
        taken = asyncio.run(import_purchases(settings))
        told = f"{taken.appended:,} purchases were appended, {taken.known:,} were known, {taken.withdrawn:,} withdrawn"
        typer.echo(told)
        return
    if file is None:
        rows, rejected = list(card_uses(generate().transactions)), 0
    else:
        found = read_history(file)
        rows, rejected = found.rows, len(found.rejected)
        if rejected:
            beside = file.with_suffix(".rejected.csv")
            write_rejected(found, beside)
            typer.echo(f"{rejected:,} lines were not taken: {beside} says why", err=True)
    appended, known = asyncio.run(_append(settings, rows))
    typer.echo(f"{appended:,} transactions were appended, {known:,} were known")
    if rejected:
        raise typer.Exit(1)


@commands.command()
def train(
    model: Annotated[str, typer.Argument(help=" or ".join(TRAINERS))],
    promote: Annotated[bool, typer.Option(help="Make it the champion, if the gate lets it.")] = False,
    workspace: Workspace = None,
) -> None:
    """Train a model on the event log, measure it forward in time, and register it as a version."""
    wanted = trainer(model)
    wanted.check()
    registered = asyncio.run(_train(settings_for(workspace, demo=False), wanted, promote=promote))
    for name, metric in registered.metrics.items():
        each = metric.interval
        typer.echo(f"{name}: {each.value:.3f} ({each.low:.3f} to {each.high:.3f})")
    typer.echo(f"registered as {registered.model} {registered.number}")


async def _append(settings: Settings, rows: Sequence[tuple[Transaction, bool]]) -> tuple[int, int]:
    async with log_database(settings) as database:
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("appending", total=len(rows))
            return await append_history(database, TENANT, rows, lambda done: progress.advance(task, done))


async def _train(settings: Settings, wanted: Trainer, *, promote: bool) -> Version:
    async with log_database(settings) as database:
        with tempfile.TemporaryDirectory() as folder, Console(stderr=True).status("training") as status:
            made = await wanted.make(Making(settings, database, TENANT, Path(folder), status.console.print))
            registry = Registry.of(database, settings.workspace, open_mirror(settings.registry))
            registered = await registry.register(made, getpass.getuser())
            if promote:
                why = "trained on the event log"
                await registry.promote(registered.model, registered.number, getpass.getuser(), why)
        return registered
