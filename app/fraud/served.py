"""What decides about payments: the registry's champion and people's rules, taken up while the gateway runs."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from app import logs
from app.runs.finishing import finished
from core.errors import InvalidInput, MissingExtra, NotFound, WaysideError
from core.versions import Kind
from tabular.fraud.costs import Costs
from tabular.fraud.features import FraudFeatures
from tabular.fraud.rulebook import Rulebook
from tabular.fraud.rules import Rules
from tabular.fraud.scoring import Judge, Scorer

if TYPE_CHECKING:
    from core.database import Database
    from core.registry import Registry
    from core.settings import FraudSettings
    from core.versions import Standing

MODEL = "fraud"
"""The model's name in the registry."""


class ServedFraud:
    """Gives the scorer of a tenant. Without a champion the rules decide alone."""

    def __init__(self, database: Database, registry: Registry, settings: FraudSettings, *, poll_seconds: float) -> None:
        """Raises `InvalidInput` for a card that the settings both block and trust."""
        self._registry = registry
        self._poll = poll_seconds
        self._seen: Standing | None = None
        self._judge: Judge | None = None
        self._costs = Costs(settings.review_cents, settings.found, settings.chargeback_cents, settings.refused_cents)
        self._definition = FraudFeatures()
        rules = Rules(
            settings.blocked_cards,
            settings.blocked_terminals,
            settings.trusted_cards,
            settings.most_cents,
            settings.most_uses_an_hour,
        )
        self.rulebook = Rulebook(database, rules)

    def scorer(self, tenant: str) -> Scorer:
        """The one in force now."""
        return Scorer(self._judge, self.rulebook.rules(tenant), self._costs, self._definition)

    async def refresh(self) -> None:
        """Take up changed rules, and the champion if it changed.

        Raises `MissingExtra` without LightGBM, `InvalidInput` for a model of another kind or other features,
        `CorruptArtefact` for one that is broken.
        """
        await self.rulebook.refresh()
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
        judge = None
        if standing.champion is not None:
            if find_spec("lightgbm") is None:
                raise MissingExtra("lightgbm", "tabular")
            # LightGBM takes a second to import, which only those who have a model of fraud wait for.
            from tabular.fraud.model import load

            version = await self._registry.version(MODEL, standing.champion)
            files = await self._registry.files(version)
            judge = await asyncio.to_thread(load, files, self._definition.version, self._definition.names)
        self._judge = judge

    async def run(self) -> None:
        """Refresh until cancelled. A database that is away is waited for."""
        while True:
            await asyncio.sleep(self._poll)
            try:
                await finished(self.refresh())
            except (DBAPIError, OSError) as error:
                self._seen = None
                logs.logger.warning("the registry was not read", **logs.describe(error))
            except WaysideError as error:
                # The model before it stays in force, and the next promotion is taken up as ever.
                logs.logger.error("the champion was not taken up", model=MODEL, **logs.describe(error))
