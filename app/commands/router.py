"""`wayside router`: teach the router and the triage of tickets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from agents.examples import merged, read_examples
from agents.router import FOLDER
from app.commands import settings_for
from app.teaching import open_embeddings, shipped_examples, train_heads

if TYPE_CHECKING:
    from agents.training import Trained

commands = typer.Typer(help="Train what routes turns and triages tickets.", no_args_is_help=True)


@commands.callback()
def _group() -> None:
    """Keeps `train` a subcommand: typer would make an only command the group itself."""


@commands.command()
def train(
    feedback: Annotated[
        list[Path] | None, typer.Option(help="More examples (JSONL), such as corrections; they win over the shipped.")
    ] = None,
    examples: Annotated[
        Path | None, typer.Option(help="Examples in place of the shipped ones and of the demo's tickets.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The folder that the weights are written into.")] = FOLDER,
) -> None:
    """Train every head on the examples; prints accuracy and calibration by cross-validation."""
    known = read_examples(examples) if examples else shipped_examples()
    for path in feedback or ():
        known += read_examples(path)
    embeddings = open_embeddings(settings_for(None))
    try:
        trained = train_heads(merged(known), embeddings, Console(stderr=True))
    finally:
        embeddings.close()
    out.mkdir(parents=True, exist_ok=True)
    for head, result in trained.items():
        result.weights.save(out / f"{head}.npz")
    Console().print(_table(trained))
    Console().print(f"the weights lie in {out}", markup=False, highlight=False)


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
