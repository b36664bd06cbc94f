"""What a benchmark reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any


class Skipped(Exception):
    """A benchmark that cannot run here; the message says what it lacks."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One quantity, measured once a round; `reference` in the same rounds, where there is one.

    `goal` says in words what was set as the goal, `met` whether these figures meet it.
    """

    name: str
    unit: str
    ours: Sequence[float]
    reference: Sequence[float] = ()
    against: str = ""
    goal: str = ""
    met: bool | None = None

    @property
    def value(self) -> float:
        """The median round."""
        return median(self.ours)

    @property
    def reference_value(self) -> float | None:
        """The reference's median round."""
        return median(self.reference) if self.reference else None

    @property
    def ratio(self) -> float | None:
        """Ours over the reference's."""
        return self.value / median(self.reference) if self.reference else None

    def row(self) -> dict[str, Any]:
        """The figure as JSON: medians, ratio, and the lowest and highest round of each side."""
        return {
            "name": self.name,
            "unit": self.unit,
            "ours": self.value,
            "ours_rounds": [min(self.ours), max(self.ours)],
            "against": self.against,
            "reference": self.reference_value,
            "reference_rounds": [min(self.reference), max(self.reference)] if self.reference else None,
            "ratio": self.ratio,
            "goal": self.goal,
            "met": self.met,
        }
