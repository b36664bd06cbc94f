"""Trains tabular models anew when they have grown old: `wayside tabular train NAME`, in a process of its own.

Of the gateways on one database, the one that moves a model's `begun_at` on by compare-and-set trains it. It is counted
as failed from then on until it has ended well, so that a gateway which dies in between is one failure as any other.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, mapped_column

from app import logs
from core.confined import kill
from core.database import Base, Database, UtcDateTime, now
from core.errors import NotFound, PromotionRefused, WaysideError
from core.registry import Registry
from core.settings import Settings

_ROOT = str(Path(__file__).parents[1])
_START = "import os, sys; os.nice(10); sys.path.insert(0, sys.argv.pop(1)); from app.cli import main; main()"
_POLL = 60.0
_TOLD = 300
_BY = "retraining"


class RetrainingRow(Base):
    """A model that is trained on schedule. `held_until` is when a training that is at work is given up.

    `failures` counts the trainings that were begun since one ended well.
    """

    __tablename__ = "retrainings"

    tenant: Mapped[str] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    begun_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    held_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failures: Mapped[int]


def due(
    moment: datetime,
    newest: datetime | None,
    begun: datetime | None,
    failures: int,
    *,
    every: timedelta,
    retry: timedelta,
) -> bool:
    """Whether a model is to be trained now.

    `newest` is when its newest version was registered, by whomever; `begun` when training was last begun on schedule,
    `failures` how often in a row that has failed. After the first failure it is tried again after `retry`, then after
    twice as long, and so on up to `every`. What was trained without a new version coming of it (nothing has changed)
    waits its time like the others.
    """
    if begun is None or (newest is not None and newest > begun):
        return newest is None or moment >= newest + every
    # Beyond 2 ** 20 times an hour nobody counts.
    wait = min(every, retry * 2 ** min(failures - 1, 20)) if failures else every
    return moment >= begun + wait


def child(model: str, settings: Settings) -> list[str]:
    """The command line of a training."""
    train = ["tabular", "train", model, "--workspace", str(settings.workspace)]
    return [sys.executable, "-c", _START, _ROOT, *train]


class Retraining:
    """The supervisor. `count` is told of each training's model and outcome, `command` makes the child's command line.

    Outcomes are `trained`, `promoted`, `refused` (by the gate) and `failed`.
    """

    def __init__(
        self,
        database: Database,
        registry: Registry,
        settings: Settings,
        count: Callable[[str, str], None],
        *,
        tenant: str,
        command: Callable[[str, Settings], list[str]] = child,
    ) -> None:
        self._database = database
        self._registry = registry
        self._settings = settings
        self._count = count
        self._tenant = tenant
        self._command = command

    async def run(self) -> None:
        """Train what is due until cancelled; a child that is at work then is killed. Without a schedule, nothing."""
        while self._settings.tabular.retrain:
            try:
                await self.sweep()
            except (DBAPIError, OSError) as problem:
                logs.logger.warning("models not retrained", **logs.describe(problem))
            await asyncio.sleep(_POLL)
        await asyncio.Event().wait()

    async def sweep(self) -> None:
        """Train each model that is due and that no other gateway is at, one after the other."""
        for model, every in self._settings.tabular.retrain.items():
            begun = await self._claim(model, every)
            if begun is None:
                continue
            outcome = await self._trained(model, begun)
            self._count(model, outcome)
            await self._end(model, begun, failed=outcome == "failed")

    async def _claim(self, model: str, every: timedelta) -> datetime | None:
        """Take the model if it is due; the moment that was written down, or None."""
        newest, moment = await self._newest(model), now()
        given = self._settings.tabular
        insert = postgresql.insert if self._database.engine.dialect.name == "postgresql" else sqlite.insert
        row: dict[str, Any] = {"tenant": self._tenant, "model": model, "failures": 0}
        async with self._database.session() as session:
            await session.execute(insert(RetrainingRow).values(row).on_conflict_do_nothing())
            seen = (await session.scalars(select(RetrainingRow).where(self._one(model)))).one()
            if not due(moment, newest, seen.begun_at, seen.failures, every=every, retry=given.retry):
                return None
            same = (
                RetrainingRow.begun_at.is_(None) if seen.begun_at is None else RetrainingRow.begun_at == seen.begun_at
            )
            free = or_(RetrainingRow.held_until.is_(None), RetrainingRow.held_until <= moment)
            taking = {"begun_at": moment, "held_until": moment + given.patience, "failures": seen.failures + 1}
            ours = update(RetrainingRow).where(self._one(model), same, free).values(taking)
            taken = await session.execute(
                ours.returning(RetrainingRow.model).execution_options(synchronize_session=False)
            )
            return moment if taken.first() is not None else None

    async def _trained(self, model: str, begun: datetime) -> str:
        """Run the child and say what came of it."""
        status, said = await self._run(model)
        fields = {"model": model, "seconds": round((now() - begun).total_seconds())}
        if status != 0:
            logs.logger.error("a model was not retrained", status=status, said=said, **fields)
            return "failed"
        logs.logger.info("a model was retrained", **fields)
        if not self._settings.tabular.promote:
            return "trained"
        return await self._promoted(model, begun)

    async def _run(self, model: str) -> tuple[int | None, str]:
        """The child's exit status, None when its time was over, and the last that it said."""
        command = self._command(model, self._settings)
        process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE)
        try:
            async with asyncio.timeout(self._settings.tabular.patience.total_seconds()):
                _, told = await process.communicate()
        except TimeoutError:
            return None, "its time was over"
        finally:
            kill(process)
            await process.wait()
        lines = told.decode(errors="replace").strip().splitlines()
        return process.returncode, lines[-1][:_TOLD] if lines else ""

    async def _promoted(self, model: str, begun: datetime) -> str:
        try:
            latest = (await self._registry.versions(model))[0]
            if latest.at < begun or (await self._registry.standing(model)).champion == latest.number:
                return "trained"
            await self._registry.promote(model, latest.number, _BY, "trained on schedule")
        except PromotionRefused as refused:
            logs.logger.warning("a retrained model was refused", model=model, why=refused.message)
            return "refused"
        except WaysideError as problem:
            logs.logger.error("a retrained model was not promoted", model=model, **logs.describe(problem))
            return "failed"
        return "promoted"

    async def _end(self, model: str, begun: datetime, *, failed: bool) -> None:
        """Let go of the model. What is another gateway's by now is left alone."""
        values: Mapping[str, Any] = {"held_until": None} if failed else {"held_until": None, "failures": 0}
        held = update(RetrainingRow).where(self._one(model), RetrainingRow.begun_at == begun)
        async with self._database.session() as session:
            await session.execute(held.values(values))

    async def _newest(self, model: str) -> datetime | None:
        try:
            return (await self._registry.versions(model))[0].at
        except NotFound:
            return None

    def _one(self, model: str) -> ColumnElement[bool]:
        return and_(RetrainingRow.tenant == self._tenant, RetrainingRow.model == model)
