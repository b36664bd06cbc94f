"""`wayside student`: the small model that a device carries to know wish, urgency and what is nobody's business."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table

from agents.examples import Example, merged, read_examples
from app.commands import settings_for
from app.learning import HELD_OUT
from app.teaching import open_embeddings, shipped_examples
from app.workspace import own_weights
from core.errors import InvalidInput, MissingExtra
from core.modelstore import ModelStore

if TYPE_CHECKING:
    from app.distilling.student import Distilled

LARGEST = 400_000
"""Bytes that a student's file may have."""

commands = typer.Typer(help="Distil the student that devices carry.", no_args_is_help=True)


@commands.callback()
def _group() -> None:
    """Keeps `train` a subcommand: typer would make an only command the group itself."""


@commands.command()
def train(
    out: Annotated[Path, typer.Option(help="The folder to write student.tflite and student.json into.")],
    examples: Annotated[
        Path | None, typer.Option(help="Examples in place of the shipped ones and of the demo's tickets.")
    ] = None,
    texts: Annotated[list[Path] | None, typer.Option(help="More texts, a line each, that the teacher labels.")] = None,
    workspace: Annotated[
        Path | None, typer.Option(help="A workspace whose own feedback taught the router: that one is the teacher.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Equal seeds give equal texts and a student that decides alike.")] = 0,
) -> None:
    """Let the router teach a student, convert it to TFLite with int8 weights, and print what it can.

    Figures are those of a twin on a fifth of the examples, which it did not see. The first time, the converter's
    packages are fetched into an environment of their own.
    """
    for package in ("torch", "sklearn"):
        if find_spec(package) is None:
            raise MissingExtra(package, "train")
    # torch takes seconds to import, and only those who train have it.
    from finetune.student.export import environment, export

    known = merged(read_examples(examples) if examples else shipped_examples())
    more = [line for path in texts or () for line in _lines(path)]
    console = Console(stderr=True)
    # First, because it may fail for want of a network, and the rest takes longer.
    python = environment(say=console.print)
    distilled = _distil(known, more, workspace, seed, console)
    model = out / "student.tflite"
    export(distilled.weights, model, python)
    content = model.read_bytes()
    card = distilled.card.model_copy(update={"sha256": hashlib.sha256(content).hexdigest()})
    card.write(model.with_suffix(".json"))
    Console().print(_table(distilled))
    typer.echo(_scope(distilled))
    typer.echo(f"learned from {distilled.texts:,} texts; {len(content):,} bytes lie in {model}")
    if len(content) > LARGEST:
        typer.echo(f"that is more than the {LARGEST:,} bytes a student may have", err=True)
        raise typer.Exit(1)


def _distil(known: list[Example], more: list[str], workspace: Path | None, seed: int, console: Console) -> Distilled:
    from app.distilling.student import distil_student
    from app.distilling.teacher import Teacher
    from app.distilling.texts import PATTERNS, known_words, make_texts
    from finetune.student.patterns import Patterns

    settings = settings_for(workspace, demo=False)
    teacher = Teacher.shipped(own_weights(settings.workspace) if workspace is not None else None)
    held_out = [each.text for path in sorted((HELD_OUT / "routing").glob("*.jsonl")) for each in read_examples(path)]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    embeddings = open_embeddings(settings)
    try:
        with Progress(*columns, console=console) as progress:
            made = make_texts(
                known,
                known_words(ModelStore().path(settings.embedding_model)),
                embeddings,
                progress,
                patterns=Patterns.read(PATTERNS),
                more=more,
                held_out=held_out,
                seed=seed,
            )
            tasks: dict[str, TaskID] = {}

            def advance(stage: str, done: int, total: int) -> None:
                if stage not in tasks:
                    tasks[stage] = progress.add_task(stage)
                progress.update(tasks[stage], completed=done, total=total)

            return distil_student(known, made, teacher, seed=seed, progress=advance)
    finally:
        embeddings.close()


def _lines(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as problem:
        raise InvalidInput(f"cannot read the texts {path}: {problem}", param="texts") from problem


def _table(distilled: Distilled) -> Table:
    names = ("head", "labels", "unseen examples", "accuracy", "ECE", "sure from", "then answered")
    table = Table(*names, title="the twin on what it did not see")
    for each in distilled.measured:
        table.add_row(
            each.head.name, str(len(each.head.labels)), str(each.cases), f"{each.accuracy:.3f}", f"{each.error:.3f}",
            f"{each.head.sure:.2f}", f"{each.covered:.2f}",
        )  # fmt: skip
    return table


def _scope(distilled: Distilled) -> str:
    if distilled.turned_away is None or distilled.recall is None:
        return "the examples have nothing out of scope to measure with"
    return f"out of scope: {distilled.recall:.0%} found, {distilled.turned_away:.1%} of the others turned away"
