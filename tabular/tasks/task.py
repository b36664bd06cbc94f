"""A supervised task on a table, declared in one place: its columns, what is to be told, for whom it must be fair.

A column knows what a sound value is, so that a file and a single row in a request are held to the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from core.errors import InvalidInput

MISSING = frozenset({"", "?", "NA", "N/A", "NaN", "nan", "null", "None"})
"""What stands in files where nothing is known."""

NOT_KNOWN = "not known"
"""The group of people of whom a property is not known. Comparisons leave it out."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number from `low` to `high`; `words` say it in a reason, with `{}` for the value: "with us for {} months"."""

    name: str
    low: float
    high: float
    words: str
    whole: bool = False
    missing: bool = False

    @property
    def rule(self) -> str:
        """What is said of a value that is not sound."""
        return f"is no {'whole ' if self.whole else ''}number from {self.low:g} to {self.high:g}"

    def sound(self, text: str) -> bool:
        """Whether the text is a value of this column."""
        try:
            value = float(text)
        except ValueError:
            return False
        return math.isfinite(value) and self.low <= value <= self.high and not (self.whole and value % 1)

    def told(self, text: str) -> str:
        """A value in words."""
        return self.words.format(f"{float(text):,.10g}")


@dataclass(frozen=True, slots=True)
class Category:
    """One of `values`, or anything up to 100 characters where they are not listed."""

    name: str
    words: str
    values: tuple[str, ...] = ()
    missing: bool = False

    @property
    def rule(self) -> str:
        """What is said of a value that is not sound."""
        return f"is none of {', '.join(self.values)}" if self.values else "is longer than 100 characters"

    def sound(self, text: str) -> bool:
        """Whether the text is a value of this column."""
        return text in self.values if self.values else len(text) <= 100

    def told(self, text: str) -> str:
        """A value in words."""
        return self.words.format(text)


@dataclass(frozen=True, slots=True)
class Flag:
    """Yes or no, as `yes` and `no` write it; `words` and `otherwise` say either in a reason."""

    name: str
    words: str
    otherwise: str
    yes: str = "Yes"
    no: str = "No"
    missing: bool = False

    @property
    def values(self) -> tuple[str, str]:
        """No and yes, in this order: their places are their codes."""
        return self.no, self.yes

    @property
    def rule(self) -> str:
        """What is said of a value that is not sound."""
        return f"is neither {self.yes} nor {self.no}"

    def sound(self, text: str) -> bool:
        """Whether the text is a value of this column."""
        return text in self.values

    def told(self, text: str) -> str:
        """A value in words."""
        return self.words if text == self.yes else self.otherwise


Column = Number | Category | Flag


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be told: the column, its two values, and what the positive one is called in a sentence."""

    name: str
    positive: str
    negative: str
    words: str


@dataclass(frozen=True, slots=True)
class Protected:
    """A property of people by which the model's decisions are compared.

    The groups are the column's values, or, of a number, the ranges between `edges`. The model meets the column only
    where `seen`. `ratio` is the least that the lowest selection rate may be of the highest (four fifths in the
    Uniform Guidelines on Employee Selection Procedures, 29 CFR 1607.4 D); `odds` the most that true or false positive
    rates may differ (equalized odds: Hardt, Price, Srebro 2016). None: told, not limited.
    """

    column: str
    edges: tuple[float, ...] = ()
    seen: bool = False
    ratio: float | None = None
    odds: float | None = None

    @property
    def limited(self) -> bool:
        """Whether a model can be stopped by it."""
        return self.ratio is not None or self.odds is not None


@dataclass(frozen=True, slots=True)
class Task:
    """A task. `unused` are columns that files have and no model meets: name to why.

    A decision is positive from the probability `threshold` on. Groups of fewer than `least` people are told and not
    limited: their figures are chance. Raises `InvalidInput` for a declaration that contradicts itself.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    target: Target
    protected: tuple[Protected, ...] = ()
    unused: tuple[tuple[str, str], ...] = ()
    threshold: float = 0.5
    least: int = 100

    def __post_init__(self) -> None:
        """Refuse a declaration that contradicts itself."""
        names = [each.name for each in self.columns] + [name for name, _ in self.unused] + [self.target.name]
        if len(set(names)) < len(names):
            raise InvalidInput(f"the task {self.name} names a column twice", param="columns")
        if unknown := {each.column for each in self.protected} - {each.name for each in self.columns}:
            raise InvalidInput(f"the task {self.name} has no column {', '.join(sorted(unknown))}", param="protected")
        for each in self.protected:
            if bool(each.edges) != isinstance(self.column(each.column), Number):
                raise InvalidInput(f"{each.column}: numbers, and only they, are grouped by edges", param="protected")

    def column(self, name: str) -> Column:
        """A column by its name. Raises `KeyError`."""
        return {each.name: each for each in self.columns}[name]

    @property
    def features(self) -> tuple[Column, ...]:
        """What the model meets: every column but the protected ones that it is not to see."""
        hidden = {each.column for each in self.protected if not each.seen}
        return tuple(each for each in self.columns if each.name not in hidden)

    @property
    def limits(self) -> dict[str, float]:
        """The limits that every version of the task's model is held to, by the metric's name."""
        told: dict[str, float] = {}
        for each in self.protected:
            for name, limit in (("selection-ratio", each.ratio), ("odds-difference", each.odds)):
                if limit is not None:
                    told[f"fairness/{each.column}/{name}"] = limit
        return told

    def groups(self, protected: Protected) -> tuple[str, ...]:
        """The names of a property's groups; empty where a category does not list its values."""
        if protected.edges:
            first, *others = protected.edges
            between = [f"{low:g} to under {high:g}" for low, high in zip(protected.edges, others, strict=False)]
            return (f"under {first:g}", *between, f"{protected.edges[-1]:g} and over")
        column = self.column(protected.column)
        return () if isinstance(column, Number) else column.values

    def group(self, protected: Protected, text: str | None) -> str:
        """The group of a value."""
        if text is None:
            return NOT_KNOWN
        if not protected.edges:
            return text
        return self.groups(protected)[sum(float(text) >= edge for edge in protected.edges)]
