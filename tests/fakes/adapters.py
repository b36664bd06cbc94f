"""LoRA adapters of random weights for the packaged SmolLM2: they change what it says, and teach it nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from finetune.adapter import AdapterWeights, Pair
from finetune.gguf_format import write_adapter

LAYERS, WIDTH, KEYS, INNER = 30, 576, 192, 1536
_SHAPES = {
    "self_attn.q_proj": (WIDTH, WIDTH),
    "self_attn.v_proj": (WIDTH, KEYS),
    "mlp.down_proj": (INNER, WIDTH),
}


@dataclass(frozen=True)
class SmolHeads:
    num_attention_heads: int = 9
    num_key_value_heads: int = 3


def random_weights(seed: int, strength: float, rank: int = 2) -> AdapterWeights:
    """`strength` is how far B's weights spread; 0.02 makes other words of most answers."""
    chance = np.random.default_rng(seed)
    pairs = {
        f"model.layers.{layer}.{name}": Pair(
            chance.normal(0, 1 / np.sqrt(inputs), (rank, inputs)).astype(np.float32),
            chance.normal(0, strength, (outputs, rank)).astype(np.float32),
        )
        for layer in range(LAYERS)
        for name, (inputs, outputs) in _SHAPES.items()
    }
    return AdapterWeights(rank, 2.0 * rank, pairs)


def random_adapter(path: Path, base: Path, seed: int, strength: float = 0.1) -> Path:
    """Write one to `path`."""
    write_adapter(
        path, random_weights(seed, strength), SmolHeads(), base, kind="f16", name=f"random {seed}", licence="Apache-2.0"
    )
    return path
