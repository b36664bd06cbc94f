"""Finds segments of customers by k-means, and measures them on customers whom they were found without.

How many there are is chosen by the mean silhouette (Rousseeuw 1987) over several starts. It is three at least: with
two, the silhouette is nearly always highest, and all that they say is who buys more.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_samples

from core.errors import InvalidInput
from core.gates import Interval
from tabular.tasks.encoding import Floats
from tabular.tasks.measures import interval
from tabular.tasks.segments import Segment, Segments, nearest

COUNTS = tuple(range(3, 8))
SEEDS = 3
PARTS = 5
SAMPLED = 2000
"""Customers whose silhouette is looked at: it takes all their pairs."""

STEPS = (50, 100, 200, 500, 1000, SAMPLED)
"""Intervals are those of as many customers, whichever is the most that there are: the gate compares what was measured
over no fewer, and that is not to change with each customer."""

LEAST = STEPS[0]
_RESAMPLES = 1000
_WORDS = (
    ("bought lately", "bought a while ago", "has not bought for long"),
    ("seldom", "now and then", "often"),
    ("spends little", "spends a fair amount", "spends much"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """Segments of all customers, and how good they are, with 95 % intervals over customers.

    `silhouette` is the mean silhouette of customers, each by the nearest of segments that were found without a fifth
    of the customers to which they belong. `same` is the share of them whose segment has the same number then as among
    the segments of all: how little a customer's segment depends on who else was there. The number of segments was
    chosen with everybody.
    """

    segments: Segments
    silhouette: Interval
    same: Interval


def find_segments(customers: Floats, *, seed: int = 0) -> Found:
    """Segments of customers, (N, 3) as `rfm` has them. Equal customers and seeds give equal segments.

    Raises `InvalidInput` for fewer than 50 customers, and for customers of fewer than three kinds.
    """
    if len(customers) < LEAST:
        raise InvalidInput(f"{len(customers)} customers: {LEAST} are the least", param="data")
    plain = np.log1p(customers)
    centre, spread = plain.mean(axis=0), plain.std(axis=0)
    spread[spread < 1e-12] = 1.0
    rows = (plain - centre) / spread
    kinds = len(np.unique(rows, axis=0))
    if kinds < COUNTS[0]:
        told = f"the customers are of {kinds} kinds: {COUNTS[0]} segments are the least"
        raise InvalidInput(told, param="data")
    random = np.random.default_rng(seed)
    sample = random.choice(len(rows), min(SAMPLED, len(rows)), replace=False)
    counts = [count for count in COUNTS if count <= kinds]
    found = {count: [_cluster(rows, count, seed + start) for start in range(SEEDS)] for count in counts}
    apart = {count: np.mean([_apart(rows[sample], each[0]) for each in starts]) for count, starts in found.items()}
    count = max(apart, key=lambda each: float(apart[each]))
    middles = min(found[count], key=lambda each: each[1])[0]

    parts = random.permutation(len(rows)) % PARTS
    silhouettes, kept = np.empty(len(sample)), np.empty(len(sample))
    whole = nearest(rows[sample], middles)
    for part in range(PARTS):
        without, _ = _cluster(rows[parts != part], count, seed)
        held = parts[sample] == part
        silhouettes[held] = _apart(rows[sample], without)[held]
        kept[held] = (nearest(rows[sample], without) == whole)[held]
    cases = max(step for step in STEPS if step <= len(sample))
    drawn = random.integers(0, len(sample), (_RESAMPLES, cases))
    silhouette, same = (
        interval(float(values.mean()), values[drawn].mean(axis=1), cases) for values in (silhouettes, kept)
    )
    each = _told(customers, rows, middles)
    return Found(Segments(centre, spread, middles, each, silhouette.value), silhouette, same)


def _cluster(rows: Floats, count: int, seed: int) -> tuple[Floats, float]:
    """The middles, the one that spends most first, and how far rows lie from theirs in all."""
    # Of a part of the customers there may be fewer kinds.
    count = min(count, len(np.unique(rows, axis=0)))
    model = KMeans(count, n_init=4, random_state=seed).fit(rows)
    order = np.argsort(-model.cluster_centers_[:, 2], kind="stable")
    return np.asarray(model.cluster_centers_[order], dtype=np.float64), float(model.inertia_)


def _apart(rows: Floats, middles: Floats) -> Floats:
    """The silhouette of each row; the worst there is where all lie by one middle."""
    labels = nearest(rows, middles)
    if len(np.unique(labels)) < 2:
        return np.full(len(rows), -1.0)
    return np.asarray(silhouette_samples(rows, labels), dtype=np.float64)


def _told(customers: Floats, rows: Floats, middles: Floats) -> tuple[Segment, ...]:
    labels, all_spent = nearest(rows, middles), max(float(customers[:, 2].sum()), 1e-12)
    thirds = np.quantile(rows, (1 / 3, 2 / 3), axis=0)
    said = [_said(middle, thirds) for middle in middles]
    often = Counter(said)
    told = []
    for place, words in enumerate(said):
        ours = customers[labels == place]
        recency, purchases, spending = np.median(ours, axis=0).tolist() if len(ours) else (0.0, 0.0, 0.0)
        # Two segments may lie between the same thirds.
        apart = words if often[words] == 1 else f"{words} (about {spending:,.0f} in all)"
        told.append(Segment(apart, len(ours), float(ours[:, 2].sum()) / all_spent, float(recency), purchases, spending))
    return tuple(told)


def _said(middle: Floats, thirds: Floats) -> str:
    """A segment's middle in words, by the thirds of all customers."""
    recency, frequency, money = (
        names[int((value > edges).sum())] for names, value, edges in zip(_WORDS, middle, thirds.T, strict=True)
    )
    return f"{recency}, buys {frequency}, {money}"
