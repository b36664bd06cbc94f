"""A window of what a model met, column by column beside its reference."""

from __future__ import annotations

import numpy as np

from core.errors import InvalidInput
from tabular.drift.measures import join, joined, kolmogorov_smirnov, stability, usual
from tabular.drift.reference import WEEK, Column, Counts, Reference, Sample
from tabular.drift.results import Compared

LEAST_WINDOWS = 4
"""How many windows of its length a reference must hold to tell how much they vary by themselves."""

DAY = WEEK // 7

LEAST_ROWS = 200
"""The least rows of a window that are looked at."""


def compare(reference: Reference, window: Sample, weeks: int = 1) -> list[Compared]:
    """Compare a window of so many weeks with the reference.

    Raises `InvalidInput` when there is too little of either to say what is usual, or when a column is missing.
    """
    groups = reference.weeks // weeks
    if groups < LEAST_WINDOWS:
        told = f"the reference holds {groups} windows of {weeks} weeks: {LEAST_WINDOWS} are the least"
        raise InvalidInput(told, param="reference")
    if len(window) < LEAST_ROWS:
        raise InvalidInput(f"the window holds {len(window)} rows: {LEAST_ROWS} are the least", param="window")
    span = (int(window.at.max()) - int(window.at.min())) / DAY
    if not 7 * weeks - 1 <= span <= 7 * weeks:
        # Days of the week are not alike: a window that lacks some differs by that alone.
        raise InvalidInput(f"the window's rows span {span:.1f} days of {7 * weeks}", param="window")
    missing = [each.name for each in reference.columns if each.name not in {**window.numbers, **window.groups}]
    if missing:
        raise InvalidInput(f"the window has no {', '.join(missing)}", param="window")
    return [_compare(each, window, weeks) for each in reference.columns]


def _compare(column: Column, window: Sample, weeks: int) -> Compared:
    counts = np.asarray(column.counts, dtype=np.int64)
    windows = _windows(counts, weeks)
    before = counts.sum(axis=0)
    values = window.groups[column.name] if column.is_group else window.numbers[column.name]
    now = column.count(values)
    size = min(int(now.sum()), int(windows.sum(axis=1).mean()))
    into = joined(before / before.sum() * size, now)
    varied = usual(join(windows, into))
    ks = None
    if not column.is_group:
        numbers = window.numbers[column.name]
        ks = kolmogorov_smirnov(np.asarray(column.ranks), int(before[:-1].sum()), numbers[~np.isnan(numbers)], varied)
    return Compared(
        column.name,
        column.is_group,
        column.bins(),
        tuple((before / before.sum()).tolist()),
        tuple((now / now.sum()).tolist()),
        stability(join(before, into), join(now, into), varied),
        ks,
        varied,
    )


def _windows(counts: Counts, weeks: int) -> Counts:
    """The last whole windows of so many weeks: (weeks, bins) → (windows, bins)."""
    whole = len(counts) // weeks
    windows: Counts = counts[len(counts) - whole * weeks :].reshape(whole, weeks, -1).sum(axis=1)
    return windows
