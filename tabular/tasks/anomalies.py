"""Rows that are unlike the others, by how far out they are in each column (ECOD: Li and others 2022), with reasons.

A column's tails are those of its empirical distribution, so there is nothing to tune but the share of rows that is
expected to be unusual. Columns are taken as independent: a row whose every value is common is not found, however rare
their combination. A model is numbers, kept as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.errors import InvalidInput
from tabular.tasks.encoding import Floats

POINTS = 1001
"""Of each column's distribution that are kept."""

LEAST = 100


@dataclass(frozen=True, slots=True)
class Oddity:
    """A column in which a row is far out: its value, its share of the score, and the sentence."""

    column: str
    value: float
    weight: float
    text: str


@dataclass(frozen=True, slots=True)
class Anomalies:
    """What is usual. `points`, (columns, POINTS), are quantiles of each; `skew` is the sign of its third moment.

    A row is unusual from the score `threshold` on; `rows` is how many it was learned from.
    """

    names: tuple[str, ...]
    points: Floats
    skew: Floats
    threshold: float
    rows: int

    def scores(self, matrix: Floats) -> Floats:
        """How far out each row is, (N, columns) → (N,)."""
        return np.asarray(self._outlying(matrix).sum(axis=1))

    def unusual(self, row: Floats, most: int = 3) -> tuple[bool, list[Oddity]]:
        """Whether a row, (columns,), is unusual, and in what most."""
        outlying = self._outlying(row[None])[0]
        places = np.argsort(-outlying, kind="stable")[:most].tolist()
        return bool(outlying.sum() >= self.threshold), [self._odd(place, row, outlying) for place in places]

    def told(self) -> dict[str, Any]:
        """For JSON."""
        lists = {"points": self.points.tolist(), "skew": self.skew.tolist()}
        return {"names": self.names, **lists, "threshold": self.threshold, "rows": self.rows}

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Anomalies:
        """What `told` gave. Raises `KeyError`, `TypeError` and `ValueError` for something else."""
        names = tuple(map(str, told["names"]))
        points, skew = np.array(told["points"], dtype=np.float64), np.array(told["skew"], dtype=np.float64)
        if points.shape != (len(names), POINTS) or skew.shape != (len(names),):
            raise ValueError("these are no distributions")
        return cls(names, points, skew, float(told["threshold"]), int(told["rows"]))

    def _outlying(self, matrix: Floats) -> Floats:
        """Each column's share of the score by whichever of three sums is greatest, (N, columns).

        The sums are over left tails, over right tails, and over the tail that a column's skew points to. What is not
        known is no oddity.
        """
        left, right = self._tails(matrix)
        either = np.where(self.skew < 0, left, right)
        sums = np.stack([left, right, either])
        greatest = np.argmax(sums.sum(axis=2), axis=0)
        return np.asarray(sums[greatest, np.arange(len(matrix))])

    def _tails(self, matrix: Floats) -> tuple[Floats, Floats]:
        """Minus the logarithm of the share of training rows no higher and no lower, (N, columns) each."""
        # Nothing is rarer than one row more than was seen.
        least = 1 / (self.rows + 1)
        tails = []
        for side in ("right", "left"):
            places = [
                np.searchsorted(points, values, side) for points, values in zip(self.points, matrix.T, strict=True)
            ]
            below = np.stack(places, axis=1) / POINTS
            share = below if side == "right" else 1 - below
            tails.append(np.where(np.isnan(matrix), 0.0, -np.log(np.maximum(share, least))))
        return tails[0], tails[1]

    def _odd(self, place: int, row: Floats, outlying: Floats) -> Oddity:
        value, weight = float(row[place]), float(outlying[place])
        middle = float(self.points[place, POINTS // 2])
        side = "high" if value > middle else "low"
        told = f"{self.names[place]} is {side}: {value:g}, where the middle is {middle:g}"
        return Oddity(self.names[place], value, weight, told)


def find_usual(names: Sequence[str], matrix: Floats, *, expected: float = 0.01) -> Anomalies:
    """Learn what is usual from rows, (N, columns), of which the share `expected` is to be told unusual.

    Raises `InvalidInput` for fewer than 100 rows, a column that is never known, or a share outside 0 to one half.
    """
    if len(matrix) < LEAST:
        raise InvalidInput(f"{len(matrix)} rows: {LEAST} are the least", param="data")
    if not 0 < expected < 0.5:
        raise InvalidInput(f"a share of {expected:g} is not unusual", param="expected")
    if (empty := np.isnan(matrix).all(axis=0)).any():
        raise InvalidInput(f"{names[int(np.argmax(empty))]} is not known in any row", param="data")
    points = np.nanquantile(matrix, np.linspace(0, 1, POINTS), axis=0).T
    apart = matrix - np.nanmean(matrix, axis=0)
    skew = np.sign(np.nanmean(apart**3, axis=0))
    learned = Anomalies(tuple(names), np.ascontiguousarray(points), skew, np.inf, len(matrix))
    threshold = float(np.quantile(learned.scores(matrix), 1 - expected))
    return Anomalies(learned.names, learned.points, skew, threshold, len(matrix))
