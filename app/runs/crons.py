"""Runs that come back on a schedule. Whoever moves a cron's next time on, by compare-and-set, admits its run."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, cast
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError
from sqlalchemy import JSON, Table, bindparam, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from app.runs.admission import Admission, Order
from app.runs.owner import Owner
from core.database import Base, Database, UtcDateTime, now
from core.errors import Conflict, InvalidInput, NotFound
from core.identity import ApiKey
from core.types import Principal, Role


class CronRow(Base):
    """A cron. `request` is that of its runs; `next_run` is null when it will not run again."""

    __tablename__ = "crons"

    tenant: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    assistant_id: Mapped[str]
    thread_id: Mapped[str | None]
    schedule: Mapped[str]
    timezone: Mapped[str | None]
    request: Mapped[dict[str, Any]] = mapped_column(JSON)
    labels: Mapped[dict[str, Any]] = mapped_column("metadata", JSON)
    strategy: Mapped[str]
    ephemeral: Mapped[bool]
    key_id: Mapped[str]
    enabled: Mapped[bool]
    end_time: Mapped[datetime | None] = mapped_column(UtcDateTime)
    next_run: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


_CRONS = cast("Table", CronRow.__table__)
# Asked every second, nearly always in vain: built once and asked without the ORM.
_ANY_DUE = select(_CRONS.c.id).where(_CRONS.c.enabled.is_(True), _CRONS.c.next_run <= bindparam("moment")).limit(1)


@dataclass(frozen=True, slots=True)
class NewCron:
    """A cron to be made. Without a `thread_id` each run gets a thread of its own, kept unless `ephemeral`."""

    principal: Principal
    assistant_id: str
    thread_id: str | None
    schedule: str
    timezone: str | None
    request: Mapping[str, Any]
    labels: Mapping[str, Any]
    strategy: str
    ephemeral: bool
    enabled: bool
    end_time: datetime | None


class Crons:
    """Keeps crons and admits the runs that are due."""

    def __init__(self, database: Database, admission: Admission) -> None:
        self._database = database
        self._admission = admission

    async def create(self, new: NewCron) -> CronRow:
        """Make a cron. Raises `InvalidInput` for a schedule or time zone that cannot be read."""
        moment = now()
        owner = Owner.of(new.principal)
        row = CronRow(
            tenant=owner.tenant,
            id=str(uuid.uuid4()),
            owner=owner.name,
            assistant_id=new.assistant_id,
            thread_id=new.thread_id,
            schedule=new.schedule,
            timezone=new.timezone,
            request=dict(new.request),
            labels=dict(new.labels),
            strategy=new.strategy,
            ephemeral=new.ephemeral,
            key_id=new.principal.key_id,
            enabled=new.enabled,
            end_time=new.end_time,
            next_run=next_time(new.schedule, new.timezone, moment, new.end_time),
            created_at=moment,
            updated_at=moment,
        )
        async with self._database.session() as session:
            session.add(row)
        return row

    async def all(self, owner: Owner) -> list[CronRow]:
        """Every cron of the owner, newest first."""
        query = select(CronRow).where(CronRow.tenant == owner.tenant, CronRow.owner == owner.name)
        async with self._database.session() as session:
            return list(await session.scalars(query.order_by(CronRow.created_at.desc(), CronRow.id)))

    async def update(self, owner: Owner, cron_id: str, changes: Mapping[str, Any]) -> CronRow:
        """Change columns of a cron and reckon its next time anew. Raises `NotFound`, `InvalidInput`."""
        async with self._database.session() as session:
            row = await session.scalar(select(CronRow).where(*_at(owner, cron_id)))
            if row is None:
                raise NotFound(f"There is no cron {cron_id!r}.", param="cron_id")
            if changes.get("ephemeral") and row.thread_id is not None:
                raise InvalidInput("A thread that was there before stays.", param="on_run_completed")
            for name, value in changes.items():
                setattr(row, name, value)
            row.updated_at = now()
            row.next_run = next_time(row.schedule, row.timezone, now(), row.end_time)
        return row

    async def delete(self, owner: Owner, cron_id: str) -> None:
        """Forget a cron; runs that it has admitted go on. Raises `NotFound`."""
        gone = delete(CronRow).where(*_at(owner, cron_id)).returning(CronRow.id)
        async with self._database.session() as session:
            if await session.scalar(gone) is None:
                raise NotFound(f"There is no cron {cron_id!r}.", param="cron_id")

    async def fire(self) -> None:
        """Admit the runs that are due. A time that passed while nobody looked is made up for once."""
        moment = now()
        async with self._database.session() as session:
            if (await session.execute(_ANY_DUE, {"moment": moment})).first() is None:
                return
            due = select(CronRow).where(CronRow.enabled.is_(True), CronRow.next_run <= moment).limit(100)
            rows = list(await session.scalars(due))
        for row in rows:
            principal = await self._principal(row)
            following = next_time(row.schedule, row.timezone, now(), row.end_time)
            moved = (
                update(CronRow)
                .where(CronRow.tenant == row.tenant, CronRow.id == row.id, CronRow.next_run == row.next_run)
                # A key that was revoked asks for nothing any more.
                .values(next_run=following, enabled=principal is not None)
                .returning(CronRow.id)
                .execution_options(synchronize_session=False)
            )
            if principal is not None:
                await self._admit(row, principal)
            async with self._database.session() as session:
                await session.scalar(moved)

    async def _admit(self, row: CronRow, principal: Principal) -> None:
        assert row.next_run is not None, "only a cron with a next time is due"  # noqa: S101
        order = Order(
            principal=principal,
            thread_id=row.thread_id or str(uuid.uuid5(uuid.UUID(row.id), row.next_run.isoformat())),
            assistant_id=row.assistant_id,
            request=row.request,
            labels={**row.labels, "cron_id": row.id},
            strategy=row.strategy,  # type: ignore[arg-type]
            create=row.thread_id is None,
            ephemeral=row.ephemeral,
            # However many schedulers see this time, and if one dies before it has moved the time on: one run.
            key=f"cron/{row.id}/{row.next_run.isoformat()}",
            fingerprint="cron",
        )
        try:
            await self._admission.admit(order)
        except (Conflict, NotFound):
            # The thread is busy and the strategy rejects, or it is gone: this time is left out.
            return

    async def _principal(self, row: CronRow) -> Principal | None:
        key = select(ApiKey).where(ApiKey.tenant == row.tenant, ApiKey.id == row.key_id, ApiKey.revoked_at.is_(None))
        async with self._database.session() as session:
            found = await session.scalar(key)
        return Principal(found.id, found.tenant, Role(found.role), found.customer_id) if found else None


def next_time(schedule: str, timezone: str | None, after: datetime, end: datetime | None) -> datetime | None:
    """When the schedule comes next, in UTC; None after `end`. Raises `InvalidInput`."""
    if timezone is not None and timezone not in _zones():
        raise InvalidInput(f"There is no time zone {timezone!r}.", param="timezone")
    try:
        following = next(CronSim(schedule, after.astimezone(ZoneInfo(timezone or "UTC"))), None)
    except CronSimError as error:
        raise InvalidInput(f"The schedule cannot be read: {error}.", param="schedule") from error
    if following is None or (end is not None and following > end):
        return None
    return following.astimezone(UTC)


@cache
def _zones() -> set[str]:
    return available_timezones()


def _at(owner: Owner, cron_id: str) -> tuple[Any, ...]:
    return CronRow.tenant == owner.tenant, CronRow.owner == owner.name, CronRow.id == cron_id
