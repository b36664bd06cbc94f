"""Columns of text as a matrix of numbers: numbers as they are, values of a category by their place, NaN for unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tabular.tasks.task import Flag, Number, Protected, Task

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.str_]
Texts = Mapping[str, Sequence[str | None]]


@dataclass(frozen=True, slots=True)
class Encoding:
    """The features in their order, and the values of each: none of a number. A value that is not among them is NaN."""

    names: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]

    @classmethod
    def learned(cls, task: Task, texts: Texts) -> Encoding:
        """The task's features, with the values that occur in these rows, the most frequent first. A flag has both."""
        names = tuple(each.name for each in task.features)
        found: list[tuple[str, ...]] = []
        for column in task.features:
            if isinstance(column, Number):
                found.append(())
            elif isinstance(column, Flag):
                found.append(column.values)
            else:
                told = [value for value in texts[column.name] if value is not None]
                there, counts = np.unique(np.array(told, dtype=np.str_), return_counts=True)
                found.append(tuple(there[np.argsort(-counts, kind="stable")].tolist()))
        return cls(names, tuple(found))

    def matrix(self, texts: Texts) -> Floats:
        """The rows as (N, features)."""
        columns = [_codes(texts[name], values) for name, values in zip(self.names, self.values, strict=True)]
        return np.stack(columns, axis=1)

    def text(self, place: int, code: float) -> str | None:
        """The value of the feature at `place` that has this code; None where it is not known."""
        if np.isnan(code):
            return None
        values = self.values[place]
        return values[int(code)] if values else f"{code:.17g}"

    def numbers(self) -> Bools:
        """Which features are numbers, (features,)."""
        return np.array([not values for values in self.values], dtype=np.bool_)

    def told(self) -> dict[str, Any]:
        """For JSON."""
        return {"names": self.names, "values": self.values}

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Encoding:
        """What `told` gave. Raises `KeyError` and `TypeError` for something else."""
        return cls(tuple(told["names"]), tuple(tuple(each) for each in told["values"]))


def labels(task: Task, protected: Protected, texts: Texts) -> Labels:
    """The group of each row by a protected property, (N,)."""
    return np.array([task.group(protected, each) for each in texts[protected.column]], dtype=np.str_)


def _codes(texts: Sequence[str | None], values: tuple[str, ...]) -> Floats:
    if not values:
        return np.array([np.nan if each is None else float(each) for each in texts], dtype=np.float64)
    places = {value: float(place) for place, value in enumerate(values)}
    return np.array([np.nan if each is None else places.get(each, np.nan) for each in texts], dtype=np.float64)
