"""`wayside approvals`: what waits for people, and what they say to it."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from agents.decisions import ApprovalStatus, DecisionKind
from app.client import connect
from app.commands import Workspace, settings_for
from core.errors import InvalidInput

commands = typer.Typer(help="List and decide the calls that wait for people.", no_args_is_help=True)


@commands.command("list")
def list_approvals(
    status: Annotated[ApprovalStatus | None, typer.Option(help="Only those.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100)] = 20,
    workspace: Workspace = None,
) -> None:
    """List approvals, the latest first."""
    params = {"limit": limit} | ({"status": status.value} if status else {})
    table = Table("id", "status", "tool", "arguments", "why", "expires", "effect")
    for each in asyncio.run(_call(workspace, "GET", "/api/approvals", params=params))["data"]:
        arguments = json.dumps(each["approved"] or each["arguments"], ensure_ascii=False)
        told = (each["id"], each["status"], each["tool"], arguments, each["reason"], each["expires_at"])
        table.add_row(*told, each["effect"] or "")
    Console().print(table)


@commands.command()
def decide(
    approval_id: Annotated[str, typer.Argument(help="Such as apr_0a1b…")],
    decision: Annotated[DecisionKind, typer.Argument()],
    text: Annotated[str, typer.Option(help="The reason, or the words for the agent.")] = "",
    arguments: Annotated[str | None, typer.Option(help="Those of an edit, all of them, as JSON.")] = None,
    workspace: Workspace = None,
) -> None:
    """Approve, edit, reject or answer a call. The last consent that it needs performs it."""
    body: dict[str, Any] = {"decision": decision.value, "text": text}
    if arguments is not None:
        try:
            body["arguments"] = json.loads(arguments)
        except json.JSONDecodeError as problem:
            raise InvalidInput(f"the arguments are not JSON: {problem}", param="arguments") from problem
    made = asyncio.run(_call(workspace, "POST", f"/api/approvals/{approval_id}/decision", json=body))
    effect = f", effect {made['effect']}" if made["effect"] else ""
    typer.echo(f"{approval_id} is {made['status']}{effect}")


async def _call(workspace: Any, method: str, path: str, **options: Any) -> Any:
    async with connect(settings_for(workspace)) as api:
        return await api.call(method, path, **options)
