"""The command `wayside`: the same words as the API, on the same API."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points

import typer
from pydantic import ValidationError
from rich.console import Console

from app.commands import (
    answering,
    approvals,
    audit,
    demo,
    device,
    documents,
    edge,
    feedback,
    finetune,
    keys,
    models,
    registering,
    router,
    serving,
    student,
    tabular,
    versions,
)
from core.errors import WaysideError

cli = typer.Typer(
    name="wayside",
    help="The backend of a mobile app that talks, sees and acts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
cli.command()(serving.serve)
cli.command()(documents.ingest)
cli.command()(answering.ask)
cli.command()(documents.search)
cli.add_typer(keys.commands, name="keys")
models.commands.command()(registering.register)
for command in (
    versions.versions,
    versions.show,
    versions.challenge,
    versions.promote,
    versions.rollback,
    versions.history,
):
    models.commands.command()(command)
cli.add_typer(models.commands, name="models")
cli.add_typer(demo.commands, name="demo")
cli.add_typer(approvals.commands, name="approvals")
cli.add_typer(audit.commands, name="audit")
cli.add_typer(router.commands, name="router")
cli.add_typer(feedback.commands, name="feedback")
cli.add_typer(finetune.commands, name="finetune")
cli.add_typer(edge.commands, name="edge")
cli.add_typer(device.commands, name="device")
cli.add_typer(student.commands, name="student")
cli.add_typer(tabular.commands, name="tabular")


def main() -> None:
    """Run the command line. Errors that we name are one line on stderr: exit code 1, or 2 for wrong settings."""
    for point in entry_points(group="wayside.commands"):
        if point.name in sys.argv[1:2] or {"--help", "-h"} & set(sys.argv[1:2]) or len(sys.argv) == 1:
            # Rooms above this one (evals) join by name, so that imports still run one way; loaded when asked for.
            cli.command(point.name)(point.load())
    try:
        cli()
    except WaysideError as error:
        Console(stderr=True).print(f"{error.code}: {error.message}", style="red", highlight=False, markup=False)
        sys.exit(1)
    except ValidationError as error:
        Console(stderr=True).print(f"settings: {error}", style="red", highlight=False, markup=False)
        sys.exit(2)
