"""What a model was trained on, kept beside it: small, without a row of the data, and week by week.

The weeks are what tells a shift from the usual: how far they lie apart contains whatever makes rows depend on each
other (the uses of one card, the frauds of one terminal), which a formula for independent rows would miss.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from core.errors import CorruptArtefact, InvalidInput
from tabular.features import Floats

Counts = NDArray[np.int64]

WEEK = 7 * 86_400_000
"""Milliseconds. A weekend is not like a Monday, so nothing shorter is compared."""

LEVELS = (0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99)
"""Where the bins of a number end: tenths, as the population stability index has them, and both tails."""

RANKS = 512
"""How many values stand for a column's distribution; its steps are known to a thousandth."""

REST = "other"
MISSING = "not known"
FILE = "reference.json"


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows: when each happened in milliseconds, its numbers and its groups by name, each (rows,). NaN is not known."""

    at: NDArray[np.int64]
    numbers: Mapping[str, Floats]
    groups: Mapping[str, NDArray[np.str_]]

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.at)


@dataclass(frozen=True, slots=True)
class Column:
    """How a column was spread.

    `counts` is (weeks, bins), the earliest week first. A number has `edges`, each the largest value of its bin, and
    `ranks`, values at equal distances in the order of size; a group has `labels`. The last bin is what is not known,
    or a label that was not there.
    """

    name: str
    counts: tuple[tuple[int, ...], ...]
    edges: tuple[float, ...] = ()
    ranks: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()

    @property
    def is_group(self) -> bool:
        """Whether it has labels and not values."""
        return bool(self.labels)

    def bins(self) -> tuple[str, ...]:
        """What each bin holds, in words."""
        if self.is_group:
            return (*self.labels, REST)
        if not self.edges:
            return ("any", MISSING)
        shown = [f"{each:,.4g}" for each in self.edges]
        between = [f"{low} to {high}" for low, high in pairwise(shown)]
        return (f"up to {shown[0]}", *between, f"above {shown[-1]}", MISSING)

    def count(self, values: NDArray[np.float64] | NDArray[np.str_]) -> Counts:
        """How many of the values lie in each bin."""
        if self.is_group:
            place = {label: number for number, label in enumerate(self.labels)}
            found, times = np.unique(values, return_counts=True)
            totals = np.zeros(len(self.labels) + 1, dtype=np.int64)
            for label, count in zip(found.tolist(), times.tolist(), strict=True):
                totals[place.get(label, -1)] += count
            return totals
        numbers = np.asarray(values, dtype=np.float64)
        bins = np.searchsorted(np.asarray(self.edges), numbers, side="left")
        bins[np.isnan(numbers)] = len(self.edges) + 1
        return np.bincount(bins, minlength=len(self.edges) + 2).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Figure:
    """How good the model was: over everything, with its standard error, and week by week where that can be said."""

    name: str
    value: float
    error: float
    weeks: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Reference:
    """What a model was made for: its SHA-256, its features' version, and the columns, of `begin` to `end` (ms)."""

    model: str
    features: str
    begin: int
    end: int
    rows: int
    columns: tuple[Column, ...]
    figures: tuple[Figure, ...] = field(default=())

    @property
    def weeks(self) -> int:
        """How many whole weeks it is made of."""
        return len(self.columns[0].counts) if self.columns else 0

    def dump(self) -> bytes:
        """As JSON."""
        return _ADAPTER.dump_json(self)


_ADAPTER = TypeAdapter(Reference)


def load(data: bytes) -> Reference:
    """Read what `dump` wrote. Raises `CorruptArtefact`."""
    try:
        found = _ADAPTER.validate_json(data)
    except ValidationError as problem:
        raise CorruptArtefact(f"no reference: {problem.errors()[0]['msg']}") from problem
    for column in found.columns:
        widths = {len(column.bins())} | {len(week) for week in column.counts}
        if len(widths) != 1 or len(column.counts) != found.weeks or list(column.edges) != sorted(set(column.edges)):
            raise CorruptArtefact(f"no reference: the bins of {column.name} do not fit together")
    return found


def week_of(at: NDArray[np.int64], begin: int, end: int) -> NDArray[np.int64]:
    """The number of each row's week, from 0, counted so that the last one ends with `end`; -1 for what lies before the
    first whole week since `begin`, or outside. All in milliseconds.
    """
    weeks = (end - begin) // WEEK
    number = weeks - 1 - (end - 1 - at) // WEEK
    return np.where((number >= 0) & (at < end), number, -1)


def describe(
    sample: Sample, begin: int, end: int, *, model: str, features: str, figures: tuple[Figure, ...] = ()
) -> Reference:
    """The reference of what a model was trained on, between two moments in milliseconds.

    Raises `InvalidInput` for less than a week, or a week without a row.
    """
    week = week_of(sample.at, begin, end)
    weeks = max((end - begin) // WEEK, 0)
    if not weeks or len(np.unique(week[week >= 0])) < weeks:
        raise InvalidInput("a reference takes whole weeks with rows in each", param="data")
    columns = [_numbers(name, values, week, weeks) for name, values in sample.numbers.items()]
    columns += [_groups(name, values, week, weeks) for name, values in sample.groups.items()]
    return Reference(model, features, end - weeks * WEEK, end, int((week >= 0).sum()), tuple(columns), figures)


def _numbers(name: str, values: Floats, week: NDArray[np.int64], weeks: int) -> Column:
    known = values[(week >= 0) & ~np.isnan(values)]
    edges, ranks = list[float](), list[float]()
    if len(known):
        # The largest value is no edge: nothing would lie above it.
        edges = [each for each in np.unique(np.quantile(known, LEVELS, method="inverted_cdf")) if each < known.max()]
        places = (np.arange(min(RANKS, len(known))) + 0.5) / min(RANKS, len(known))
        ranks = np.quantile(known, places, method="inverted_cdf").tolist()
    column = Column(name, (), tuple(float(each) for each in edges), tuple(ranks))
    return Column(name, _by_week(column, values, week, weeks), column.edges, column.ranks)


def _groups(name: str, values: NDArray[np.str_], week: NDArray[np.int64], weeks: int) -> Column:
    labels = tuple(np.unique(values[week >= 0]).tolist())
    column = Column(name, (), labels=labels)
    return Column(name, _by_week(column, values, week, weeks), labels=labels)


def _by_week(
    column: Column, values: NDArray[np.float64] | NDArray[np.str_], week: NDArray[np.int64], weeks: int
) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(column.count(values[week == each]).tolist()) for each in range(weeks))
