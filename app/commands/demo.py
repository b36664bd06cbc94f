"""`wayside demo`: the demo company, Harbor & Pine."""

from __future__ import annotations

import asyncio

import typer

from app.client import connect
from app.commands import Workspace, settings_for
from app.demo.loading import SOURCE
from app.workspace import server_url
from core.errors import Conflict
from core.settings import Settings

commands = typer.Typer(help="The demo company: Harbor & Pine, outdoor gear.", no_args_is_help=True)


@commands.command()
def load(workspace: Workspace = None) -> None:
    """Load the demo company's articles and records; a workspace that has documents of its own is left alone."""
    asyncio.run(_load(settings_for(workspace, demo=True)))


async def _load(settings: Settings) -> None:
    if server_url(settings.workspace) is not None:
        raise Conflict("a server owns this workspace: stop it, or start it without --no-demo, which loads the demo")
    # Opening a workspace with the demo switched on loads it.
    async with connect(settings) as api:
        found = await api.call("GET", "/api/documents", params={"limit": 100})
    loaded = sum(each["source"].startswith(SOURCE) for each in found["data"])
    typer.echo(f"the workspace has {loaded} of the demo's articles")
