"""`wayside ask`: one question, answered from the documents."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

import typer
from rich.console import Console

from app.client import ApiClient, connect
from app.commands import Workspace, settings_for


def ask(
    question: Annotated[str, typer.Argument(help="The question.")],
    workspace: Workspace = None,
    thread: Annotated[str | None, typer.Option(help="Continue this thread.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the API's answer as it is.")] = False,
) -> None:
    """Ask the assistant; prints the answer and the passages that it cites."""
    asyncio.run(_ask(question, settings_for(workspace), thread, as_json))


async def _ask(question: str, settings: Any, thread: str | None, as_json: bool) -> None:
    async with connect(settings) as api:
        body = await _complete(api, question, thread)
    if as_json:
        typer.echo(json.dumps(body, indent=2, ensure_ascii=False))
        return
    message = body["choices"][0]["message"]
    console = Console(highlight=False)
    console.print(message["content"], markup=False)
    for annotation in message.get("annotations", []):
        citation = annotation["url_citation"]
        where = " > ".join((citation["title"], *citation["headings"]))
        console.print(f"\n[{citation['marker']}] {where} ({citation['verdict']})", style="dim", markup=False)
        console.print(f"    {citation['quote']}", style="dim", markup=False)


async def _complete(api: ApiClient, question: str, thread: str | None) -> dict[str, Any]:
    body: dict[str, Any] = {"model": "wayside", "messages": [{"role": "user", "content": question}]}
    if thread is not None:
        body["metadata"] = {"thread_id": thread}
    answer: dict[str, Any] = await api.call("POST", "/v1/chat/completions", json=body)
    return answer
