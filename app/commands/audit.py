"""`wayside audit`: whether the record of who did what is whole."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from app.client import connect
from app.commands import Workspace, settings_for
from core.settings import Settings

commands = typer.Typer(help="Check the audit log.", no_args_is_help=True)


@commands.command()
def verify(
    known: Annotated[str | None, typer.Option(help="The hash that an earlier check printed.")] = None,
    workspace: Workspace = None,
) -> None:
    """Follow the chain of hashes from the first entry to the last; the first broken link is an error."""
    # Checking changes nothing, so it brings no demo company into an empty workspace either.
    found = asyncio.run(_verify(settings_for(workspace, demo=False), known))
    typer.echo(f"{found['entries']} entries hold; the last has the hash {found['hash']}")
    if found["broken"] is not None:
        typer.echo(f"entry {found['broken']['number']} is broken: {found['broken']['reason']}", err=True)
        raise typer.Exit(1)


async def _verify(settings: Settings, known: str | None) -> dict[str, Any]:
    async with connect(settings) as api:
        params = {} if known is None else {"known": known}
        found: dict[str, Any] = await api.call("GET", "/api/audit/verification", params=params)
        return found
