"""The interpretable candidate: logistic regression on bent numbers and one-hot categories, in plain numbers.

A number stands as itself and as what it has above each of a few knots (a linear spline); a category as one part for
each value. A column's share of the log odds is its parts' coefficients times how far they are from their means, which
are the SHAP values of a linear model whose columns are taken as independent (Lundberg and Lee 2017).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tabular.tasks.encoding import Floats

KNOTS = (0.1, 0.25, 0.5, 0.75, 0.9)
"""Quantiles of a number's distinct values, so that a value that most rows have is one knot at most."""


@dataclass(frozen=True, slots=True)
class Parts:
    """How a matrix of features becomes parts: per feature its number of values (0: a number), knots and middle.

    An unknown number is at the middle and has a part of its own; an unknown value of a category has none of its parts.
    """

    sizes: tuple[int, ...]
    knots: tuple[tuple[float, ...], ...]
    middle: tuple[float, ...]

    @classmethod
    def learned(cls, matrix: Floats, sizes: tuple[int, ...]) -> Parts:
        """From training rows, (N, features)."""
        knots, middle = [], []
        for place, size in enumerate(sizes):
            values = matrix[:, place]
            values = values[~np.isnan(values)]
            if size or not len(values):
                knots.append(())
                middle.append(0.0)
                continue
            distinct = np.unique(values)
            inner = np.unique(np.quantile(distinct, KNOTS)) if len(distinct) > len(KNOTS) else distinct[:0]
            knots.append(tuple(inner.tolist()))
            middle.append(float(np.median(values)))
        return cls(sizes, tuple(knots), tuple(middle))

    @property
    def owners(self) -> npt.NDArray[np.int64]:
        """The feature that each part belongs to, (parts,)."""
        widths = [size if size else 2 + len(knots) for size, knots in zip(self.sizes, self.knots, strict=True)]
        return np.repeat(np.arange(len(self.sizes)), widths)

    def of(self, matrix: Floats) -> Floats:
        """(N, features) → (N, parts)."""
        return np.concatenate([self._column(matrix[:, place], place) for place in range(len(self.sizes))], axis=1)

    def _column(self, values: Floats, place: int) -> Floats:
        unknown = np.isnan(values)
        if size := self.sizes[place]:
            return np.asarray(values[:, None] == np.arange(size), dtype=np.float64)
        filled = np.where(unknown, self.middle[place], values)
        above = [np.maximum(filled - knot, 0.0) for knot in self.knots[place]]
        return np.stack([filled, *above, unknown.astype(np.float64)], axis=1)


@dataclass(frozen=True, slots=True)
class Linear:
    """A fitted model. `centre`, `spread` and `weights` are (parts,); a part counts as (part - centre) / spread."""

    parts: Parts
    centre: Floats
    spread: Floats
    weights: Floats
    base: float

    kind = "linear"

    def contributions(self, matrix: Floats) -> tuple[Floats, float]:
        """Each feature's share of the margin, (N, features), and what is to be added to their sum."""
        shares = (self.parts.of(matrix) - self.centre) / self.spread * self.weights
        owned = np.eye(len(self.parts.sizes))[self.parts.owners]
        return shares @ owned, self.base

    def margins(self, matrix: Floats) -> Floats:
        """The log odds, (N,)."""
        shares, base = self.contributions(matrix)
        return np.asarray(shares.sum(axis=1) + base)

    def told(self) -> dict[str, Any]:
        """For JSON."""
        lists = {name: getattr(self, name).tolist() for name in ("centre", "spread", "weights")}
        parts = {"sizes": self.parts.sizes, "knots": self.parts.knots, "middle": self.parts.middle}
        return {**lists, "base": self.base, "parts": parts}

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Linear:
        """What `told` gave. Raises `KeyError`, `TypeError` and `ValueError` for something else."""
        shape = told["parts"]
        parts = Parts(
            tuple(int(each) for each in shape["sizes"]),
            tuple(tuple(map(float, each)) for each in shape["knots"]),
            tuple(map(float, shape["middle"])),
        )
        centre, spread, weights = (np.array(told[name], dtype=np.float64) for name in ("centre", "spread", "weights"))
        if not {len(centre), len(spread), len(weights)} == {len(parts.owners)} or not (spread > 0).all():
            raise ValueError("the parts of the model do not fit each other")
        return cls(parts, centre, spread, weights, float(told["base"]))
