"""What decides about payments: the registry's champion and people's rules, taken up while the gateway runs."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec
from typing import TYPE_CHECKING

from app.champions import Champion
from core.errors import MissingExtra
from tabular.fraud.costs import Costs
from tabular.fraud.features import FraudFeatures
from tabular.fraud.rulebook import Rulebook
from tabular.fraud.rules import Rules
from tabular.fraud.scoring import Judge, Scorer

if TYPE_CHECKING:
    from core.database import Database
    from core.registry import Registry
    from core.settings import FraudSettings

MODEL = "fraud"
"""The model's name in the registry."""


class ServedFraud:
    """Gives the scorer of a tenant. Without a champion the rules decide alone."""

    def __init__(self, database: Database, registry: Registry, settings: FraudSettings) -> None:
        """Raises `InvalidInput` for a card that the settings both block and trust."""
        self._champion = Champion(registry, MODEL)
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
        change = await self._champion.change()
        if change is None:
            return
        if change.version is None:
            self._judge = None
            return
        if find_spec("lightgbm") is None:
            raise MissingExtra("lightgbm", "tabular")
        # LightGBM takes a second to import, which only those who have a model of fraud wait for.
        from tabular.fraud.model import load

        self._judge = await asyncio.to_thread(load, change.files, self._definition.version, self._definition.names)
