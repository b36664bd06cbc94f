"""`wayside models`: the files of the models that run here. What is registered and promoted is in `versions`."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn
from rich.table import Table

from app.commands import settings_for
from core.modelstore import ModelStore

commands = typer.Typer(help="List and fetch models; register, try and promote versions.", no_args_is_help=True)


@commands.command("list")
def list_models() -> None:
    """List the models of the catalogue, and which are on this machine."""
    store = ModelStore()
    table = Table("name", "task", "size", "licence", "source", "here")
    for model in store.list():
        size = f"{model.size / 1e6:.0f} MB"
        here = "yes" if store.has(model.name) else ""
        table.add_row(model.name, model.task, size, model.licence, model.source, here)
    Console().print(table)


@commands.command()
def pull(
    names: Annotated[list[str] | None, typer.Argument(help="Default: those that the settings name.")] = None,
) -> None:
    """Fetch models, verify their hashes, and keep them in the user's cache."""
    settings = settings_for(None)
    wanted = names or [settings.embedded.model, settings.embedding_model]
    if not names and settings.speech.url is None and find_spec("faster_whisper") is not None:
        wanted.append(settings.speech.model)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        tasks: dict[str, TaskID] = {}

        def advance(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(name, total=total)
            progress.update(tasks[name], completed=done)

        for name in wanted:
            path = ModelStore().pull(name, advance)
            progress.console.print(f"{name}: {path}", markup=False)
