"""`wayside tabular federations`: what engineers do with them, and how far they are."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from app.client import connect
from app.commands import Workspace, settings_for
from core.errors import InvalidInput

commands = typer.Typer(help="Train on devices that keep their rows (docs/federated.md).", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The federation.")]


@commands.command()
def declare(
    file: Annotated[Path, typer.Argument(help="JSON: name, about, task, plan, and public rows as evaluation.")],
    workspace: Workspace = None,
) -> None:
    """Declare a federation, so that devices can enrol."""
    try:
        body = orjson.loads(file.read_bytes())
    except OSError as problem:
        raise InvalidInput(f"cannot read {file}: {problem.strerror}", param="file") from problem
    except orjson.JSONDecodeError as problem:
        raise InvalidInput(f"{file} is not JSON: {problem}", param="file") from problem
    made = _call(workspace, "POST", "", json=body)
    typer.echo(f"{made['name']} is declared: noise multiplier {made['noise']:.3f}")


@commands.command()
def start(name: Name, workspace: Workspace = None) -> None:
    """Open the first round, when as many devices have enrolled as the plan counts on."""
    made = _call(workspace, "POST", f"/{name}/start")
    typer.echo(f"{name} is {made['state']} with {made['enrolled']} devices")


@commands.command()
def stop(name: Name, workspace: Workspace = None) -> None:
    """End it before its time: the open round's updates are forgotten, what it cost stays spent."""
    made = _call(workspace, "POST", f"/{name}/stop")
    typer.echo(f"{name} is {made['state']}: {made['ended_why']}")


@commands.command()
def show(name: Name, workspace: Workspace = None) -> None:
    """Show how far it is: its rounds, what each cost, and who came."""
    found, held = _calls(workspace, ("GET", f"/{name}"), ("GET", f"/{name}/rounds"))
    why = f", {found['ended_why']}" if found["ended_why"] else ""
    typer.echo(f"{name} is {found['state']}{why}: {found['enrolled']} devices")
    plan = found["plan"]
    typer.echo(f"epsilon {found['spent']:.3f} of {plan['epsilon']:g} at delta {plan['delta']:g}")
    table = Table("round", "epsilon", "drawn", "answered", "accuracy")
    for each in held["data"]:
        answered = "open" if each["answered"] is None else str(each["answered"])
        accuracy = "" if each["accuracy"] is None else f"{each['accuracy']:.3f}"
        table.add_row(str(each["number"]), f"{each['epsilon']:.3f}", str(each["drawn"]), answered, accuracy)
    Console().print(table)


@commands.command()
def register(name: Name, workspace: Workspace = None) -> None:
    """Register the model of one that has ended as a version, with its epsilon on the card."""
    made = _call(workspace, "POST", f"/{name}/registration")
    typer.echo(f"registered as {made['model']} {made['version']}")


def _call(workspace: Path | None, method: str, path: str, **options: Any) -> Any:
    [told] = _calls(workspace, (method, path), **options)
    return told


def _calls(workspace: Path | None, *wanted: tuple[str, str], **options: Any) -> list[Any]:
    async def ask() -> list[Any]:
        async with connect(settings_for(workspace)) as api:
            return [await api.call(method, f"/api/federated{path}", **options) for method, path in wanted]

    return asyncio.run(ask())
