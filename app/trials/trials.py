"""Keeps the engine as the registry says: opens champion and challenger, and takes a challenger back that has to go.

What one process decides is written to the registry, and every process reads that, at least each `poll_seconds`: a
rollback holds in all of them, and after a restart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import DBAPIError

from app import logs
from app.engines.trial import Trial, TrialEngine
from app.runs.finishing import finished
from app.trials.ratings import Ratings
from app.trials.variants import OpenVariant, Variant, variant_name
from core.errors import Conflict, NotFound, UnsupportedOperation, WaysideError
from core.gates import Finding
from core.promotions import ITSELF
from core.registry import Registry
from core.settings import RegistrySettings
from core.versions import Alias, Kind, Mode, Standing, Version


class Trials:
    """The champion and the trial of the one registered model that answers here, `settings.serves`.

    `openers` has what makes an engine of a version, for each kind that this installation can open.
    """

    def __init__(
        self,
        registry: Registry,
        engine: TrialEngine,
        openers: Mapping[Kind, OpenVariant],
        ratings: Ratings,
        settings: RegistrySettings,
    ) -> None:
        self.registry = registry
        self.engine = engine
        self.rollbacks: dict[str, int] = {}
        self._openers = openers
        self._ratings = ratings
        self._settings = settings
        self._seen: Standing | None = None
        self._champion: Variant | None = None
        self._challenger: Variant | None = None
        self._condemned: list[_Condemned] = []
        self._wake = asyncio.Event()
        self._applying = asyncio.Lock()
        engine.condemned = self._heard

    @property
    def model(self) -> str:
        """The registered model that answers here."""
        return self._settings.serves

    def check(self, version: Version) -> None:
        """Raise `UnsupportedOperation` for a version that no engine here could be made of."""
        if version.model != self.model:
            raise UnsupportedOperation(f"only {self.model} answers here, so only that can be tried", param="model")
        if version.kind not in self._openers:
            raise UnsupportedOperation(f"no engine here opens a model of kind {version.kind.value}", param="version")

    async def refresh(self) -> None:
        """Take back what has to go, and bring the engine to what the registry says now."""
        async with self._applying:
            await self._rate()
            await self._take_back()
            try:
                standing = await self.registry.standing(self.model)
            except NotFound:
                return
            if self._seen is not None and standing.changes == self._seen.changes:
                return
            await self._apply(standing)
            self._seen = standing
        # What could not be opened has been condemned.
        if self._condemned:
            await self.refresh()

    async def run(self) -> None:
        """Refresh until cancelled, also when a challenger has to go. A database that is away is waited for."""
        while True:
            try:
                async with asyncio.timeout(self._settings.poll_seconds):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            try:
                await finished(self.refresh())
            except (DBAPIError, OSError) as error:
                logs.logger.warning("the registry was not read", **logs.describe(error))

    async def close(self) -> None:
        """End the trial here, and close what was opened."""
        self.engine.serve(None, None)
        await self.engine.close()
        for variant in (self._champion, self._challenger):
            if variant is not None:
                await variant.close()

    def _heard(self, trial: Trial) -> None:
        self._condemned.append(_Condemned(trial.number, trial.since, trial.condemned))
        self._wake.set()

    async def _rate(self) -> None:
        """Read how people like both sides; a shadow's answers were seen by nobody."""
        trial = self.engine.trial
        if trial is not None and trial.plan.mode is Mode.CANARY:
            shares = await self._ratings.since(trial.since, variant_name(trial.model, trial.number))
            trial.figures.challenger.ratings, trial.figures.champion.ratings = shares
            self.engine.judge(trial)

    async def _take_back(self) -> None:
        while self._condemned:
            gone = self._condemned[0]
            # A person who tries it again meanwhile begins another trial.
            if (await self.registry.standing(self.model)).since == gone.since:
                await self._roll_back(gone)
            self._condemned.pop(0)

    async def _roll_back(self, gone: _Condemned) -> None:
        findings = [Finding(reason, True, words) for reason, words in gone.reasons]
        why = "; ".join(words for _, words in gone.reasons)
        try:
            await self.registry.rollback(
                self.model, Alias.CHALLENGER, ITSELF, why, number=gone.number, findings=findings
            )
        except Conflict:
            return  # Somebody was quicker.
        logs.logger.warning("the challenger was rolled back", model=self.model, version=gone.number, why=why)
        for reason, _ in gone.reasons:
            self.rollbacks[reason] = self.rollbacks.get(reason, 0) + 1

    async def _apply(self, standing: Standing) -> None:
        old = (self._champion, self._challenger)
        champion = await self._opened(standing, standing.champion)
        challenger = await self._opened(standing, standing.challenger)
        going = self.engine.trial
        # A trial that is still the same keeps its figures.
        trial = going if going is not None and (going.since, going.challenger) == (standing.since, challenger) else None
        if trial is None and challenger is not None and standing.plan is not None:
            trial = Trial(
                model=standing.model,
                number=challenger.version.number,
                plan=standing.plan,
                since=standing.since,
                challenger=challenger,
                minimum=self._settings.minimum,
                patience=self._settings.patience,
            )
        self._champion, self._challenger = champion, challenger
        self.engine.serve(champion, trial)
        for variant in old:
            if variant is not None and variant not in (champion, challenger):
                await variant.close()

    async def _opened(self, standing: Standing, number: int | None) -> Variant | None:
        """The version as an engine: the one that is open already, or a new one; None when it cannot be one here."""
        if number is None:
            return None
        for variant in (self._champion, self._challenger):
            if variant is not None and variant.version.number == number:
                return variant
        try:
            version = await self.registry.version(self.model, number)
            self.check(version)
            files = await self.registry.files(version)
            return Variant(version, await self._openers[version.kind](version, files))
        except UnsupportedOperation as problem:
            logs.logger.warning("a version is not served here", version=number, why=problem.message)
        except WaysideError as problem:
            logs.logger.error("a version could not be opened", version=number, why=problem.message)
            if number == standing.challenger:
                reasons = [("opening", f"it could not be opened: {problem.message[:500]}")]
                self._condemned.append(_Condemned(number, standing.since, reasons))
        return None


@dataclass(frozen=True, slots=True)
class _Condemned:
    """A challenger that has to go, when its trial began, and why: each reason as a word and a sentence."""

    number: int
    since: datetime
    reasons: list[tuple[str, str]]
