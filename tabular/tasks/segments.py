"""Segments of customers by recency, frequency and spending (RFM), as k-means finds them, in words and in JSON.

How many there are is chosen by the mean silhouette (Rousseeuw 1987) over several starts. Segments are numbered by what
their customers spend, so that another start gives the same numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score

from core.errors import InvalidInput
from tabular.tasks.encoding import Floats

COUNTS = tuple(range(2, 8))
SEEDS = 3
SAMPLED = 2000
"""Customers whose silhouette is looked at: it takes all their pairs."""

LEAST = 50
_WORDS = (
    ("bought lately", "bought a while ago", "has not bought for long"),
    ("seldom", "now and then", "often"),
    ("spends little", "spends a fair amount", "spends much"),
)


@dataclass(frozen=True, slots=True)
class Order:
    """A purchase: who, when in days, and for how much."""

    customer: str
    day: float
    amount: float


@dataclass(frozen=True, slots=True)
class Segments:
    """Segments, the one that spends most first.

    `centre` and `spread`, (3,), standardise the logarithms of recency, frequency and spending; `middles`, (segments,
    3), are where the segments lie then. `words` describe each, `silhouette` says how far they are apart, up to 1.
    """

    centre: Floats
    spread: Floats
    middles: Floats
    words: tuple[str, ...]
    silhouette: float

    def of(self, customers: Floats) -> npt.NDArray[np.int64]:
        """The segment of each customer, (N, 3) as `rfm` has them → (N,)."""
        near = (np.log1p(customers) - self.centre) / self.spread
        apart = ((near[:, None] - self.middles[None]) ** 2).sum(axis=2)
        return np.asarray(np.argmin(apart, axis=1), dtype=np.int64)

    def told(self) -> dict[str, Any]:
        """For JSON."""
        lists = {name: getattr(self, name).tolist() for name in ("centre", "spread", "middles")}
        return {**lists, "words": self.words, "silhouette": self.silhouette}

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Segments:
        """What `told` gave. Raises `KeyError`, `TypeError` and `ValueError` for something else."""
        centre, spread, middles = (np.array(told[name], dtype=np.float64) for name in ("centre", "spread", "middles"))
        if centre.shape != (3,) or spread.shape != (3,) or middles.shape != (len(told["words"]), 3):
            raise ValueError("these are no segments")
        return cls(centre, spread, middles, tuple(map(str, told["words"])), float(told["silhouette"]))


def rfm(orders: Iterable[Order], now: float) -> tuple[list[str], Floats]:
    """Customers by name, and (N, 3): days since the last purchase, purchases, money spent. `now` is in days.

    What comes after `now` is left out.
    """
    found: dict[str, list[Order]] = defaultdict(list)
    for order in orders:
        if order.day <= now:
            found[order.customer].append(order)
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


def find_segments(customers: Floats, *, seed: int = 0) -> Segments:
    """Segments of customers, (N, 3) as `rfm` has them. Raises `InvalidInput` for fewer than 50."""
    if len(customers) < LEAST:
        raise InvalidInput(f"{len(customers)} customers: {LEAST} are the least", param="data")
    plain = np.log1p(customers)
    centre, spread = plain.mean(axis=0), plain.std(axis=0)
    spread[spread < 1e-12] = 1.0
    rows = (plain - centre) / spread
    random = np.random.default_rng(seed)
    sample = random.choice(len(rows), min(SAMPLED, len(rows)), replace=False)
    found = {count: [_cluster(rows, count, seed + start) for start in range(SEEDS)] for count in COUNTS}
    apart = {count: float(np.mean([_apart(rows[sample], each) for each in models])) for count, models in found.items()}
    count = max(apart, key=apart.__getitem__)
    best = min(found[count], key=lambda each: float(each.inertia_))
    spent = best.cluster_centers_[:, 2]
    middles = best.cluster_centers_[np.argsort(-spent, kind="stable")].astype(np.float64)
    thirds = np.quantile(rows, (1 / 3, 2 / 3), axis=0)
    return Segments(centre, spread, middles, tuple(_said(each, thirds) for each in middles), apart[count])


def _cluster(rows: Floats, count: int, seed: int) -> KMeans:
    return KMeans(count, n_init=4, random_state=seed).fit(rows)


def _apart(rows: Floats, model: KMeans) -> float:
    labels = model.predict(rows)
    return float(silhouette_score(rows, labels)) if len(np.unique(labels)) > 1 else -1.0


def _said(middle: Floats, thirds: Floats) -> str:
    """A segment's middle in words, by the thirds of all customers."""
    words: Sequence[str] = [
        names[int((value > edges).sum())] for names, value, edges in zip(_WORDS, middle, thirds.T, strict=True)
    ]
    recency, frequency, money = words
    return f"{recency}, buys {frequency}, {money}"
