"""Where normal noise comes from: the operating system's secrets in service, a seed in simulations."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np

from tabular.federated.task import Floats

Normals = Callable[[int], Floats]
"""So many independent standard normal numbers."""

_PARTS = 4


def secret_normals(count: int) -> Floats:
    """Standard normal numbers that nobody can foresee: all their bits come from the operating system.

    Each is the sum of four, divided by two. A single one, as computers with doubles make it, can take only some values,
    by which the number that it was added to may be found out (Mironov, 2012); with several it takes far more work
    (Holohan and Braghin, 2021). It stays floating point: see the decision record for what is not promised.
    """
    source = random.SystemRandom()
    drawn = [sum(source.normalvariate(0.0, 1.0) for _ in range(_PARTS)) for _ in range(count)]
    made: Floats = np.asarray(drawn, dtype=np.float64) / np.sqrt(_PARTS)
    return made


def seeded_normals(seed: int) -> Normals:
    """Normal numbers that come again with the seed: for simulations and tests, never for devices of people."""
    rng = np.random.default_rng(seed)

    def draw(count: int) -> Floats:
        return rng.standard_normal(count)

    return draw
