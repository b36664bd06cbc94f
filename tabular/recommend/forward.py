"""How good a model is forward in time: trained before a cut, asked for each customer's first basket after it.

All items are ranked, none sampled; what was first sold after the cut stays among what was bought, though no ranker can
find it. Popularity, the plainest of rankers, is measured on the same baskets.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from core.gates import Interval
from tabular.recommend.blend import scores
from tabular.recommend.features import Profile, features
from tabular.recommend.history import first_baskets, histories
from tabular.recommend.popularity import SPANS
from tabular.recommend.purchases import PurchaseLog
from tabular.recommend.recommender import ranked
from tabular.recommend.training import HORIZON, Catalogue, train

DEPTH = 10
"""Items that a ranking is judged by."""

SIZES = (20, 50, 100, 200, 500)
"""How many customers are asked for: as many of these as there are, the rest is not drawn. Figures of equally many are
compared with one another, and so the number does not change with each order. Fewer than the first measure nothing."""

_RESAMPLES = 1_000
_RECENT = SPANS.index(30.0)


@dataclass(frozen=True, slots=True, eq=False)
class Forward:
    """Recall@`DEPTH` of each customer's basket, (customers,), by the model and by what sold in the last month."""

    model: NDArray[np.float64]
    popularity: NDArray[np.float64]


def measured_forward(log: PurchaseLog, catalogue: Catalogue, *, seed: int = 0) -> Forward:
    """Cut the log `HORIZON` days before its end, train on what lies before, and ask for what lies after.

    Titles of items that nobody had bought before the cut are not looked at: they may not have been for sale. Raises
    `InvalidInput` where too few customers with a history bought something after the cut.
    """
    cut = math.ceil(log.end) - HORIZON
    known = log.before(cut)
    past, future = histories(known), first_baskets(log.since(cut))
    asked = sorted(past.keys() & future.keys())
    if len(asked) < SIZES[0]:
        told = f"{len(asked)} customers with a history bought in the log's last {HORIZON:g} days"
        raise InvalidInput(f"{told}: {SIZES[0]} are the least", param="data")
    size = max(each for each in SIZES if each <= len(asked))
    drawn = np.random.default_rng(seed).choice(len(asked), size, replace=False)
    asked = [asked[place] for place in np.sort(drawn)]
    before = replace(catalogue, titles={item: catalogue.titles.get(item, "") for item in known.items})
    model = train(known, before, now=cut, seed=seed)
    selling = [model.items[place] for place in ranked(model.popularity[_RECENT], DEPTH)]
    found, plain = [], []
    for customer in asked:
        basket = future[customer]
        profile = Profile.of(past[customer], model.places, basket.day)
        ranking = ranked(scores(model.blend.row(profile.depth), features(model, profile)), DEPTH)
        found.append(_recall([model.items[place] for place in ranking], basket.items))
        plain.append(_recall(selling, basket.items))
    return Forward(np.array(found), np.array(plain))


def bootstrapped(values: NDArray[np.float64], seed: int = 0) -> Interval:
    """The mean, and the percentiles of 1,000 resamples of the customers (B. Efron, 1979)."""
    drawn = np.random.default_rng(seed).integers(0, len(values), (_RESAMPLES, len(values)))
    low, high = np.percentile(values[drawn].mean(axis=1), (2.5, 97.5))
    mean = float(values.mean())
    # Where all are equal, the mean of a resample may differ from theirs in its last bit.
    return Interval(mean, min(float(low), mean), max(float(high), mean), len(values))


def _recall(ranking: Collection[str], bought: Collection[str]) -> float:
    return len(set(bought).intersection(ranking)) / len(bought)
