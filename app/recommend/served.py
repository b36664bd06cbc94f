"""What recommends now: the registry's champion, taken up while the gateway runs, or else the likeness of baskets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING

from app.champions import Champion
from core.errors import MissingExtra
from core.recommending import Asking, Recommendations
from tabular.recommend.recommender import Recommender as Answering

if TYPE_CHECKING:
    from core.ports import Recommender
    from core.registry import Registry

MODEL = "recommend"
"""The model's name in the registry."""

Opened = Callable[[Answering, int], "Recommender"]
"""What recommends with a model, given its version's number."""


class ServedRecommender:
    """See `core.ports.Recommender`: whichever is in force.

    A model knows one company's purchases, and answers for nobody else's customers.
    """

    def __init__(self, registry: Registry, tenant: str, plain: Recommender, opened: Opened) -> None:
        """`tenant` is whose purchases models are trained on, `plain` what recommends where there is no model."""
        self._changes = Champion(registry, MODEL)
        self._tenant = tenant
        self._plain = plain
        self._opened = opened
        self._own = plain

    async def recommend(self, tenant: str, asking: Asking) -> Recommendations:
        """See `Recommender.recommend`."""
        return await (self._own if tenant == self._tenant else self._plain).recommend(tenant, asking)

    async def refresh(self) -> None:
        """Take up the champion if it changed.

        Raises `InvalidInput` for a model of another kind, `CorruptArtefact` for one that is broken, `MissingExtra`
        without safetensors.
        """
        change = await self._changes.change()
        if change is None:
            return
        if change.version is None:
            self._own = self._plain
            return
        if find_spec("safetensors") is None:
            raise MissingExtra("safetensors", "tabular")
        # Only those who have a model need the package.
        from tabular.recommend.storing import load

        model = await asyncio.to_thread(load, change.files)
        self._own = self._opened(Answering(model), change.version.number)
