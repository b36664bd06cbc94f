"""`wayside tabular drift`: look at a served model now, beside a running gateway or without one."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from app.commands import Workspace, settings_for
from app.commands.log_database import log_database
from app.drift.checks import Kept
from app.drift.report import page
from app.drift.watching import Watch
from app.mirrors import open_mirror
from app.workspace import TENANT
from core.registry import Registry
from core.settings import Settings


def drift(
    model: Annotated[str, typer.Argument(help="fraud")],
    weeks: Annotated[int | None, typer.Option(min=1, max=8, help="Length of the window; default: the setting.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the report here.")] = None,
    workspace: Workspace = None,
) -> None:
    """Look whether the champion still meets, and achieves, what it was trained for; the check is kept.

    Exit code 1 when something moved.
    """
    settings = settings_for(workspace, demo=False)
    if weeks is not None:
        settings = settings.model_copy(update={"drift": settings.drift.model_copy(update={"weeks": weeks})})
    kept = asyncio.run(_check(settings, model))
    if html is not None:
        html.parent.mkdir(parents=True, exist_ok=True)
        html.write_text(page(kept), encoding="utf-8")
    new = kept.of
    version = "no version" if new.version is None else f"version {new.version}"
    typer.echo(f"{model}, {version}: {new.rows:,} decisions, {new.matured:,} with a known outcome: {kept.state.value}")
    for opened in kept.findings:
        typer.echo(f"{opened.finding.about.value}: {opened.finding.words}, since {opened.since:%Y-%m-%d}")
    for each in new.check.unknown:
        typer.echo(f"unknown: {each}")
    if kept.findings:
        raise typer.Exit(1)


async def _check(settings: Settings, model: str) -> Kept:
    async with log_database(settings) as database:
        registry = Registry.of(database, settings.workspace, open_mirror(settings.registry))
        return await Watch(database, registry, settings.drift).check(TENANT, model)
