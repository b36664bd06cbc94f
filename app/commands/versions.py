"""`wayside models …`: the registered versions, their trials and their promotion."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table

from app.client import connect
from app.commands import Workspace, settings_for
from core.versions import LARGEST_SHARE, Alias, Mode

Model = Annotated[str, typer.Argument(help="The registered model, such as house-adapter.")]
Number = Annotated[int, typer.Argument(min=1, help="The version.")]
Why = Annotated[str, typer.Option(help="For the promotion ledger.")]


def versions(
    model: Annotated[str | None, typer.Argument(help="Default: every registered model.")] = None,
    workspace: Workspace = None,
) -> None:
    """List the registered models, or the versions of one."""
    if model is None:
        table = Table("model", "kind", "versions", "champion", "challenger", "since")
        for each in _call(workspace, "GET", "/api/models")["data"]:
            fields = ("name", "kind", "versions", "champion", "challenger", "since")
            table.add_row(*(str(each[field] or "") for field in fields))
        Console().print(table)
        return
    found = _call(workspace, "GET", f"/api/models/{model}")
    parts = {found["challenger"]: Alias.CHALLENGER.value, found["champion"]: Alias.CHAMPION.value}
    table = Table("version", "", "metrics", "by", "at")
    for each in found["data"]:
        metrics = ", ".join(f"{name} {metric['value']:.4g}" for name, metric in sorted(each["metrics"].items()))
        alias = parts.get(each["version"]) or ("rolled back" if each["version"] in found["barred"] else "")
        table.add_row(str(each["version"]), alias, metrics, each["created_by"], each["created_at"])
    Console().print(table)


def show(model: Model, number: Number, workspace: Workspace = None) -> None:
    """Show a version: its files, its lineage, its metrics and its model card."""
    found = _call(workspace, "GET", f"/api/models/{model}/versions/{number}")
    console = Console()
    console.print(f"{model} {number}, {found['kind']}, by {found['created_by']}, {found['created_at']}", markup=False)
    for part, text in found["lineage"].items():
        console.print(f"{part}: {text or '(none)'}", markup=False)
    files = Table("file", "bytes", "SHA-256")
    for each in found["files"]:
        files.add_row(each["name"], str(each["size"]), each["sha256"])
    metrics = Table("metric", "value", "95 % interval", "cases", "better", "gates", "limit")
    for name, each in sorted(found["metrics"].items()):
        between = f"{each['low']:.4g} to {each['high']:.4g}"
        better = "lower" if each["lower_is_better"] else "higher"
        gates = str(each["gates"]).lower()
        # A gateway from before limits says nothing of them.
        limit = "" if each.get("limit") is None else f"{each['limit']:.4g}"
        metrics.add_row(name, f"{each['value']:.4g}", between, str(each["cases"]), better, gates, limit)
    console.print(files, metrics, Markdown(found["card"]))


def challenge(
    model: Model,
    number: Number,
    why: Why,
    mode: Annotated[Mode, typer.Option(help="Answer unseen, or answer some of the people.")] = Mode.SHADOW,
    percent: Annotated[int, typer.Option(min=0, max=LARGEST_SHARE, help="Of the people, for a canary.")] = 0,
    workspace: Workspace = None,
) -> None:
    """Try a version on live traffic; it is taken back by itself when it does worse than the champion."""
    body = {"version": number, "mode": mode.value, "percent": percent, "why": why}
    _call(workspace, "POST", f"/api/models/{model}/challenge", json=body)
    typer.echo(f"{model} {number} is the challenger, as a {mode.value}")


def promote(model: Model, number: Number, why: Why, workspace: Workspace = None) -> None:
    """Make a version the champion. Refused when it is worse than the champion in a metric that gates."""
    found = _call(workspace, "POST", f"/api/models/{model}/promote", json={"version": number, "why": why})
    for each in found["findings"]:
        typer.echo(each["words"])
    typer.echo(f"{model} {number} is the champion")


def rollback(
    model: Model,
    why: Why,
    alias: Annotated[Alias, typer.Option(help="Which one is taken out of its part.")] = Alias.CHAMPION,
    workspace: Workspace = None,
) -> None:
    """Put the champion before this one back in force, or end the challenger's trial."""
    found = _call(workspace, "POST", f"/api/models/{model}/rollback", json={"alias": alias.value, "why": why})
    left = found[alias.value]
    typer.echo(f"{model} has {'no ' + alias.value if left is None else alias.value + ' ' + str(left)} now")


def history(model: Model, workspace: Workspace = None) -> None:
    """Show the promotion ledger of a model, oldest first; a ledger that was tampered with is an error."""
    found = _call(workspace, "GET", f"/api/models/{model}/history")
    table = Table("", "at", "by", "action", "from", "to", "why", "stood in the way")
    for each in found["data"]:
        refused = "; ".join(finding["words"] for finding in each["findings"] if finding["refuses"])
        action = f"{each['action']} {each['alias'] or ''}".strip()
        moved = (str(each["before"] or ""), str(each["after"] or ""))
        table.add_row(str(each["number"]), each["at"], each["by"], action, *moved, each["why"], refused)
    Console().print(table)
    if found["broken"] is not None:
        typer.echo(f"the ledger was tampered with: {found['broken']}", err=True)
        raise typer.Exit(1)


def _call(workspace: Path | None, method: str, path: str, **options: Any) -> Any:
    async def call() -> Any:
        async with connect(settings_for(workspace, demo=False)) as api:
            return await api.call(method, path, **options)

    return asyncio.run(call())
