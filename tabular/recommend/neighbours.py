"""A sparse matrix from item to item, kept as each item's strongest neighbours: numpy alone reads it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Places = NDArray[np.intp]

KEPT = 100
"""Neighbours of an item that are kept."""


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """Row i: the `ids[i]` (k,) that item i points to, and how strongly, `weights[i]` (k,). Weight 0 fills up."""

    ids: NDArray[np.int32]
    weights: Floats

    @classmethod
    def of_rows(cls, rows: Floats, kept: int = KEPT) -> Neighbours:
        """The strongest of each dense row (m, n); what is not above 0 is left out."""
        kept = min(kept, rows.shape[1])
        ids = np.argpartition(-rows, kept - 1, axis=1)[:, :kept] if kept else np.zeros((len(rows), 0), np.int32)
        weights = np.maximum(np.take_along_axis(rows, ids, axis=1), 0)
        return cls(ids.astype(np.int32), weights.astype(np.float32))

    @classmethod
    def stacked(cls, blocks: list[Neighbours]) -> Neighbours:
        """The rows of all blocks, one below the other."""
        return cls(np.concatenate([each.ids for each in blocks]), np.concatenate([each.weights for each in blocks]))

    def total(self, rows: Places, shares: Floats) -> Floats:
        """The weighted sum of some rows, dense (n,): n is that of the whole matrix. `shares` (len(rows),)."""
        summed = np.bincount(
            self.ids[rows].ravel(),
            (self.weights[rows] * shares[:, None]).ravel(),
            minlength=len(self.ids),
        )
        return summed.astype(np.float32)

    def towards(self, target: int, rows: Places, shares: Floats) -> Floats:
        """What each of the rows (len(rows),) has to do with `target`: the parts of `total(rows, shares)[target]`."""
        parts: Floats = np.where(self.ids[rows] == target, self.weights[rows], 0).sum(axis=1) * shares
        return parts
