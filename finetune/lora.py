"""The adapter: put on a model, taken off, kept as safetensors, merged."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import torch
from peft import LoraConfig, PeftModel, get_peft_model

from core.errors import InvalidInput
from finetune.adapter import AdapterWeights, Floats, Pair
from finetune.recipe import Adapter


def put_on(model: Any, adapter: Adapter, seed: int) -> PeftModel:
    """Put a fresh adapter on the model: only its weights are trained. Equal seeds give equal adapters."""
    torch.manual_seed(seed)
    config = LoraConfig(
        r=adapter.rank,
        lora_alpha=adapter.alpha,
        lora_dropout=adapter.dropout,
        target_modules=list(adapter.layers),
        task_type="CAUSAL_LM",
    )
    with _an_older_name():
        tuned = get_peft_model(model, config)
    return cast("PeftModel", tuned)


def put_weights(model: PeftModel, start: AdapterWeights) -> None:
    """Put an adapter's weights into a model that has a fresh one.

    Raises `InvalidInput` when they are of another rank, strength or set of layers.
    """
    fresh = weights(model)
    if (start.rank, start.alpha) != (fresh.rank, fresh.alpha):
        had = f"rank {start.rank} and alpha {start.alpha:g}"
        raise InvalidInput(f"the adapter to start from has {had}", param="adapter.start")
    if start.pairs.keys() != fresh.pairs.keys():
        raise InvalidInput("the adapter to start from lies on other layers", param="adapter.start")
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            layer, _, which = name.removeprefix("base_model.model.").partition(".lora_")
            if which:
                pair = start.pairs[layer]
                parameter.copy_(torch.from_numpy(pair.a if which.startswith("A") else pair.b))


def weights(model: PeftModel) -> AdapterWeights:
    """Take the weights off a tuned model."""
    config = model.peft_config["default"]
    found: dict[str, dict[str, Floats]] = {}
    for name, parameter in model.named_parameters():
        layer, _, which = name.removeprefix("base_model.model.").partition(".lora_")
        if which:
            found.setdefault(layer, {})[which[0].lower()] = parameter.detach().float().cpu().numpy()
    pairs = {layer: Pair(**both) for layer, both in found.items()}
    return AdapterWeights(int(config.r), float(config.lora_alpha), pairs)


def save(model: PeftModel, folder: Path) -> None:
    """Write peft's own form (`adapter_model.safetensors`, `adapter_config.json`)."""
    model.save_pretrained(str(folder))


def merged(model: PeftModel) -> Any:
    """The model with the update added to its weights, in their full precision; `model` is used up."""
    return model.merge_and_unload()


@contextmanager
def _an_older_name() -> Iterator[None]:
    """peft 0.21 asks the model for gradient checkpointing by a name that transformers 5 is about to drop."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
        yield
