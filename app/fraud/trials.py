"""Trials of models of fraud on live payments: shown, and ended when the challenger has to go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.exc import DBAPIError

from app import logs
from app.champions import take_up
from app.fraud.served import MODEL, ServedFraud
from app.runs.finishing import finished
from core.database import Database, now
from core.errors import Conflict, UnsupportedOperation
from core.gates import Finding
from core.promotions import ITSELF
from core.registry import Registry
from core.versions import Alias, Kind, Version
from tabular.fraud.trials import Compared, compare

LOOKS = 60.0
"""Seconds between two looks at how a trial goes."""


class FraudTrials:
    """Looks after the trial of the one model that decides about payments.

    What is compared lies in the database, so that every process says the same of a trial, also after a restart.
    """

    model = MODEL

    def __init__(
        self, database: Database, registry: Registry, served: ServedFraud, *, clock: Callable[[], datetime] = now
    ) -> None:
        self.served = served
        self._database = database
        self._registry = registry
        self._clock = clock

    def check(self, version: Version) -> None:
        """Raise `UnsupportedOperation` for a version that could decide about no payment."""
        if version.kind is not Kind.TABULAR:
            raise UnsupportedOperation(f"payments are decided about by no {version.kind.value}", param="version")

    async def refresh(self) -> None:
        """Take up what the registry says now."""
        await take_up(self.served)

    async def compared(self) -> Compared | None:
        """How the challenger that is tried does beside the champion; None where none is."""
        tried = self.served.tried
        if tried is None:
            return None
        return await compare(self._database, tried.model, tried.since, self._clock(), self.served.costs)

    async def look(self) -> None:
        """Roll the challenger back when it failed, or does worse than the champion by more than chance."""
        if (failed := self.served.failed) is not None:
            await self._roll_back(failed.version, failed.since, [("errors", failed.why)])
            # Meanwhile another may have been taken up, and have failed.
            if self.served.failed is failed:
                self.served.failed = None
        tried, compared = self.served.tried, await self.compared()
        if tried is not None and compared is not None and (reasons := compared.verdict()):
            await self._roll_back(tried.version, tried.since, reasons)

    async def run(self) -> None:
        """Look until cancelled. A database that is away is waited for."""
        while True:
            await asyncio.sleep(LOOKS)
            try:
                await finished(self.look())
            except (DBAPIError, OSError) as problem:
                logs.logger.warning("the trial was not looked at", **logs.describe(problem))

    async def _roll_back(self, number: int, since: datetime, reasons: list[tuple[str, str]]) -> None:
        standing = await self._registry.standing(MODEL)
        # Somebody who tries it again meanwhile begins another trial.
        if (standing.challenger, standing.since) != (number, since):
            return
        why = "; ".join(words for _, words in reasons)
        findings = [Finding(reason, True, words) for reason, words in reasons]
        try:
            await self._registry.rollback(MODEL, Alias.CHALLENGER, ITSELF, why, number=number, findings=findings)
        except Conflict:
            return  # Somebody was quicker.
        logs.logger.warning("the challenger was rolled back", model=MODEL, version=number, why=why)
        await self.refresh()
