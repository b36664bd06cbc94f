"""What comes out of a run: GGUF of the adapter and of the merged model, each compared with torch and measured."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch

from core.errors import InvalidInput
from finetune import lora
from finetune.base import load_model
from finetune.gguf_format import write_adapter, write_model
from finetune.packs import Pack
from finetune.parity import Parity, Prompt, Served, compare
from finetune.recipe import LINEAR, Recipe
from finetune.training import Held, evaluate


@dataclass(frozen=True, slots=True)
class File:
    """One exported file: its type, its size in bytes, tokens a second that llama.cpp writes with it, and what the
    held-out rows say of weights that went through that type (None for the adapter, which is measured before).
    """

    name: str
    kind: str
    size: int
    speed: float
    held: Held | None


def check_export(recipe: Recipe, source: Path) -> None:
    """See that what the recipe wants can come out of its base, which is better known before training than after.

    Raises `InvalidInput` when the base is no GGUF, which has the tokenizer that a GGUF needs, and for layers that an
    adapter in GGUF cannot hold.
    """
    wanted = recipe.export
    if (wanted.adapter is not None or wanted.merged) and source.suffix != ".gguf":
        raise InvalidInput("exports in GGUF take a base in GGUF: leave them out, or name one", param="export")
    strange = [layer for layer in recipe.adapter.layers if layer not in LINEAR]
    if wanted.adapter is not None and strange:
        raise InvalidInput(f"an adapter in GGUF cannot hold {', '.join(strange)}", param="adapter.layers")


def export(
    recipe: Recipe,
    source: Path,
    tuned: Any,
    prompts: Sequence[Prompt],
    held_out: Sequence[Pack],
    folder: Path,
    served: Served,
) -> tuple[Parity | None, list[File]]:
    """Write what the recipe wants into `folder`; `tuned` is used up by merging.

    Parity is that of the adapter on its base, both in float32, so that it tells of the conversion alone. Raises
    `InvalidInput` as `check_export`.
    """
    wanted = recipe.export
    check_export(recipe, source)
    if wanted.adapter is None and not wanted.merged:
        return None, []
    parity, files = None, []
    config = tuned.config
    if wanted.adapter is not None:
        weights = lora.weights(tuned)
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            base, exact = Path(temporary, "base.gguf"), Path(temporary, "adapter.gguf")
            write_model(
                base,
                load_model(recipe.base, str(source), seed=recipe.seed, vocabulary=config.vocab_size),
                source,
                kind="f32",
                name=recipe.name,
            )
            about = {"name": recipe.name, "licence": recipe.licence}
            write_adapter(exact, weights, config, base, kind="f32", **about)
            parity = compare(tuned, served, base, exact, prompts)
            # A random model has no file but this one.
            own = source if recipe.base.layers is None else base
            path = folder / f"{recipe.name}.gguf"
            write_adapter(path, weights, config, own, kind=wanted.adapter, **about)
            files.append(File(path.name, wanted.adapter, path.stat().st_size, served.speed(own, path), None))
    merged = lora.merged(tuned)
    for kind in wanted.merged:
        path = folder / f"{recipe.name}-{kind}.gguf"
        write_model(path, merged, source, kind=kind, name=recipe.name)
        held = _as(merged, kind, held_out)
        files.append(File(path.name, kind, path.stat().st_size, served.speed(path, None), held))
    return parity, files


def _as(model: Any, kind: str, held_out: Sequence[Pack]) -> Held:
    """What the held-out rows say of the model with its matrices as they come back out of the type `kind`."""
    exact = {name: each.detach().clone() for name, each in model.named_parameters()}
    wanted = gguf.GGMLQuantizationType[kind.upper()]
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                values = np.ascontiguousarray(parameter.float().cpu().numpy())
                stored = gguf.quants.quantize(values, wanted)
                restored = gguf.quants.dequantize(stored, wanted).reshape(values.shape)
                parameter.copy_(torch.from_numpy(np.ascontiguousarray(restored)))
        held = evaluate(model, held_out)
        for name, parameter in model.named_parameters():
            parameter.copy_(exact[name])
    return held
