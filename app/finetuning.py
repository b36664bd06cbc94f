"""Puts a training run together: rows from files and generators, the base from the model store, llama.cpp to compare."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from app.house.lessons import LESSONS, Lesson
from core.errors import InvalidInput, MissingExtra
from core.gates import Interval, Metric, wilson
from core.modelstore import ModelStore
from core.versions import Candidate, Kind, Lineage
from finetune.recipe import Recipe, Source
from finetune.rows import Row, read_rows

if TYPE_CHECKING:
    from finetune.report import Report
    from finetune.running import Materials
    from finetune.training import Watch

RECIPES = Path(__file__).parents[1] / "finetune" / "recipes"


def finetune(
    recipe: Recipe,
    beside: Path,
    folder: Path,
    *,
    say: Callable[[str], None],
    watch: Watch | None = None,
    store: ModelStore | None = None,
    lessons: Mapping[str, Lesson] = LESSONS,
) -> Report:
    """Run a recipe into `folder`. Files that it names lie in `beside`.

    Raises `MissingExtra` without torch, `NotFound` for a base that was not pulled, and what `finetune.running.run`
    raises.
    """
    if find_spec("torch") is None or find_spec("peft") is None:
        raise MissingExtra("torch and peft", "train")
    # Importing torch takes seconds, which only those who train shall wait.
    from app.engines.scoring import LlamaCpp
    from finetune.running import run

    found = materials(recipe, beside, store or ModelStore(), lessons)
    return run(recipe, found, folder, LlamaCpp(os.cpu_count() or 1), say=say, watch=watch)


def candidate(report: Report, folder: Path, model: str, code: str) -> Candidate:
    """The adapter of a run as a version to be registered, measured on its held-out rows.

    Raises `InvalidInput` when the run made no adapter in GGUF.
    """
    name = f"{report.name}.gguf"
    if not (folder / name).is_file():
        raise InvalidInput(f"{report.name} made no adapter in GGUF: its recipe has export.adapter: null", param="model")
    cases = report.rows.held_out
    exact, loss = report.tuned.exact, report.tuned.loss
    low, high = wilson(round(exact * cases), cases)
    return Candidate(
        model=model,
        kind=Kind.ADAPTER,
        files={name: folder / name},
        lineage=Lineage(report.base_sha256, report.data_sha256, report.recipe_sha256, code),
        metrics={
            "held-out/exact": Metric(Interval(exact, low, high, cases)),
            "held-out/loss": Metric(Interval(loss, loss, loss, cases), lower_is_better=True, gates=False),
        },
        card=_card(report),
    )


def _card(report: Report) -> str:
    recipe, history = report.recipe, report.history
    return "\n".join(
        [
            f"# {report.name}",
            "",
            f"{recipe['about']}",
            "",
            f"* Base: {recipe['base']['model']}. Licence: {recipe['licence']}.",
            f"* Rows: {report.rows.rows:,}, held out {report.rows.held_out:,}.",
            f"* Whole answers on held-out rows: {report.tuned.exact:.1%}, before {report.untuned.exact:.1%}.",
            f"* {history.step:,} steps in {history.seconds / 60:.0f} minutes; torch {report.torch}.",
            "",
        ]
    )


def materials(recipe: Recipe, beside: Path, store: ModelStore, lessons: Mapping[str, Lesson]) -> Materials:
    """The rows and the base that a recipe names. Raises as `finetune`."""
    from finetune.running import Materials

    train = [row for source in recipe.data for row in _rows(source, beside, lessons)]
    held_out = [row for source in recipe.held_out for row in _rows(source, beside, lessons)]
    return Materials(train, held_out, _base(recipe.base.model, beside, store), _start(recipe.adapter.start, beside))


def _rows(source: Source, beside: Path, lessons: Mapping[str, Lesson]) -> Iterator[Row]:
    if source.file is not None:
        yield from islice(read_rows(beside / source.file), source.rows)
        return
    lesson = lessons.get(source.generator or "")
    if lesson is None:
        raise InvalidInput(f"no generator {source.generator}: there are {', '.join(sorted(lessons))}", param="data")
    yield from lesson(source.seed, source.rows or 0)


def _start(adapter: str | None, beside: Path) -> Path | None:
    """The adapter to go on from: a path as it is, or from the recipe's folder."""
    if adapter is None:
        return None
    path = beside / adapter
    if not path.is_file():
        raise InvalidInput(f"no adapter {path} to start from", param="adapter.start")
    return path


def _base(model: str, beside: Path, store: ModelStore) -> str:
    """A name in the store, a path (as it is, or from the recipe's folder), or a name on the hub."""
    if any(model == each.name for each in store.list()):
        return str(store.path(model))
    near = beside / model
    return str(near.resolve()) if near.exists() else model
