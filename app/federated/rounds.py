"""A round of a federation: opened with its draw and its cost, closed with its noise; and what sees to both.

What a round costs is written by the transaction that opens it, before any device hears of it: whoever is killed has
spent it. A round's result, the end of its updates and the opening of the next are one transaction, under the lock of
the federation: of two servers that find a round due, the second finds it closed.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import cast

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app import logs
from app.federated.budget import cost_of
from app.federated.tables import DeviceRow, DrawRow, FederationRow, RoundRow, State, found, locked, public_rows
from app.runs.finishing import finished
from core.database import Database, now
from core.errors import WaysideError
from tabular.federated.aggregate import step
from tabular.federated.model import accuracy, packed, weights_of
from tabular.federated.noise import secret_normals

_CHANCE = random.SystemRandom()

_FEDERATIONS = cast("sa.Table", FederationRow.__table__)
# Asked every second, nearly always in vain: built once and asked without the ORM.
_RUNNING = sa.select(_FEDERATIONS.c.tenant, _FEDERATIONS.c.name).where(_FEDERATIONS.c.state == State.RUNNING.value)


async def open_round(session: AsyncSession, row: FederationRow, cost: float, at: datetime) -> None:
    """Open the federation's next round, under its lock: every device is drawn for itself, by the server's own dice."""
    _, plan = row.terms
    row.round += 1
    row.spent = cost
    ours = DeviceRow.tenant == row.tenant, DeviceRow.federation == row.name
    devices = (await session.scalars(sa.select(DeviceRow.device).where(*ours))).all()
    drawn = [device for device in devices if _CHANCE.random() < plan.share]
    place = {"tenant": row.tenant, "federation": row.name}
    if drawn:
        await session.execute(
            sa.insert(DrawRow), [{**place, "round": row.round, "device": each, "update": None} for each in drawn]
        )
    closes = at + timedelta(seconds=plan.seconds)
    session.add(RoundRow(**place, number=row.round, epsilon=cost, opened_at=at, closes_at=closes, drawn=len(drawn)))


async def forget_draws(session: AsyncSession, row: FederationRow) -> list[bytes]:
    """End the open round for its devices; the updates that came, and no other has come after."""
    ours = DrawRow.tenant == row.tenant, DrawRow.federation == row.name
    gone = await session.execute(sa.delete(DrawRow).where(*ours).returning(DrawRow.update))
    return [update for update in gone.scalars() if update is not None]


class Keeper:
    """Closes rounds that are due and opens the next, for as long as the budget allows."""

    def __init__(self, database: Database, *, poll_seconds: float = 1.0, clock: Callable[[], datetime] = now) -> None:
        self._database = database
        self._poll = poll_seconds
        self._clock = clock
        self._nudged = asyncio.Event()

    def nudge(self) -> None:
        """Look now: a round may have got its last update."""
        self._nudged.set()

    async def run(self) -> None:
        """Keep until cancelled. A database that is away is waited for; a federation that cannot go on is told of."""
        while True:
            self._nudged.clear()
            try:
                for tenant, name in await finished(self._running()):
                    await finished(self._kept(tenant, name))
            except (DBAPIError, OSError) as error:
                logs.logger.warning("the federations were not looked after", **logs.describe(error))
            try:
                async with asyncio.timeout(self._poll):
                    await self._nudged.wait()
            except TimeoutError:
                continue

    async def advance(self, tenant: str, name: str) -> bool:
        """Close the federation's round if it is due, and open the next or end; whether there was anything to do.

        Raises `NotFound`, and `MissingExtra` without the accountant.
        """
        async with self._database.session() as session:
            row = await found(session, tenant, name)
            if not await self._due(session, row):
                return False
            seen = row.round
            _, plan = row.terms
        # Composing losses takes a while, which nobody should wait for under the lock.
        cost = await cost_of(plan, row.noise, seen + 1)
        async with self._database.session() as session:
            row = await locked(session, tenant, name)
            if row.round != seen or not await self._due(session, row):
                return False
            await self._close(session, row)
            if cost is not None:
                await open_round(session, row, cost, self._clock())
            else:
                row.state, row.ended_at = State.DONE.value, self._clock()
                row.ended_why = "all rounds were held" if seen == plan.rounds else "the privacy budget is spent"
        return True

    async def _close(self, session: AsyncSession, row: FederationRow) -> None:
        task, plan = row.terms
        updates = [weights_of(each) for each in await forget_draws(session, row)]
        # Noise out of the operating system's secrets takes milliseconds.
        moved = await asyncio.to_thread(step, updates, plan, row.noise, secret_normals, task.dimension)
        weights = weights_of(row.weights) + moved
        row.weights = packed(weights)
        held = await session.get_one(RoundRow, (row.tenant, row.name, row.round))
        held.closed_at, held.answered, held.weights = self._clock(), len(updates), row.weights
        if row.evaluated:
            rows = await asyncio.to_thread(task.rows, await public_rows(session, row))
            held.accuracy = accuracy(weights, rows)

    async def _due(self, session: AsyncSession, row: FederationRow) -> bool:
        if row.state != State.RUNNING.value:
            return False
        held = await session.get_one(RoundRow, (row.tenant, row.name, row.round), populate_existing=True)
        if self._clock() >= held.closes_at:
            return True
        awaited = sa.select(sa.func.count()).where(
            DrawRow.tenant == row.tenant, DrawRow.federation == row.name, DrawRow.update.is_(None)
        )
        return not await session.scalar(awaited)

    async def _running(self) -> list[tuple[str, str]]:
        async with self._database.session() as session:
            return [(row.tenant, row.name) for row in (await session.execute(_RUNNING)).all()]

    async def _kept(self, tenant: str, name: str) -> None:
        try:
            await self.advance(tenant, name)
        except WaysideError as error:
            logs.logger.error("the federation does not go on", federation=name, **logs.describe(error))
