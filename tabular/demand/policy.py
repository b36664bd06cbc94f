"""A stock policy played through on demand that came: what is held, what is short, and what both cost.

Every `review_steps` an order fills the position up to a level; the goods arrive `lead_steps` later, before that step's
demand. What cannot be served waits and is served first. Whoever compares policies gives both the same demand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput

Floats = NDArray[np.float64]

_FACTORS = np.arange(0.5, 4.01, 0.1)


@dataclass(frozen=True, slots=True)
class Terms:
    """Times in steps, and costs of a piece and a step: held at its end, or waited for."""

    lead_steps: int
    review_steps: int
    holding: float = 1.0
    shortage: float = 19.0

    def __post_init__(self) -> None:
        """Raise `InvalidInput` for what makes no sense."""
        if self.lead_steps < 0 or self.review_steps < 1 or self.holding <= 0 or self.shortage <= 0:
            raise InvalidInput("times are not negative, reviews at least a step apart, costs above zero", param="terms")

    @property
    def protection_steps(self) -> int:
        """How long a level has to last."""
        return self.lead_steps + self.review_steps

    @property
    def service_level(self) -> float:
        """The level's best chance of lasting, the newsvendor's: shortage over the sum of both costs."""
        return self.shortage / (self.shortage + self.holding)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Mean costs of a step; `short` is the share of the pieces wanted that had to wait."""

    holding_cost: float
    shortage_cost: float
    short: float

    @property
    def cost(self) -> float:
        """Both together."""
        return self.holding_cost + self.shortage_cost


def play(demand: Floats, levels: Sequence[float], terms: Terms) -> Outcome:
    """Play the policy: `levels[i]` is what the order at step i times `review_steps` fills up to.

    It begins with the first level in stock. Steps before the second order could arrive are played, not counted: they
    tell of the beginning and not of the policy. Raises `InvalidInput` when nothing is left, or levels are missing.
    """
    first = terms.protection_steps
    if len(demand) <= first or len(levels) * terms.review_steps < len(demand):
        raise InvalidInput(f"{len(demand)} steps with {len(levels)} levels are too few to play", param="demand")
    stock = float(levels[0])
    arriving = np.zeros(len(demand) + terms.lead_steps + 1)
    on_order = held = waited = missed = wanted = 0.0
    for step, pieces in enumerate(demand.tolist()):
        if step % terms.review_steps == 0:
            order = max(0.0, levels[step // terms.review_steps] - stock - on_order)
            arriving[step + terms.lead_steps] += order
            on_order += order
        stock += arriving[step]
        on_order -= arriving[step]
        served = min(max(stock, 0.0), pieces)
        stock -= pieces
        if step >= first:
            held += max(stock, 0.0)
            waited += max(-stock, 0.0)
            missed += pieces - served
            wanted += pieces
    steps = len(demand) - first
    return Outcome(terms.holding * held / steps, terms.shortage * waited / steps, missed / wanted if wanted else 0.0)


def fixed_level(history: Floats, factor: float, terms: Terms) -> float:
    """A fixed rule: so many times the history's mean demand of a protection interval."""
    return factor * float(history.mean()) * terms.protection_steps


def best_factor(histories: Sequence[Floats], terms: Terms) -> float:
    """The one factor that would have cost least over all the histories, each in units of its mean demand.

    Tuned as well as a fixed rule can be: it has seen the history that its levels come from.
    """
    sold = [each for each in histories if each.any()]

    def cost(factor: float) -> float:
        total = 0.0
        for each in sold:
            reviews = -(-len(each) // terms.review_steps)
            total += play(each, [fixed_level(each, factor, terms)] * reviews, terms).cost / float(each.mean())
        return total

    return float(min(_FACTORS, key=cost))
