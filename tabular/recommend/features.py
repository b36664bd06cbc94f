"""What speaks for each item, as numbers: the one definition that training and serving share.

`RELATIONS` say something of every item, `PERSONAL` only of what the customer bought before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tabular.recommend.history import History

if TYPE_CHECKING:
    from tabular.recommend.model import Model

Floats = NDArray[np.float32]
Places = NDArray[np.intp]

RELATIONS = ("next", "similar", "alike", "taste", "text", "lately", "season", "ever", "cold")
PERSONAL = ("own", "times", "fresh", "recent", "last", "gap", "rate", "returns")

COMPONENTS: Mapping[str, tuple[str, ...]] = {
    "repeat": PERSONAL,
    "sequence": ("next",),
    "similar": ("similar", "alike"),
    "taste": ("taste",),
    "text": ("text",),
    "popular": ("lately", "season", "ever", "cold"),
}
"""Which features belong to which part of the blend: the parts are what reasons are given by."""

FADING = 0.7
"""How much less each earlier basket of the customer counts."""

MEMORY = 60.0
"""Days after which an own purchase counts for 1/e in `fresh`."""

LOOKED_AT = 300
"""Own items that relations start from, the most recent: what bounds the time of an answer."""


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """A history in a model's terms: `own` (m,) places of what was bought, each once, and how recently, (m,).

    `times`, `fresh`, `recent`, `last`, `gap` say how often in all, how often of late (by days), how often of late (by
    baskets, in [0, 1]), whether in the last basket, and days since the last time. `baskets` counts them all.
    """

    own: Places
    times: Floats
    fresh: Floats
    recent: Floats
    last: Floats
    gap: Floats
    baskets: int

    @classmethod
    def of(cls, history: History, places: Mapping[str, int], now: float) -> Profile:
        """What the model knows of a history at the day `now`; items that it does not know are left out."""
        count = len(history.baskets)
        lines = [
            (places[item], count - 1 - number, now - basket.day)
            for number, basket in enumerate(history.baskets)
            for item in basket.items
            if item in places
        ]
        item, age, days = np.array(lines, np.float64).reshape(-1, 3).T
        own, at = np.unique(item.astype(np.intp), return_inverse=True)
        fading = FADING**age
        whole = float((FADING ** np.arange(count)).sum()) or 1.0
        gap = np.full(len(own), np.inf)
        np.minimum.at(gap, at, np.maximum(days, 0))
        return cls(
            own,
            _summed(at, None, own),
            _summed(at, np.exp(-np.maximum(days, 0) / MEMORY), own),
            _summed(at, fading / whole, own),
            np.minimum(_summed(at, (age == 0).astype(float), own), 1),
            gap.astype(np.float32),
            count,
        )

    @property
    def depth(self) -> int:
        """How much is known of the customer, in baskets."""
        return self.baskets if len(self.own) else 0

    def starts(self) -> tuple[Places, Floats]:
        """The own items that relations start from, and how recent they are: at most `LOOKED_AT`."""
        if len(self.own) <= LOOKED_AT:
            return self.own, self.recent
        chosen = np.sort(np.argsort(-self.recent, kind="stable")[:LOOKED_AT])
        return self.own[chosen], self.recent[chosen]


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """`relations` (len(RELATIONS), n) of all items; `personal` (len(PERSONAL), m) of the `own` (m,) ones."""

    relations: Floats
    own: Places
    personal: Floats


def features(model: Model, profile: Profile, taste: Floats | None = None) -> Features:
    """What speaks for each item. `taste` (d,) is a text of the customer's wishes, embedded as the model's items are."""
    rows = np.zeros((len(RELATIONS), len(model.items)), np.float32)
    starts, recent = profile.starts()
    if len(starts):
        level = np.ones(len(starts), np.float32)
        rows[0] = _levelled(model.next.total(starts, recent))
        rows[1] = _levelled(model.similar.total(starts, level))
        rows[2] = _levelled(model.alike.total(starts, recent))
        rows[3] = model.factors.items @ model.factors.taste(starts)
    wish = _wish(model, starts, recent) if taste is None else taste
    if model.texts.size and wish is not None:
        rows[4] = np.maximum(model.texts @ wish, 0)
    rows[5:8] = model.popularity
    cold = model.cold
    if len(cold.places):
        rows[:4, cold.places] = cold.lent(rows[:4])
        rows[5:8, cold.places] = cold.lent(rows[5:8])
        rows[8, cold.places] = 1
    personal = np.stack(
        [
            np.ones(len(profile.own), np.float32),
            np.log1p(profile.times),
            np.log1p(profile.fresh),
            profile.recent,
            profile.last,
            np.log1p(profile.gap),
            profile.times / (profile.baskets + 1),
            np.log(model.returns[profile.own]),
        ]
    )
    return Features(rows, profile.own, personal)


def _wish(model: Model, starts: Places, recent: Floats) -> Floats | None:
    """What the customer's own items say, of length 1."""
    if not model.texts.size or not len(starts):
        return None
    wish = recent @ model.texts[starts]
    length = float(np.linalg.norm(wish))
    return wish / length if length else None


def _levelled(values: Floats) -> Floats:
    """On a scale of its own: its mean becomes log 2, so that long and short histories compare."""
    mean = float(values.mean())
    levelled: Floats = np.log1p(values / mean) if mean > 0 else values
    return levelled


def _summed(at: Places, weights: NDArray[np.float64] | None, own: Places) -> Floats:
    return np.bincount(at, weights, minlength=len(own)).astype(np.float32)
