"""`wayside router`: teach the router and the triage of tickets."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from agents.examples import Example, merged, read_examples
from app.commands import Workspace, settings_for
from app.commands.feedback import read_feedback, tell
from app.learning import Taught, held_out, keep, teach
from app.teaching import open_embeddings, shipped_examples, train_heads
from app.workspace import own_weights
from core.errors import InvalidInput

if TYPE_CHECKING:
    from agents.training import Trained

commands = typer.Typer(help="Train what routes turns and triages tickets.", no_args_is_help=True)


@commands.callback()
def _group() -> None:
    """Keeps `train` a subcommand: typer would make an only command the group itself."""


@commands.command()
def train(
    feedback: Annotated[
        list[Path] | None, typer.Option(help="More corrections (JSONL of the examples' shape); they win over all else.")
    ] = None,
    examples: Annotated[
        Path | None, typer.Option(help="Examples in place of the shipped ones and of the demo's tickets.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write every head here, and leave the workspace and its feedback alone.")
    ] = None,
    workspace: Workspace = None,
) -> None:
    """Learn from the workspace's feedback; the workspace's server uses what was learned from its next start on.

    Figures are those of cross-validation. A head that does worse on what was known before is not replaced, and the
    exit code is 1.
    """
    if out is not None and workspace is not None:
        raise InvalidInput("--out leaves the workspace alone: give one of the two", param="out")
    known = read_examples(examples) if examples else shipped_examples()
    corrections = [each for path in feedback or () for each in read_examples(path)]
    if out is not None:
        _train_all(merged([*known, *_allowed(corrections)]), out)
    elif not _learn(known, corrections, workspace, every_head=examples is not None):
        raise typer.Exit(1)


def _learn(known: Sequence[Example], given: Sequence[Example], workspace: Path | None, *, every_head: bool) -> bool:
    # Learning brings no demo company into an empty workspace.
    settings = settings_for(workspace, demo=False)
    learned = asyncio.run(read_feedback(settings))
    tell(learned)
    corrections = [*learned.examples, *_allowed(given)]
    if not corrections and not every_head:
        keep({}, own_weights(settings.workspace))
        typer.echo("nobody has corrected a label: the repository's weights are in use")
        return True
    embeddings = open_embeddings(settings)
    try:
        taught = teach(known, corrections, embeddings, Console(stderr=True), every_head=every_head)
    finally:
        embeddings.close()
    keep(taught, own_weights(settings.workspace))
    Console().print(_comparison(taught))
    worse = [head for head, result in taught.items() if result.worse]
    for head in worse:
        typer.echo(f"{head} would know less of what it knew by more than chance: it is not replaced", err=True)
    typer.echo(f"the weights lie in {own_weights(settings.workspace)}; a server takes them up when it starts")
    return not worse


def _train_all(examples: Sequence[Example], out: Path) -> None:
    embeddings = open_embeddings(settings_for(None))
    try:
        trained = train_heads(examples, embeddings, Console(stderr=True))
    finally:
        embeddings.close()
    out.mkdir(parents=True, exist_ok=True)
    for head, result in trained.items():
        result.weights.save(out / f"{head}.npz")
    Console().print(_table(trained))
    Console().print(f"the weights lie in {out}", markup=False, highlight=False)


def _allowed(corrections: Sequence[Example]) -> list[Example]:
    """Those that evaluation does not measure with."""
    is_held_out = held_out()
    allowed = [each for each in corrections if not is_held_out(each.text)]
    if len(allowed) < len(corrections):
        left_out = len(corrections) - len(allowed)
        typer.echo(f"left out: {left_out} of the given corrections, which evaluation measures with", err=True)
    return allowed


def _comparison(taught: dict[str, Taught]) -> Table:
    names = ("head", "examples", "known: before", "after", "difference", "corrections", "before", "after", "")
    table = Table(*names, title="cross-validation: decided rightly, each text unseen")
    for head, result in taught.items():
        known, corrected = result.known, result.corrected
        before = ("", "", "") if known is None else (f"{known.before:.3f}", f"{known.after:.3f}", _interval(result))
        fixed = ("", "") if corrected is None else tuple(f"{share:.2f}" for share in corrected)
        verdict = "worse: not replaced" if result.worse else "in place"
        table.add_row(head, str(result.trained.examples), *before, str(result.corrections), *fixed, verdict)
    return table


def _interval(result: Taught) -> str:
    known = result.known
    return "" if known is None else f"{known.after - known.before:+.3f} ({known.low:+.3f} to {known.high:+.3f})"


def _table(trained: dict[str, Trained]) -> Table:
    names = ("head", "examples", "accuracy", "of the label", "out of scope found", "ECE", "sure from", "then answered")
    table = Table(*names, title="cross-validation")
    for head, result in trained.items():
        recall = "" if result.recall is None else f"{result.recall:.3f}"
        table.add_row(
            head, str(result.examples), f"{result.accuracy:.3f}", f"{result.closed_accuracy:.3f}", recall,
            f"{result.error:.3f}", f"{result.weights.sure:.2f}", f"{result.covered:.2f}",
        )  # fmt: skip
    return table
