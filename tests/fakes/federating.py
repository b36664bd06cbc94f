"""Two servers that hold federations on one database, and what their callers ask of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app.federated.federations import Declared, Federation, Federations
from app.federated.participation import Asked, Participation
from app.federated.rounds import Keeper
from app.federated.tables import DeviceRow, DrawRow, RoundRow
from core.database import Database
from core.types import Principal, Role
from tabular.federated.plan import Plan
from tests.unit.tabular.federated.making import TASK, people, plan

TENANT = "harbor"
ENGINEER = Principal("key_e", TENANT, Role.ENGINEER)
STRANGER = Principal("key_x", "rival", Role.ADMIN)
NAME = "stays"
DEVICES = [Principal(f"key_{each}", TENANT, Role.CLIENT, f"CUS-{each:05}") for each in range(8)]


class Clock:
    """The time, as the test sets it."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def pass_(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class House:
    """Two servers on one database, and what their callers ask of them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database, self.clock = database, clock
        self.federations = Federations(database, clock=clock)
        self.devices = Participation(database, clock=clock)
        self.keeper, self.other = (Keeper(database, clock=clock) for _ in range(2))

    async def declared(self, **terms: Any) -> Federation:
        given = {"population": 8, "delta": 0.01, "share": 1.0, "noise": 2.0, "rounds": 3, "seconds": 60, **terms}
        evaluation = people(20, seed=5)
        return await self.federations.create(ENGINEER, Declared(NAME, "Who stays?", TASK, plan(**given), evaluation))

    async def running(self, **terms: Any) -> Plan:
        made = await self.declared(**terms)
        for each in DEVICES:
            await self.devices.enrol(each, NAME, consent=True)
        await self.federations.start(ENGINEER, NAME)
        return made.plan

    async def answer(self, device: Principal, update: list[float] | None = None, number: int | None = None) -> None:
        work = await self.devices.work(device, NAME)
        assert work.asked is Asked.TRAIN
        assert work.round is not None
        given = [0.1] * TASK.dimension if update is None else update
        await self.devices.submit(device, NAME, number or work.round, given)

    async def held(self) -> list[RoundRow]:
        async with self.database.session() as session:
            return list(await session.scalars(sa.select(RoundRow).order_by(RoundRow.number)))

    async def count(self, table: type[DeviceRow] | type[DrawRow]) -> int:
        async with self.database.session() as session:
            return int(await session.scalar(sa.select(sa.func.count()).select_from(table)) or 0)
