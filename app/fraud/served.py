"""What decides about payments: the registry's models and people's rules, taken up while the gateway runs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from app import logs
from app.champions import Champion, Change
from app.trials.sides import meets
from core.errors import MissingExtra, WaysideError
from core.versions import Mode, Plan, Standing
from tabular.fraud.costs import Costs
from tabular.fraud.features import FraudFeatures
from tabular.fraud.rulebook import Rulebook
from tabular.fraud.rules import Rules
from tabular.fraud.scoring import Judge, Scorer, Trial

if TYPE_CHECKING:
    from core.database import Database
    from core.registry import Registry
    from core.settings import FraudSettings
    from tabular.fraud.model import FraudModel

MODEL = "fraud"
"""The model's name in the registry."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A challenger whose trial is going on here: its version, the SHA-256 of its trees, how and since when."""

    version: int
    model: str
    plan: Plan
    since: datetime


@dataclass(frozen=True, slots=True)
class Failed:
    """A challenger that cannot go on, since when it was tried, and why in words."""

    version: int
    since: datetime
    why: str


class ServedFraud:
    """Gives the scorer of a tenant. Without a champion the rules decide alone, and so they do for every tenant but the
    installation's own, from whose payments the models were learned.

    A challenger that cannot be opened, or fails at a transaction, is put into `failed` and not asked again.
    """

    def __init__(self, database: Database, registry: Registry, settings: FraudSettings, tenant: str) -> None:
        """`tenant` is the installation's own.

        Raises `InvalidInput` for a card that the settings both block and trust.
        """
        self.costs = Costs(settings.review_cents, settings.found, settings.chargeback_cents, settings.refused_cents)
        self.tried: Tried | None = None
        self.failed: Failed | None = None
        self._registry = registry
        self._tenant = tenant
        self._champion = Champion(registry, MODEL)
        self._judge: Judge | None = None
        self._trial: Trial | None = None
        self._definition = FraudFeatures()
        self._taking_up = asyncio.Lock()
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
        rules = self.rulebook.rules(tenant)
        if tenant != self._tenant:
            return Scorer(None, rules, self.costs, self._definition)
        return Scorer(self._judge, rules, self.costs, self._definition, self._trial)

    async def refresh(self) -> None:
        """Take up changed rules, and the champion and the challenger if they changed.

        Raises `MissingExtra` without LightGBM, `InvalidInput` for a model of another kind or other features,
        `CorruptArtefact` for one that is broken.
        """
        # Models take a while to open: of two at once, the one that began first would have the last word.
        async with self._taking_up:
            await self.rulebook.refresh()
            try:
                change = await self._champion.change()
            except WaysideError:
                # The champion stays as it is open here. Its challenger may have been taken back.
                self._trial = self.tried = None
                raise
            if change is None:
                return
            try:
                await self._take_up(change)
            except (DBAPIError, OSError):
                self._champion.again()
                raise

    async def _take_up(self, change: Change) -> None:
        # Whatever comes of the champion, the trial that it was measured in is over.
        self._trial = self.tried = None
        try:
            self._judge = None if change.version is None else await self._load(change.files)
        finally:
            await self._take_up_challenger(change.standing)

    async def _take_up_challenger(self, standing: Standing) -> None:
        number, plan = standing.challenger, standing.plan
        if number is None or plan is None:
            return
        try:
            version = await self._registry.version(MODEL, number)
            judge = await self._load(await self._registry.files(version))
        except MissingExtra as problem:
            # That is this gateway's fault, and others can try it.
            logs.logger.error("the challenger is not tried here", model=MODEL, version=number, why=problem.message)
            return
        except WaysideError as problem:
            self.failed = Failed(number, standing.since, f"it could not be opened: {problem.message[:500]}")
            logs.logger.error("the challenger could not be opened", model=MODEL, version=number)
            return
        meets = partial(_meets, number, plan)
        self._trial = Trial(judge, meets, partial(self._fail, number, standing.since))
        self.tried = Tried(number, judge.sha256, plan, standing.since)

    def _fail(self, number: int, since: datetime, problem: Exception) -> None:
        self._trial = None
        self.failed = Failed(number, since, f"it failed at a payment: {type(problem).__name__}")
        logs.logger.error("the challenger failed", model=MODEL, version=number, **logs.describe(problem))

    async def _load(self, files: Mapping[str, Path]) -> FraudModel:
        if find_spec("lightgbm") is None:
            raise MissingExtra("lightgbm", "tabular")
        # LightGBM takes a second to import, which only those who have a model of fraud wait for.
        from tabular.fraud.model import load

        return await asyncio.to_thread(load, files, self._definition.version, self._definition.names)


def _meets(number: int, plan: Plan, card: str) -> bool:
    return plan.mode is Mode.CANARY and meets(card, MODEL, number, plan.percent)
