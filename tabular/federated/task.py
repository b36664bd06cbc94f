"""What a federation learns: a linear model of one yes-or-no question, over columns that are declared beforehand.

Everything that turns a row into numbers is declared in the task: ranges, categories, the label. Were any of it counted
on the devices' rows, it would tell about them outside of the privacy budget.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.errors import InvalidInput

Floats = NDArray[np.float64]

MOST_FEATURES = 4096
"""So that a model is 32 kB at most, and an update in JSON some hundred."""

Column = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")]
Value = Annotated[str, Field(max_length=128, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Number(BaseModel):
    """A column of numbers within a range that everybody may know; what lies outside counts as the range's end.

    `log` brings amounts whose large ones are rare closer together: their distance from `low` is taken as log(1 + it).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: Column
    low: float = Field(allow_inf_nan=False, ge=-1e15, le=1e15)
    high: float = Field(allow_inf_nan=False, ge=-1e15, le=1e15)
    log: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"the range of {self.column} is empty: {self.low} to {self.high}")
        return self

    def scaled(self, text: str) -> float:
        """From -1 to 1; 0 for an empty cell. Raises `ValueError` for what is no number."""
        if not text.strip():
            return 0.0
        value = float(text)
        if math.isnan(value):
            raise ValueError("it is not a number")
        distance, width = min(max(value, self.low), self.high) - self.low, self.high - self.low
        share = math.log1p(distance) / math.log1p(width) if self.log else distance / width
        return 2 * share - 1


class Category(BaseModel):
    """A column of words. Each of the values has a weight of its own; any other value has none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: Column
    values: tuple[Value, ...] = Field(min_length=1, max_length=1000)


class Label(BaseModel):
    """The question: whether the column has this value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: Column
    value: Value


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows as numbers: `features` (N, dimension), `labels` (N,) of 0 and 1."""

    features: Floats
    labels: Floats

    def __len__(self) -> int:
        """How many there are."""
        return len(self.labels)


class Task(BaseModel):
    """The declared columns and the question. A model has a weight for each feature; the first is always 1."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    numbers: tuple[Number, ...] = Field((), max_length=200)
    categories: tuple[Category, ...] = Field((), max_length=200)
    label: Label

    @model_validator(mode="after")
    def _sound(self) -> Self:
        columns = [each.column for each in self.numbers] + [each.column for each in self.categories]
        columns.append(self.label.column)
        if len(columns) == 1:
            raise ValueError("a task needs at least one column besides the label")
        if len(set(columns)) < len(columns):
            raise ValueError("a column is declared twice")
        if any(len(set(each.values)) < len(each.values) for each in self.categories):
            raise ValueError("a value of a category is declared twice")
        if self.dimension > MOST_FEATURES:
            raise ValueError(f"{self.dimension} features are more than {MOST_FEATURES}")
        return self

    @property
    def dimension(self) -> int:
        """How many weights a model has."""
        return 1 + len(self.numbers) + sum(len(each.values) for each in self.categories)

    def vector(self, row: Mapping[str, str]) -> Floats:
        """The features of a row, (dimension,). Raises `InvalidInput` for a missing column or a cell that is none."""
        made = np.zeros(self.dimension)
        made[0] = 1.0
        for place, number in enumerate(self.numbers, start=1):
            try:
                made[place] = number.scaled(_cell(row, number.column))
            except ValueError as problem:
                raise InvalidInput(f"{number.column}: {problem}", param=number.column) from problem
        place = 1 + len(self.numbers)
        for category in self.categories:
            value = _cell(row, category.column)
            if value in category.values:
                made[place + category.values.index(value)] = 1.0
            place += len(category.values)
        return made

    def rows(self, given: Sequence[Mapping[str, str]]) -> Rows:
        """Rows with their labels. Raises `InvalidInput` that names the row, counted from 1, and the column."""
        features, labels = np.zeros((len(given), self.dimension)), np.zeros(len(given))
        for place, row in enumerate(given):
            try:
                features[place] = self.vector(row)
                labels[place] = _cell(row, self.label.column) == self.label.value
            except InvalidInput as problem:
                raise InvalidInput(f"row {place + 1}: {problem.message}", param=problem.param) from problem
        return Rows(features, labels)


def _cell(row: Mapping[str, str], column: str) -> str:
    if column not in row:
        raise InvalidInput(f"there is no column {column}", param=column)
    return row[column]
