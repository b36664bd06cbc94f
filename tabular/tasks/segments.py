"""Segments of customers by recency, frequency and spending (RFM), in words; kept as JSON. `segmenting.py` finds them.

Segments are numbered by what their customers spend, so that another start gives the same numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tabular.tasks.encoding import Floats


@dataclass(frozen=True, slots=True)
class Purchase:
    """A purchase: who, when in days, and for how much."""

    customer: str
    day: float
    amount: float


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment as it was when it was found.

    `share` is what its customers spent of all that was spent, 0 to 1. `recency` (days), `purchases` and `spending` are
    the medians of its customers.
    """

    words: str
    customers: int
    share: float
    recency: float
    purchases: float
    spending: float


@dataclass(frozen=True, slots=True)
class Segments:
    """Segments, the one that spends most first.

    `centre` and `spread`, (3,), standardise the logarithms of recency, frequency and spending; `middles`, (segments,
    3), are where the segments lie then. `silhouette` says how far they are apart, up to 1.
    """

    centre: Floats
    spread: Floats
    middles: Floats
    each: tuple[Segment, ...]
    silhouette: float

    def of(self, customers: Floats) -> npt.NDArray[np.int64]:
        """The segment of each customer, (N, 3) as `rfm` has them → (N,), from 0."""
        return nearest((np.log1p(customers) - self.centre) / self.spread, self.middles)

    def told(self) -> dict[str, Any]:
        """For JSON."""
        lists = {name: getattr(self, name).tolist() for name in ("centre", "spread", "middles")}
        return {**lists, "each": [asdict(each) for each in self.each], "silhouette": self.silhouette}

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Segments:
        """What `told` gave. Raises `KeyError`, `TypeError` and `ValueError` for something else."""
        centre, spread, middles = (np.array(told[name], dtype=np.float64) for name in ("centre", "spread", "middles"))
        each = tuple(_segment(one) for one in told["each"])
        if not each or centre.shape != (3,) or spread.shape != (3,) or middles.shape != (len(each), 3):
            raise ValueError("these are no segments")
        if not all(np.isfinite(numbers).all() for numbers in (centre, spread, middles)) or (spread <= 0).any():
            raise ValueError("these segments have numbers that are none")
        return cls(centre, spread, middles, each, float(told["silhouette"]))


def rfm(purchases: Iterable[Purchase], now: float) -> tuple[list[str], Floats]:
    """Customers by name, and (N, 3): days since the last purchase, purchases, money spent. `now` is in days.

    What comes after `now` is left out.
    """
    found: dict[str, list[Purchase]] = defaultdict(list)
    for purchase in purchases:
        if purchase.day <= now:
            found[purchase.customer].append(purchase)
    names = sorted(found)
    rows = [
        (
            now - max(each.day for each in found[name]),
            len(found[name]),
            max(0.0, sum(each.amount for each in found[name])),
        )
        for name in names
    ]
    return names, np.array(rows, dtype=np.float64).reshape(-1, 3)


def nearest(rows: Floats, middles: Floats) -> npt.NDArray[np.int64]:
    """The place of the nearest middle, (segments, 3), of each row, (N, 3) → (N,)."""
    apart = ((rows[:, None] - middles[None]) ** 2).sum(axis=2)
    return np.asarray(np.argmin(apart, axis=1), dtype=np.int64)


def _segment(told: Mapping[str, Any]) -> Segment:
    numbers = {name: float(told[name]) for name in ("share", "recency", "purchases", "spending")}
    return Segment(words=str(told["words"]), customers=int(told["customers"]), **numbers)
