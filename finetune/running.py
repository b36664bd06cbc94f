"""A training run from recipe to report, top to bottom."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import torch

from core.modelstore import file_sha256
from finetune import lora
from finetune.base import load_model, load_tokenizer
from finetune.checks import Findings, check
from finetune.encoding import encode
from finetune.exporting import check_export, export
from finetune.gguf_format import read_adapter
from finetune.packs import Pack, packed
from finetune.parity import Served
from finetune.recipe import Recipe
from finetune.report import Report, write_report
from finetune.rows import Row, data_hash
from finetune.training import Trainer, Watch, denormals_flushed

PROMPTS = 4
"""How many held-out rows the exported files are compared on."""


@dataclass(frozen=True, slots=True)
class Materials:
    """What a recipe names, found: its rows, where the base lies (a file, a folder or a hub name), and the adapter in
    GGUF that training goes on from.
    """

    train: Sequence[Row]
    held_out: Sequence[Row]
    source: str
    start: Path | None = None


def run(
    recipe: Recipe,
    materials: Materials,
    folder: Path,
    served: Served,
    *,
    say: Callable[[str], None],
    watch: Watch | None = None,
) -> Report:
    """Train into `folder`, going on where an earlier run of the same recipe and data stopped, and export.

    ::

        folder/checkpoints/     the latest and the best
               adapter/         peft's form
               NAME.gguf        the adapter; NAME-q8_0.gguf … the merged model by type
               report.html      and report.json

    Raises `InvalidInput` for rows that must not be trained on (`checks.check`) and files that cannot come out
    (`exporting.check_export`), `Conflict` when the folder holds
    another run, `CorruptArtefact` for a base that cannot be read.
    """
    with denormals_flushed():
        return _run(recipe, materials, folder, served, say, watch)


def _run(
    recipe: Recipe,
    materials: Materials,
    folder: Path,
    served: Served,
    say: Callable[[str], None],
    watch: Watch | None,
) -> Report:
    begun = perf_counter()
    check_export(recipe, Path(materials.source))
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = load_tokenizer(materials.source)
    encoded = [encode(row, tokenizer) for row in materials.train]
    longest = recipe.schedule.pack_tokens
    found = check(
        materials.train,
        materials.held_out,
        encoded,
        tokenizer,
        longest=longest,
        personal=recipe.personal_data == "allowed",
    )
    packs = packed(encoded, longest)
    held_out = packed([encode(row, tokenizer) for row in materials.held_out], longest)
    say(_summary(found, packs))
    say(found.example)

    model = load_model(recipe.base, materials.source, seed=recipe.seed, vocabulary=len(tokenizer))  # type: ignore[arg-type]
    tuned = lora.put_on(model, recipe.adapter, recipe.seed)
    start = ""
    if materials.start is not None:
        start = file_sha256(materials.start)
        lora.put_weights(tuned, read_adapter(materials.start, tuned.config, Path(materials.source)))
    trainer = Trainer(tuned, recipe.schedule, folder / "checkpoints", seed=recipe.seed, every=recipe.evaluation.every)
    data = data_hash(materials.train)
    fingerprint = f"{recipe.hash} {data} {start}".rstrip()
    untuned = trainer.evaluate(held_out)
    say(f"held out, before: loss {untuned.loss:.3f}, whole answers {untuned.exact:.1%}")
    history = trainer.train(packs, held_out, fingerprint, watch)
    tuned_to = trainer.evaluate(held_out)
    say(f"held out, after: loss {tuned_to.loss:.3f}, whole answers {tuned_to.exact:.1%}")
    lora.save(tuned, folder / "adapter")

    prompts = [encode(row, tokenizer).prompt for row in materials.held_out[:PROMPTS]]
    parity, files = export(recipe, Path(materials.source), tuned, prompts, held_out, folder, served)
    report = Report(
        name=recipe.name,
        recipe=recipe.model_dump(mode="json"),
        recipe_sha256=recipe.hash,
        data_sha256=data,
        start_sha256=start,
        base_sha256=file_sha256(Path(materials.source)) if Path(materials.source).is_file() else "",
        rows=found,
        packs=len(packs),
        packed_tokens=sum(map(len, packs)),
        untuned=untuned,
        tuned=tuned_to,
        history=history,
        parity=parity,
        files=files,
        seconds=perf_counter() - begun,
        torch=torch.__version__,
    )
    write_report(report, folder)
    return report


def _summary(rows: Findings, packs: Sequence[Pack]) -> str:
    tasks = ", ".join(f"{count:,} {task}" for task, count in sorted(rows.tasks.items()))
    read = sum(map(len, packs))
    return (
        f"{rows.rows:,} rows ({tasks}), {rows.held_out:,} held out; {rows.learned:,} tokens to learn; "
        f"{rows.tokens:,} tokens, of which {read:,} are read in {len(packs):,} packs"
    )
