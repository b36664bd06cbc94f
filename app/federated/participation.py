"""What a device does: join, ask whether it is drawn, send its update, leave. It never hears of another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from app.federated.tables import DeviceRow, DrawRow, FederationRow, RoundRow, State, found
from core.database import Database, now
from core.errors import Conflict, InvalidInput
from core.types import Principal
from tabular.federated.aggregate import checked, clipped
from tabular.federated.model import packed, weights_of
from tabular.federated.task import Floats

_SOONEST, _LATEST = 0.2, 60.0


class Asked(StrEnum):
    """What a device is to do: train, come again later, or nothing any more."""

    TRAIN = "train"
    WAIT = "wait"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Work:
    """What is asked of a device. With `train` come the round, its weights and its end; with `wait`, for how long."""

    asked: Asked
    round: int | None = None
    weights: Floats | None = None
    closes_at: datetime | None = None
    wait_seconds: float | None = None


class Participation:
    """The devices of every federation. A device is known by the principal that its key stands for."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = now) -> None:
        self._database = database
        self._clock = clock

    async def enrol(self, by: Principal, name: str, *, consent: bool) -> datetime:
        """Take part from now on; since when, which enrolling again does not change.

        Raises `NotFound`, `InvalidInput` without consent, and `Conflict` for a federation that has ended.
        """
        if not consent:
            raise InvalidInput("nobody takes part without having agreed to the terms", param="consent")
        insert = postgresql.insert if self._database.engine.dialect.name == "postgresql" else sqlite.insert
        async with self._database.session() as session:
            _alive(await found(session, by.tenant, name))
            row = {**_device(by, name), "enrolled_at": self._clock()}
            await session.execute(insert(DeviceRow).values(row).on_conflict_do_nothing())
            held = await session.get_one(DeviceRow, (by.tenant, name, by.owner))
            return held.enrolled_at

    async def leave(self, by: Principal, name: str) -> None:
        """Take no part any more; an update in the open round is forgotten. Raises `NotFound`.

        Models that were made before stay: that no device stands out in them is what the noise is for.
        """
        async with self._database.session() as session:
            await found(session, by.tenant, name)
            for table in (DrawRow, DeviceRow):
                ours = [getattr(table, column) == value for column, value in _device(by, name).items()]
                await session.execute(sa.delete(table).where(*ours))

    async def enrolled(self, by: Principal, names: Sequence[str]) -> set[str]:
        """Those of the federations that the device takes part in."""
        ours = DeviceRow.tenant == by.tenant, DeviceRow.device == by.owner, DeviceRow.federation.in_(names)
        async with self._database.session() as session:
            return set(await session.scalars(sa.select(DeviceRow.federation).where(*ours)))

    async def work(self, by: Principal, name: str) -> Work:
        """What is asked of this device now. Raises `NotFound`, and `Conflict` for one that has not enrolled."""
        async with self._database.session() as session:
            row = await found(session, by.tenant, name)
            await self._check_enrolled(session, by, name)
            _, plan = row.terms
            pause = min(max(plan.seconds / 10, _SOONEST), _LATEST)
            if row.state == State.CREATED.value:
                return Work(Asked.WAIT, wait_seconds=pause)
            if row.state != State.RUNNING.value:
                return Work(Asked.ENDED)
            held = await session.get_one(RoundRow, (by.tenant, name, row.round))
            draw = await session.get(DrawRow, (by.tenant, name, row.round, by.owner))
            if draw is None or draw.update is not None or self._clock() >= held.closes_at:
                return Work(Asked.WAIT, wait_seconds=pause)
            return Work(Asked.TRAIN, row.round, weights_of(row.weights), held.closes_at)

    async def submit(self, by: Principal, name: str, number: int, update: Sequence[float]) -> None:
        """Take the device's update for the round; the same once more changes nothing.

        Raises `NotFound`, `InvalidInput` for what is no update of this model, and `Conflict`: `not_enrolled`,
        `round_over` for a round that is not open (any more), `not_drawn`, and `already_answered` for another update.
        """
        async with self._database.session() as session:
            row = await found(session, by.tenant, name)
            await self._check_enrolled(session, by, name)
            task, plan = row.terms
            # What is kept is clipped already: no more of a device is ever written down than counts.
            kept = packed(clipped(checked(update, task.dimension), plan.clip))
            if row.state != State.RUNNING.value or number != row.round:
                raise _over(number)
            held = await session.get_one(RoundRow, (by.tenant, name, number))
            if self._clock() >= held.closes_at:
                raise _over(number)
            ours = [getattr(DrawRow, column) == value for column, value in _device(by, name).items()]
            ours.append(DrawRow.round == number)
            taking = sa.update(DrawRow).where(*ours, DrawRow.update.is_(None)).values(update=kept)
            taken = await session.execute(taking.returning(DrawRow.device))
            if taken.first() is not None:
                return
            before = (await session.execute(sa.select(DrawRow.update).where(*ours))).one_or_none()
            if before is None:
                # Not drawn, or the round was closed this very moment.
                await session.refresh(row)
                raise _over(number) if row.round != number else _refused("not_drawn", f"not drawn for round {number}")
            if before.update != kept:
                raise _refused("already_answered", f"another update was sent for round {number}")

    async def _check_enrolled(self, session: AsyncSession, by: Principal, name: str) -> None:
        if await session.get(DeviceRow, (by.tenant, name, by.owner)) is None:
            raise _refused("not_enrolled", f"this device has not enrolled in {name}")


def _device(by: Principal, name: str) -> dict[str, str]:
    return {"tenant": by.tenant, "federation": name, "device": by.owner}


def _alive(row: FederationRow) -> None:
    if row.state not in (State.CREATED.value, State.RUNNING.value):
        raise Conflict(f"the federation {row.name} has ended", param="name")


def _over(number: int) -> Conflict:
    return _refused("round_over", f"round {number} is not open")


def _refused(code: str, message: str) -> Conflict:
    return Conflict(message, code=code)
