"""An adapter's weights as arrays, between torch and GGUF."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pair:
    """One layer's update, alpha / rank · B A: `a` is (rank, in), `b` is (out, rank)."""

    a: Floats
    b: Floats


@dataclass(frozen=True, slots=True)
class AdapterWeights:
    """An adapter's weights by the name of the layer, such as `model.layers.0.self_attn.q_proj`."""

    rank: int
    alpha: float
    pairs: Mapping[str, Pair]
