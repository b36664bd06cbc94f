"""`wayside tabular`: the event log and the models that learn from it."""

from __future__ import annotations

import asyncio
import getpass
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from app.commands import Workspace, settings_for
from app.demo.card_uses import card_uses
from app.demo.company import generate
from app.fraud.history import append_history, read_history, write_rejected
from app.mirrors import open_mirror
from app.systems import open_systems
from app.workspace import TENANT
from core.database import Database, now
from core.errors import InvalidInput, MissingExtra
from core.registry import Registry
from core.settings import Settings
from core.versions import Candidate, Version
from tabular.eventlog import EventLog

if TYPE_CHECKING:
    from tabular.fraud.events import Transaction

commands = typer.Typer(help="Fill the event log, and train models on it.", no_args_is_help=True)


@commands.command("import")
def import_(
    file: Annotated[
        Path | None, typer.Argument(help="CSV: id, at, card, terminal, amount, fraud.", exists=True, dir_okay=False)
    ] = None,
    demo: Annotated[bool, typer.Option(help="The demo company's card transactions.")] = False,
    workspace: Workspace = None,
) -> None:
    """Append old card transactions to the event log; lines that are not sound are written beside the file.

    Exit code 1 when there were any. What the log has already is left out.
    """
    if (file is None) != demo:
        raise InvalidInput("name either a file or --demo", param="file")
    if file is None:
        rows, rejected = list(card_uses(generate().transactions)), 0
    else:
        found = read_history(file)
        rows, rejected = found.rows, len(found.rejected)
        if rejected:
            beside = file.with_suffix(".rejected.csv")
            write_rejected(found, beside)
            typer.echo(f"{rejected:,} lines were not taken: {beside} says why", err=True)
    appended, known = asyncio.run(_append(settings_for(workspace, demo=False), rows))
    typer.echo(f"{appended:,} transactions were appended, {known:,} were known")
    if rejected:
        raise typer.Exit(1)


@commands.command()
def train(
    model: Annotated[str, typer.Argument(help="fraud or demand")],
    promote: Annotated[bool, typer.Option(help="Make it the champion, if the gate lets it.")] = False,
    workspace: Workspace = None,
) -> None:
    """Train a model on what is known, measure it on what it had not seen, and register it as a version.

    The model of fraud learns from the event log, forecasts of demand from the sales that procurement keeps.
    """
    if model not in _TRAINED:
        raise InvalidInput(f"no model {model!r} is trained here: there are {', '.join(_TRAINED)}", param="model")
    packages, make = _TRAINED[model]
    for package, name in packages:
        if find_spec(package) is None:
            raise MissingExtra(name, "tabular")
    registered = asyncio.run(_train(settings_for(workspace, demo=False), make, promote=promote))
    for name, metric in registered.metrics.items():
        each = metric.interval
        typer.echo(f"{name}: {each.value:.3f} ({each.low:.3f} to {each.high:.3f})")
    typer.echo(f"registered as {registered.model} {registered.number}")


async def _append(settings: Settings, rows: Sequence[tuple[Transaction, bool]]) -> tuple[int, int]:
    database = await _open(settings)
    try:
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("appending", total=len(rows))
            return await append_history(database, TENANT, rows, lambda done: progress.advance(task, done))
    finally:
        await database.close()


Made = tuple[Candidate, str]
"""What is to be registered, and why it may be promoted."""


async def _fraud(_settings: Settings, database: Database, folder: Path, say: Callable[[str], None]) -> Made:
    # Scikit-learn and LightGBM take seconds to import, and may be missing.
    from app.fraud.training import candidate, train_fraud

    moment = int(now().timestamp() * 1000)
    trained = await train_fraud(EventLog(database), TENANT, now=moment, say=say)
    return candidate(trained, folder, f"wayside {version('wayside')}"), "trained on the event log"


async def _demand(settings: Settings, database: Database, folder: Path, say: Callable[[str], None]) -> Made:
    from app.demand.training import candidate, train_demand

    async with AsyncExitStack() as stack:
        procurement = open_systems(settings.systems, database, stack).procurement
        trained = await train_demand(procurement, TENANT, stale_days=settings.demand.stale_days, say=say)
    made = candidate(trained, folder, f"wayside {version('wayside')}")
    return made, f"forecasts from sales until {trained.prepared.origin.isoformat()}"


Make = Callable[[Settings, Database, Path, Callable[[str], None]], Awaitable[Made]]
_LIGHTGBM, _SKLEARN = ("lightgbm", "lightgbm"), ("sklearn", "scikit-learn")
_STATSFORECAST, _PANDAS = ("statsforecast", "statsforecast"), ("pandas", "pandas")
_TRAINED: dict[str, tuple[tuple[tuple[str, str], ...], Make]] = {
    "fraud": ((_LIGHTGBM, _SKLEARN), _fraud),
    "demand": ((_STATSFORECAST, _PANDAS), _demand),
}
"""Each model's packages (as imported, as installed), and what makes it."""


async def _train(settings: Settings, make: Make, *, promote: bool) -> Version:
    database = await _open(settings)
    try:
        with tempfile.TemporaryDirectory() as folder, Console(stderr=True).status("training") as status:
            made, why = await make(settings, database, Path(folder), status.console.print)
            registry = Registry.of(database, settings.workspace, open_mirror(settings.registry))
            registered = await registry.register(made, getpass.getuser())
            if promote:
                await registry.promote(registered.model, registered.number, getpass.getuser(), why)
        return registered
    finally:
        await database.close()


async def _open(settings: Settings) -> Database:
    settings.workspace.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(settings.database_dsn)
    await database.migrate()
    return database
