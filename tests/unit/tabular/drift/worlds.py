"""Rows whose owners have habits, for tests of drift: what one owner does is alike, and most come every week."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tabular.drift.concept import Outcomes
from tabular.drift.reference import WEEK, Reference, Sample, describe
from tabular.features import Floats

DAY = WEEK // 7
OWNERS = 150


class World:
    """Weeks of rows. `seed` decides on everything; a week is the same however often it is asked for."""

    def __init__(self, seed: int, rows: int = 1_200) -> None:
        random = np.random.default_rng([seed, 99])
        self._seed = seed
        self._rows = rows
        self._habit = random.normal(0, 1, OWNERS)
        self._kind = random.random(OWNERS) < 0.3

    def week(self, number: int, *, add: float = 0.0, swap: float = 0.0) -> Sample:
        """A week. `add` is added to the column `spent`; so large a share of the owners becomes of the kind `new`."""
        owner, at, random = self._drawn(number)
        # What owners feel like in a week: rows of one are alike beyond their habits.
        mood = random.normal(0, 0.7, OWNERS)[owner]
        spent = self._habit[owner] + mood + random.normal(0, 0.5, len(owner)) + add
        calm = random.normal(0, 1, len(owner))
        calm[random.random(len(owner)) < 0.1] = np.nan
        kind = np.where(self._kind[owner], "shop", "web")
        kind = np.where(random.random(OWNERS)[owner] < swap, "new", kind)
        return Sample(at, {"spent": spent, "calm": calm}, {"kind": kind})

    def outcomes(self, number: int, *, honest: float = 1.0, share: float = 0.05) -> Outcomes:
        """What was said of a week and what it turned out to be; `honest` is the share of scores that mean something."""
        owner, at, random = self._drawn(number)
        # Whole owners turn out to be what is looked for.
        hit = (random.random(OWNERS) < share)[owner] & (random.random(len(owner)) < 0.8)
        odds = np.where(hit & (random.random(len(owner)) < honest), 2.0, -3.2) + random.normal(0, 1, len(owner))
        return Outcomes(at, owner.astype(str), 1 / (1 + np.exp(-odds)), hit)

    def reference(self, weeks: int = 8) -> Reference:
        """What the first weeks were."""
        return describe(together([self.week(each) for each in range(weeks)]), 0, weeks * WEEK, model="m", features="f")

    def _drawn(self, number: int) -> tuple[NDArray[np.int64], NDArray[np.int64], np.random.Generator]:
        random = np.random.default_rng([self._seed, number])
        at = np.sort(random.integers(0, WEEK, self._rows)) + number * WEEK
        return random.integers(0, OWNERS, self._rows), at, random


def together(parts: list[Sample]) -> Sample:
    """Samples after each other."""
    numbers = {name: _joined([each.numbers[name] for each in parts]) for name in parts[0].numbers}
    groups = {name: np.concatenate([each.groups[name] for each in parts]) for name in parts[0].groups}
    return Sample(np.concatenate([each.at for each in parts]), numbers, groups)


def all_outcomes(parts: list[Outcomes]) -> Outcomes:
    """Outcomes after each other."""
    at, owners = (np.concatenate([getattr(each, name) for each in parts]) for name in ("at", "owners"))
    scores, positive = (np.concatenate([getattr(each, name) for each in parts]) for name in ("scores", "positive"))
    return Outcomes(at, owners, scores, positive)


def _joined(parts: list[Floats]) -> Floats:
    return np.concatenate(parts)
