"""What texts say of items that nobody bought yet: they borrow from those that read most like them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
"""Texts → (texts, d). Any length of vector will do; those of one call and the next must be comparable."""

LENDERS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Cold:
    """Items without a sale: their `places` (c,), and whom they borrow from, `lenders` and `shares` (c, `LENDERS`)."""

    places: NDArray[np.intp]
    lenders: NDArray[np.intp]
    shares: Floats

    def lent(self, rows: Floats) -> Floats:
        """The shares' mean of what the lenders have, (rows, c), of rows (rows, items)."""
        found: Floats = (rows[:, self.lenders] * self.shares).sum(axis=2)
        return found


def embedded(embed: Embed | None, texts: Sequence[str]) -> Floats:
    """Texts as vectors of length 1, (texts, d), or 0 where a text says nothing. Without `embed`, d is 0."""
    if embed is None or not texts:
        return np.zeros((len(texts), 0), np.float32)
    vectors = np.asarray(embed(texts), np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Floats = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return unit


def lenders(texts: Floats, sold: NDArray[np.bool_]) -> Cold:
    """Who lends to whom, by the items' texts (n, d) and which of them were `sold` (n,).

    Shares fall with the distance of the meanings. Where texts say nothing, all lenders are alike.
    """
    places, warm = np.flatnonzero(~sold), np.flatnonzero(sold)
    if not len(places) or not len(warm):
        nothing = np.zeros((0, LENDERS), np.intp)
        return Cold(np.zeros(0, np.intp), nothing, nothing.astype(np.float32))
    likeness = texts[places] @ texts[warm].T
    chosen = np.argsort(-likeness, axis=1, kind="stable")[:, :LENDERS]
    near = np.maximum(np.take_along_axis(likeness, chosen, axis=1), 0) ** 2 + 1e-6
    return Cold(places, warm[chosen], (near / near.sum(axis=1, keepdims=True)).astype(np.float32))
