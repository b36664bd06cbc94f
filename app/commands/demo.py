"""`wayside demo`: the demo company, Harbor & Pine."""

from __future__ import annotations

import asyncio
from typing import Any

import typer

from app.client import connect
from app.commands import Workspace, settings_for

commands = typer.Typer(help="The demo company: Harbor & Pine, outdoor gear.", no_args_is_help=True)


@commands.command()
def load(workspace: Workspace = None) -> None:
    """Load the demo company's articles and records; does nothing where they are loaded already."""
    asyncio.run(_load(settings_for(workspace, demo=True)))


async def _load(settings: Any) -> None:
    # A server that owns the workspace loaded the demo company when it started, unless it was told not to.
    async with connect(settings) as api:
        found = await api.call("GET", "/api/documents", params={"limit": 100})
        typer.echo(f"{len(found['data'])} documents are loaded")
