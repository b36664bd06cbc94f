"""From a model's margin (log odds as it has them) to a probability that holds, in plain numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tabular.tasks.encoding import Floats


@dataclass(frozen=True, slots=True)
class Calibration:
    """A function of the margin that never falls, so that it changes the order of no two rows.

    Between the margins `at` it goes straight through the log odds `are`. Beyond them an `isotonic` one stays level; a
    `sigmoid`, which has two points, goes on.
    """

    kind: str
    at: tuple[float, ...]
    are: tuple[float, ...]

    def probabilities(self, margins: Floats) -> Floats:
        """(N,) → (N,)."""
        if self.kind == "sigmoid":
            (start, end), (low, high) = self.at, self.are
            odds = low + (margins - start) * (high - low) / (end - start)
        else:
            odds = np.interp(margins, self.at, self.are)
        return 1 / (1 + np.exp(-np.clip(odds, -500, 500)))

    def told(self) -> dict[str, Any]:
        """For JSON."""
        return {"kind": self.kind, "at": self.at, "are": self.are}

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Calibration:
        """What `told` gave. Raises `KeyError`, `TypeError` and `ValueError` for something else."""
        at, are = (tuple(map(float, told[name])) for name in ("at", "are"))
        if (
            told["kind"] not in ("sigmoid", "isotonic")
            or len(at) != len(are)
            or len(at) < (2 if told["kind"] == "sigmoid" else 1)
        ):
            raise ValueError("this is no calibration")
        return cls(told["kind"], at, are)
