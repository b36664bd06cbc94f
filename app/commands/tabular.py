"""`wayside tabular`: the event log and the models that learn from it."""

from __future__ import annotations

import asyncio
import getpass
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import Progress

from app.commands import Workspace, federations, settings_for
from app.commands.drift import drift
from app.commands.log_database import log_database
from app.commands.purchases import import_purchases
from app.commands.training import TASKS, Options, Order, Trainer, find_trainer, need
from app.demo.card_uses import card_uses, lately
from app.demo.company import generate
from app.fraud.history import Appended, append_history, read_history, write_rejected
from app.mirrors import open_mirror
from app.workspace import TENANT
from core.database import now
from core.errors import InvalidInput
from core.registry import Registry
from core.settings import Settings

if TYPE_CHECKING:
    from tabular.fraud.events import Transaction

commands = typer.Typer(help="Fill the event log, and train models on it.", no_args_is_help=True)
commands.command()(drift)
commands.add_typer(federations.commands, name="federations")


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
        rows, rejected = lately(card_uses(generate().transactions), now()), 0
    else:
        found = read_history(file)
        rows, rejected = found.rows, len(found.rejected)
        if rejected:
            beside = file.with_suffix(".rejected.csv")
            write_rejected(found, beside)
            typer.echo(f"{rejected:,} lines were not taken: {beside} says why", err=True)
    done = asyncio.run(_append(settings, rows))
    typer.echo(f"{done.transactions:,} transactions were appended, {done.known:,} were known")
    if done.frauds_left:
        told = (
            f"{done.frauds_left:,} frauds were left out: their payments were decided about here, so report them there"
        )
        typer.echo(told, err=True)
    if rejected:
        raise typer.Exit(1)


@commands.command()
def check(
    task: Annotated[str, typer.Argument(help="churn or income")],
    file: Annotated[Path, typer.Argument(help=".csv, .csv.gz or .parquet.", exists=True)],
    json: Annotated[Path | None, typer.Option(help="Write the whole data card here.")] = None,
) -> None:
    """Check a table for a task: what is not sound, missing, repeated, or tells too much.

    Rows that are not sound are written beside the file. Exit code 1 when there were any.
    """
    need(TASKS)
    # Pandera and fairlearn take seconds to import, and may be missing.
    from app.tasks.training import checked
    from tabular.tasks.catalog import find

    _, card = checked(find(task), file, lambda told: typer.echo(told, err=True))
    typer.echo(
        f"{card.rows:,} sound rows, {card.positive:.1%} positive; {card.duplicates:,} equal an earlier one, "
        f"{card.contradictions:,} with another outcome"
    )
    for reason, count in card.reasons.items():
        typer.echo(f"set aside: {reason}: {count:,}")
    for each in card.columns:
        if each.missing:
            typer.echo(f"not known: {each.name} in {each.missing:.1%} of the rows")
    for suspect in card.suspects:
        typer.echo(f"to look into: {suspect}")
    if json is not None:
        json.write_bytes(orjson.dumps(card.told(), option=orjson.OPT_INDENT_2))
    if card.rejected:
        raise typer.Exit(1)


@commands.command()
def train(
    model: Annotated[str, typer.Argument(help="fraud, recommend, demand, segments, churn, income or anomalies")],
    promote: Annotated[bool, typer.Option(help="Make it the champion, if the gate lets it.")] = False,
    data: Annotated[Path | None, typer.Option(help="The table that it learns from.", exists=True)] = None,
    report: Annotated[Path | None, typer.Option(help="Write a report here, HTML.")] = None,
    even: Annotated[bool, typer.Option(help="Weigh rows until groups of people are selected evenly.")] = False,
    expected: Annotated[
        float | None, typer.Option(help="The share of rows that is unusual, for anomalies; 0.01 if not named.")
    ] = None,
    workspace: Workspace = None,
) -> None:
    """Train a model, measure it on what it was not trained on, and register it as a version.

    Churn, income and anomalies are learned from a table, the others from what the workspace holds.
    """
    trainer = find_trainer(model)
    options = Options(data, report, even, expected)
    trainer.check(model, options)
    asyncio.run(_train(settings_for(workspace, demo=False), trainer, promote, options))


async def _append(settings: Settings, rows: Sequence[tuple[Transaction, bool]]) -> Appended:
    async with log_database(settings) as database:
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("appending", total=len(rows))
            return await append_history(database, TENANT, rows, lambda done: progress.advance(task, done))


async def _train(settings: Settings, trainer: Trainer, promote: bool, options: Options) -> None:
    async with log_database(settings) as database:
        with tempfile.TemporaryDirectory() as folder, Console(stderr=True).status("training") as status:
            made, ground = await trainer.make(Order(settings, database, Path(folder), status.console.print, options))
            registry = Registry.of(database, settings.workspace, open_mirror(settings.registry))
            registered = await registry.register(made, getpass.getuser())
        for name, metric in registered.metrics.items():
            each, limit = metric.interval, "" if metric.limit is None else f", limit {metric.limit:g}"
            typer.echo(f"{name}: {each.value:.3f} ({each.low:.3f} to {each.high:.3f}){limit}")
        typer.echo(f"registered as {registered.model} {registered.number}")
        if promote:
            await registry.promote(registered.model, registered.number, getpass.getuser(), f"trained on {ground}")
