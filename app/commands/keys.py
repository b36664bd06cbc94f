"""`wayside keys`: who may call."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from app.client import connect
from app.commands import Workspace, settings_for
from core.types import Role

commands = typer.Typer(help="Create, list and revoke API keys.", no_args_is_help=True)


@commands.command()
def create(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    role: Annotated[Role, typer.Option(help="What it may do.")] = Role.CLIENT,
    customer: Annotated[str | None, typer.Option(help="The customer that a client key acts for.")] = None,
    requests_per_minute: Annotated[int | None, typer.Option(min=1)] = None,
    tokens_per_day: Annotated[int | None, typer.Option(min=1)] = None,
    workspace: Workspace = None,
) -> None:
    """Make a key and print it; it cannot be shown again."""
    body = {
        "name": name,
        "role": role.value,
        "customer_id": customer,
        "requests_per_minute": requests_per_minute,
        "tokens_per_day": tokens_per_day,
    }
    given = {field: value for field, value in body.items() if value is not None}
    made = asyncio.run(_call(workspace, "POST", "/api/keys", json=given))
    typer.echo(made["key"])


@commands.command("list")
def list_keys(workspace: Workspace = None) -> None:
    """List the keys, without their secrets."""
    table = Table("id", "name", "role", "customer", "created", "revoked")
    for key in asyncio.run(_call(workspace, "GET", "/api/keys"))["data"]:
        table.add_row(*(str(key[f] or "") for f in ("id", "name", "role", "customer_id", "created_at", "revoked_at")))
    Console().print(table)


@commands.command()
def revoke(key_id: Annotated[str, typer.Argument(help="Such as key_0a1b…")], workspace: Workspace = None) -> None:
    """End a key's life."""
    asyncio.run(_call(workspace, "DELETE", f"/api/keys/{key_id}"))
    typer.echo(f"{key_id} is revoked")


async def _call(workspace: Any, method: str, path: str, **options: Any) -> Any:
    async with connect(settings_for(workspace)) as api:
        return await api.call(method, path, **options)
