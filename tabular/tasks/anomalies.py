"""Rows that are unlike the others, by how far out they are in each column (ECOD: Li and others 2022), with reasons.

A column's tails are those of its empirical distribution, so there is nothing to tune but the share of rows that is
expected to be unusual. Beyond what was seen, a tail goes on as an exponential one, which ECOD's do not: by it no value
could be further out than the furthest row, and one alone would never make a row of many columns unusual. Columns are
taken as independent: a row whose every value is common is not found, however rare their combination. A model is
numbers, kept as JSON.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.errors import InvalidInput
from tabular.tasks.encoding import Bools, Floats

POINTS = 1001
"""Of each column's distribution that are kept."""

LEAST = 100
RARE = 0.05
"""The share of rows in a tail up to which a value in it is told as an oddity."""

_FURTHEST = 100.0
"""The most that being beyond what was seen adds to a score."""


@dataclass(frozen=True, slots=True)
class Oddity:
    """A column in which a row is far out: its value, its share of the score, and the sentence."""

    column: str
    value: float
    weight: float
    text: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A row: whether its score reaches the model's threshold, and in what it is far out most."""

    unusual: bool
    score: float
    oddities: tuple[Oddity, ...]


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
        return np.asarray(self._outlying(matrix)[0].sum(axis=1))

    def judge(self, matrix: Floats, most: int = 3) -> list[Judged]:
        """Judge rows, (N, columns), each with its `most` oddities, the greatest first.

        A value is an oddity from a tail of 5 % of the rows on. An unusual row has one in any case: that which counts
        most.
        """
        outlying, lower = self._outlying(matrix)
        return [self._judged(*each, most) for each in zip(matrix, outlying, lower, strict=True)]

    def told(self) -> dict[str, Any]:
        """For JSON."""
        lists = {"points": self.points.tolist(), "skew": self.skew.tolist()}
        return {"names": self.names, **lists, "threshold": self.threshold, "rows": self.rows}

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Anomalies:
        """What `told` gave. Raises `KeyError`, `TypeError` and `ValueError` for something else."""
        names = tuple(map(str, told["names"]))
        points, skew = np.array(told["points"], dtype=np.float64), np.array(told["skew"], dtype=np.float64)
        threshold, rows = float(told["threshold"]), int(told["rows"])
        if not names or points.shape != (len(names), POINTS) or skew.shape != (len(names),):
            raise ValueError("these are no distributions")
        if not (np.isfinite(points).all() and np.isfinite(skew).all() and math.isfinite(threshold)) or rows < LEAST:
            raise ValueError("these distributions have numbers that are none")
        return cls(names, points, skew, threshold, rows)

    def _outlying(self, matrix: Floats) -> tuple[Floats, Bools]:
        """Each column's share of the score by whichever of three sums is greatest, and whether that is a left tail's;
        (N, columns) each.

        The sums are over left tails, over right tails, and over the tail that a column's skew points to. What is not
        known is no oddity.
        """
        left, right = self._tails(matrix)
        tail = self.skew < 0
        sums = np.stack([left, right, np.where(tail, left, right)])
        greatest = np.argmax(sums.sum(axis=2), axis=0)
        lower = np.stack([np.ones_like(tail), np.zeros_like(tail), tail])
        return np.asarray(sums[greatest, np.arange(len(matrix))]), np.asarray(lower[greatest])

    def _tails(self, matrix: Floats) -> tuple[Floats, Floats]:
        """Minus the logarithm of the share of rows no higher and no lower, (N, columns) each."""
        left = _tail(self.points, matrix, self.rows)
        # The right tail is the left one in a mirror.
        return left, _tail(-self.points[:, ::-1], -matrix, self.rows)

    def _judged(self, row: Floats, outlying: Floats, lower: Bools, most: int) -> Judged:
        score = float(outlying.sum())
        unusual = score >= self.threshold
        places = np.argsort(-outlying, kind="stable")[:most].tolist()
        rare = [place for place in places if outlying[place] >= -math.log(RARE)]
        if unusual and not rare:
            rare = places[:1]
        odd = (self._odd(place, float(row[place]), float(outlying[place]), bool(lower[place])) for place in rare)
        return Judged(unusual, score, tuple(odd))

    def _odd(self, place: int, value: float, weight: float, low: bool) -> Oddity:
        points = self.points[place]
        if value < points[0] or value > points[-1]:
            where = f"{'less' if low else 'more'} than in any of {self.rows:,} rows"
        else:
            share = max(100 * math.exp(-weight), 0.1)
            where = f"as {'little' if low else 'much'} in {share:.1f} % of the rows"
        middle = float(f"{points[POINTS // 2]:.4g}")
        side = "low" if low else "high"
        told = f"{self.names[place]} is {side}: {value:,.10g} ({where}; the middle is {middle:,.10g})"
        return Oddity(self.names[place], value, weight, told)


def _tail(points: Floats, matrix: Floats, rows: int) -> Floats:
    """Minus the logarithm of the share of rows no higher than each value, (N, columns); 0 where it is not known.

    Within what was seen the share is the training rows', and at least that of one row more than there were. Below, it
    falls as that of an exponential tail, whose mean is how far the lowest twentieth lies below its upper end.
    """
    places = [np.searchsorted(ours, values, "right") for ours, values in zip(points, matrix.T, strict=True)]
    share = np.maximum(np.stack(places, axis=1) / POINTS, 1 / (rows + 1))
    last = points[:, : int(RARE * POINTS) + 1]
    excess = last[:, -1] - last.mean(axis=1)
    # Where the lowest twentieth is all one value, the tail that would reach as far as the whole column does.
    spread = np.where(excess > 0, excess, (points[:, -1] - points[:, 0]) / math.log(rows + 1))
    beyond = np.maximum(points[:, 0] - matrix, 0.0)
    further = np.full_like(beyond, _FURTHEST)
    # Next to a column with one value only, any other is as far as can be.
    np.divide(beyond, spread, out=further, where=spread > 0)
    further = np.where(beyond > 0, np.minimum(further, _FURTHEST), 0.0)
    return np.asarray(np.where(np.isnan(matrix), 0.0, -np.log(share) + further))


def find_usual(names: Sequence[str], matrix: Floats, *, expected: float = 0.01) -> Anomalies:
    """Learn what is usual from rows, (N, columns), of which at most the share `expected` is to be told unusual.

    Raises `InvalidInput` for fewer than 100 rows, a column that is never known, or a share outside 0 to one half.
    """
    if len(matrix) < LEAST:
        raise InvalidInput(f"{len(matrix)} rows: {LEAST} are the least", param="data")
    check_expected(expected)
    if (empty := np.isnan(matrix).all(axis=0)).any():
        raise InvalidInput(f"{names[int(np.argmax(empty))]} is not known in any row", param="data")
    points = np.nanquantile(matrix, np.linspace(0, 1, POINTS), axis=0).T
    apart = matrix - np.nanmean(matrix, axis=0)
    skew = np.sign(np.nanmean(apart**3, axis=0))
    learned = Anomalies(tuple(names), np.ascontiguousarray(points), skew, np.inf, len(matrix))
    threshold = _threshold(learned.scores(matrix), expected)
    return Anomalies(learned.names, learned.points, skew, threshold, len(matrix))


def _threshold(scores: Floats, expected: float) -> float:
    """Between the lowest score that at most the share `expected` of the rows reach, and the next below it.

    Rows that score alike are all above it or all below. Where too many have the highest score, none reaches it.
    """
    values, counts = np.unique(scores, return_counts=True)
    reach = np.cumsum(counts[::-1])[::-1]
    place = int(np.searchsorted(-reach, -expected * len(scores)))
    if place == len(values):
        return float(values[-1]) + 1e-9
    return float(values[place - 1] + values[place]) / 2


def check_expected(expected: float) -> None:
    """Raise `InvalidInput` for a share outside 0 to one half."""
    if not 0 < expected < 0.5:
        raise InvalidInput(f"a share of {expected:g} is not unusual: it is between 0 and 0.5", param="expected")
