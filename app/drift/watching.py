"""Looks at the model of fraud from time to time, in one gateway of several, and says what moved.

A check tells people. It promotes nothing, trains nothing and changes no decision: whether a shift is a reason for
another model is theirs to say.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec

from sqlalchemy.exc import DBAPIError

from app import logs
from app.drift.checks import Checks, Kept, New, standing
from app.drift.windows import decided
from app.fraud.served import MODEL
from app.runs.finishing import finished
from app.workspace import TENANT
from core.database import Database, now
from core.errors import MissingExtra, NotFound, WaysideError
from core.registry import Registry
from core.settings import DriftSettings
from core.versions import Version
from tabular.drift.reference import FILE, WEEK
from tabular.drift.results import Check
from tabular.fraud.features import DELAY

MODELS = (MODEL,)
"""The models that are watched."""

LEASE = timedelta(minutes=15)
"""How long a check may take before another gateway begins it anew."""

_POLL = 60.0


class Watch:
    """Checks when it is time, and when somebody asks."""

    def __init__(self, database: Database, registry: Registry, settings: DriftSettings, *, poll: float = _POLL) -> None:
        """`poll` is in seconds."""
        self.checks = Checks(database, alerting=settings.webhook_url is not None)
        self.latest: dict[str, Kept] = {}
        self.kept = asyncio.Event()
        self._database = database
        self._registry = registry
        self._settings = settings
        self._poll = poll

    async def check(self, tenant: str, model: str) -> Kept:
        """Look now. A model that is not watched, or has no reference, is told as unknown.

        Raises `NotFound` for a model that is not among `MODELS`, `MissingExtra` without LightGBM, and
        `CorruptArtefact` for a broken champion.
        """
        if model not in MODELS:
            raise NotFound(f"There is no watched model {model!r}: there is {', '.join(MODELS)}.", param="model")
        for package, name in (("lightgbm", "lightgbm"), ("sklearn", "scikit-learn")):
            if find_spec(package) is None:
                raise MissingExtra(name, "tabular")
        champion = await self._champion(model)
        end = int(now().timestamp() * 1000)
        span = self._settings.weeks * WEEK
        version = champion.number if champion is not None else None
        window = await decided(self._database, tenant, end - span, end)
        matured = await decided(self._database, tenant, end - DELAY - span, end - DELAY)
        files = None if champion is None else await self._registry.files(champion)
        if files is None or FILE not in files:
            why = "there is no champion" if champion is None else f"version {version} has no reference: train it anew"
            made = Check(unknown=(why,))
        else:
            # Scikit-learn and LightGBM take seconds to import, and may be missing.
            from app.drift.judging import judge_fraud

            open_ = {each.finding.key for each in standing(await self.checks.latest(tenant, model), version)}
            made = await asyncio.to_thread(judge_fraud, files, window, matured, self._settings.weeks, open_)
        new = New(tenant, model, version, _moment(end - span), _moment(end), window.total, matured.total, made)
        kept = await self.checks.record(new, now() + timedelta(hours=self._settings.every_hours))
        if tenant == TENANT:
            self.latest[model] = kept
        self.kept.set()
        if kept.findings:
            words = [each.finding.words for each in kept.findings]
            logs.logger.warning("a model's world has moved", model=model, version=version, findings=words)
        return kept

    async def run(self) -> None:
        """Look whenever it is time, until cancelled. A database that is away is waited for."""
        while True:
            for model in MODELS:
                try:
                    await finished(self._look(model))
                except (DBAPIError, OSError) as problem:
                    logs.logger.warning("drift was not looked at", model=model, **logs.describe(problem))
                except WaysideError as problem:
                    # Its next time comes when the lease ends.
                    logs.logger.error("drift cannot be told", model=model, **logs.describe(problem))
            await asyncio.sleep(self._poll)

    async def _look(self, model: str) -> None:
        """Check if it is this gateway's turn; what another one found is taken over for the metrics."""
        if await self._champion(model) is not None and await self.checks.claim(TENANT, model, LEASE):
            await self.check(TENANT, model)
        elif (latest := await self.checks.latest(TENANT, model)) is not None:
            self.latest[model] = latest

    async def _champion(self, model: str) -> Version | None:
        try:
            standing_ = await self._registry.standing(model)
        except NotFound:
            return None
        return None if standing_.champion is None else await self._registry.version(model, standing_.champion)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
