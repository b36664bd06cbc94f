"""Makes slates: the best products for a customer, the last of them drawn by chance where the settings say so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from uuid_utils.compat import uuid7

from core.database import now
from core.ports import Recommender
from core.recommending import Asking, Recommended
from core.settings import RecommendSettings
from tabular.recommend.bandit import EpsilonGreedy, Policy, Softmax, show
from tabular.recommend.slates import Drawable, Place, Slate, Slates, Slot


@dataclass(frozen=True, slots=True)
class Made:
    """A slate that was kept, and its products as they are told, in the order of its places."""

    slate: Slate
    items: tuple[Recommended, ...]


class SlateMaker:
    """Makes slates and keeps them, so that what comes of them can be told."""

    def __init__(
        self,
        recommender: Recommender,
        slates: Slates,
        settings: RecommendSettings,
        *,
        random: np.random.Generator | None = None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        """`random` draws; by default nobody can foretell it."""
        self._recommender = recommender
        self._slates = slates
        self._policy = _policy(settings)
        self._candidates = settings.candidates if self._policy else 1
        self._random = random or np.random.default_rng()
        self._clock = clock

    async def make(self, tenant: str, asking: Asking) -> Made:
        """Recommend, and keep what was. Raises as `Recommender.recommend`."""
        wider = replace(asking, limit=asking.limit + self._candidates - 1)
        found = await self._recommender.recommend(tenant, wider)
        items = list(found.items[: asking.limit])
        places = [Place(each.sku, each.score) for each in items]
        slot = None
        rest = found.items[asking.limit - 1 :]
        if self._policy is not None and len(rest) > 1:
            slot, chosen = self._drawn(self._policy, asking.limit, rest)
            items[-1], places[-1] = chosen, Place(chosen.sku, chosen.score, slot.chance(chosen.sku))
        slate = Slate(f"rec_{uuid7().hex}", asking.customer_id, self._clock(), found.model, tuple(places), slot)
        await self._slates.keep(tenant, slate)
        return Made(slate, tuple(items))

    def _drawn(self, policy: Policy, position: int, rest: Sequence[Recommended]) -> tuple[Slot, Recommended]:
        shown = show(policy, [Place(each.sku, each.score) for each in rest], self._random)
        drawable = tuple(Drawable(each.sku, each.score, shown.chances[each.sku]) for each in rest)
        return Slot(position, drawable), next(each for each in rest if each.sku == shown.item)


def _policy(settings: RecommendSettings) -> Policy | None:
    """How the last place is drawn; None where nothing is left to chance."""
    if settings.explore == "epsilon_greedy":
        return EpsilonGreedy(settings.epsilon)
    return Softmax(settings.temperature) if settings.explore == "softmax" else None
