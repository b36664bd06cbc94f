"""What recommends now: the registry's champion, taken up while the gateway runs, or else the likeness of baskets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from app import logs
from core.errors import InvalidInput, MissingExtra, NotFound, WaysideError
from core.recommending import Asking, Recommendations
from core.versions import Kind
from tabular.recommend.model import Model
from tabular.recommend.recommender import Recommender as Answering

if TYPE_CHECKING:
    from core.ports import Recommender
    from core.registry import Registry
    from core.versions import Standing

MODEL = "recommend"
"""The model's name in the registry."""

Opened = Callable[[Answering, int], "Recommender"]
"""What recommends with a model, given its version's number."""


class ServedRecommender:
    """See `core.ports.Recommender`: whichever is in force.

    A model knows one company's purchases, and answers for nobody else's customers.
    """

    def __init__(
        self, registry: Registry, tenant: str, plain: Recommender, opened: Opened, *, poll_seconds: float
    ) -> None:
        """`tenant` is whose purchases models are trained on, `plain` what recommends where there is no model."""
        self._registry = registry
        self._tenant = tenant
        self._plain = plain
        self._opened = opened
        self._poll = poll_seconds
        self._seen: Standing | None = None
        self._own = plain

    async def recommend(self, tenant: str, asking: Asking) -> Recommendations:
        """See `Recommender.recommend`."""
        return await (self._own if tenant == self._tenant else self._plain).recommend(tenant, asking)

    async def refresh(self) -> None:
        """Take up the champion if it changed.

        Raises `InvalidInput` for a model of another kind, `CorruptArtefact` for one that is broken, `MissingExtra`
        without safetensors.
        """
        try:
            standing = await self._registry.standing(MODEL)
        except NotFound:
            return
        if self._seen is not None and standing.changes == self._seen.changes:
            return
        # Looked at once, whatever comes of it.
        self._seen = standing
        if standing.kind is not Kind.TABULAR:
            raise InvalidInput(f"the model {MODEL} is of kind {standing.kind.value}, not tabular", param="kind")
        if standing.champion is None:
            self._own = self._plain
            return
        self._own = self._opened(Answering(await self._load(standing.champion)), standing.champion)

    async def take_up(self) -> None:
        """`refresh`; where it cannot, the log is told, what was in force stays, and a later promotion is taken up."""
        try:
            await self.refresh()
        except (DBAPIError, OSError) as error:
            self._seen = None
            logs.logger.warning("the registry was not read", **logs.describe(error))
        except WaysideError as error:
            logs.logger.error("the champion was not taken up", model=MODEL, **logs.describe(error))

    async def run(self) -> None:
        """Look for a champion until cancelled."""
        while True:
            await asyncio.sleep(self._poll)
            await self.take_up()

    async def _load(self, number: int) -> Model:
        if find_spec("safetensors") is None:
            raise MissingExtra("safetensors", "tabular")
        # Only those who have a model need the package.
        from tabular.recommend.storing import load

        files = await self._registry.files(await self._registry.version(MODEL, number))
        return await asyncio.to_thread(load, files)
