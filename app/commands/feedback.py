"""`wayside feedback`: what people said of answers and suggestions, as something to learn from."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from agents.lessons import Lessons, lessons
from app.client import connect
from app.commands import Workspace, settings_for
from app.learning import held_out
from core.settings import Settings
from finetune.rows import Row, Said

commands = typer.Typer(help="Use the feedback that people gave.", no_args_is_help=True)

EXAMPLES, ANSWERS, ROWS = "examples.jsonl", "answers.jsonl", "rows.jsonl"
_PAGE = 100


@commands.callback()
def _group() -> None:
    """Keeps `export` a subcommand: typer would make an only command the group itself."""


@commands.command()
def export(
    out: Annotated[
        Path | None, typer.Option(help="The folder to write into (default: feedback in the workspace).")
    ] = None,
    workspace: Workspace = None,
) -> None:
    """Write what feedback teaches, masked: labels as the router's examples, and better answers as pairs.

    `examples.jsonl` has `text` and labels, or `next_action`; `answers.jsonl` has `task`, `prompt`, `chosen`, and
    `rejected` where something else had been said; `rows.jsonl` has the better answers as a recipe of `wayside finetune`
    reads them.
    """
    settings = settings_for(workspace, demo=False)
    learned = asyncio.run(read_feedback(settings))
    folder = out or settings.workspace / "feedback"
    folder.mkdir(parents=True, exist_ok=True)
    examples = [{"text": each.text, **each.labels} for each in learned.examples]
    steps = [{"text": each.text, "next_action": each.call} for each in learned.steps]
    answers = [
        {"task": each.task, "prompt": each.prompt, "chosen": each.chosen}
        | ({} if each.rejected is None else {"rejected": each.rejected})
        for each in learned.answers
    ]
    _write(folder / EXAMPLES, [*examples, *steps])
    _write(folder / ANSWERS, answers)
    rows = (Row((Said("user", each.prompt),), each.chosen, each.task) for each in learned.answers)
    _write(folder / ROWS, [row.as_json() for row in rows])
    tell(learned)
    typer.echo(f"{len(examples)} labelled texts, {len(steps)} next actions, {len(answers)} answers lie in {folder}")


async def read_feedback(settings: Settings) -> Lessons:
    """What the feedback of the workspace's own tenant teaches."""
    said: list[Mapping[str, Any]] = []
    async with connect(settings) as api:
        page: dict[str, Any] = {"has_more": True, "data": []}
        while page["has_more"]:
            after = {"after": said[-1]["id"]} if said else {}
            page = await api.call("GET", "/api/feedback", params={"limit": _PAGE, **after})
            said += page["data"]
    return lessons(said, held_out())


def tell(learned: Lessons) -> None:
    """Say on stderr what was not learned, and where people contradict each other."""
    for each in learned.contradictions:
        told = " → ".join(each.labels)
        typer.echo(f"contradiction: {each.head} of {each.text!r}: {told} (the last counts)", err=True)
    for count, why in (
        (learned.no_correction, "say no more than whether it was liked, or are a client's"),
        (learned.held_out, "are about a text that evaluation measures with"),
        (learned.needs_thread, "are about a text that says nothing without its thread"),
    ):
        if count:
            typer.echo(f"left out: {count} that {why}", err=True)


def _write(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write the file, whole when it appears."""
    written = path.with_suffix(".new")
    written.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    written.replace(path)
