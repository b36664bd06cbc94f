"""Parting rows for training and test, and into folds, so that nothing of a test row is met in training."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tabular.tasks.encoding import Bools, Texts


def same(texts: Texts) -> npt.NDArray[np.int64]:
    """Which rows are equal in all columns: (N,), equal rows have equal numbers."""
    seen: dict[tuple[str | None, ...], int] = {}
    rows = zip(*texts.values(), strict=True)
    return np.array([seen.setdefault(row, len(seen)) for row in rows], dtype=np.int64)


def folds(alike: npt.NDArray[np.int64], target: Bools, count: int, *, seed: int) -> npt.NDArray[np.int64]:
    """A fold from 0 to `count` - 1 for every row, (N,), each with its share of the positive rows.

    Rows that are `alike`, as `same` numbers them, are never in two folds.
    """
    size = int(alike.max()) + 1
    positive = np.bincount(alike, weights=target, minlength=size) * 2 > np.bincount(alike, minlength=size)
    random = np.random.default_rng(seed)
    of = np.empty(size, dtype=np.int64)
    for stratum in (positive, ~positive):
        members = random.permutation(np.flatnonzero(stratum))
        of[members] = np.arange(len(members)) % count
    return of[alike]
