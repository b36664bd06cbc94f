"""Which worker carries which run: claimed by compare-and-set, held by a lease, taken over when the lease runs out."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import cast

from sqlalchemy import Table, Update, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.runs.ending import end, take
from app.runs.fence import Lease
from app.runs.log import Held
from app.runs.rows import Run, thread_at
from app.runs.tables import RunRow, RunStatus, ThreadRow, ThreadStatus
from core.database import Database, now

LEASE = 15.0
HELD = timedelta(seconds=60)
"""How long a turn or an edit has a thread; it renews while it goes on."""

_RUNS = cast("Table", RunRow.__table__)
# Most looks find nothing at all. Built once and asked without the ORM, such a look takes a third of the time that the
# whole question takes, on the loop that everybody waits for.
_ANY = select(_RUNS.c.id).where(_RUNS.c.status.in_((RunStatus.PENDING.value, RunStatus.RUNNING.value))).limit(1)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A run in this worker's hands."""

    run: Run
    held: Held
    lease: Lease = field(compare=False)


class Queue:
    """The runs as one worker process sees them. `lease` is in seconds and renewed three times within it."""

    def __init__(self, database: Database, *, lease: float = LEASE) -> None:
        self._database = database
        self._woken = asyncio.Event()
        self.seconds = lease
        self.worker = secrets.token_hex(8)
        self._made = now()

    def wake(self) -> None:
        """Tell this process's worker that there may be something to do."""
        self._woken.set()

    async def wait(self, seconds: float) -> None:
        """Return when woken, or after `seconds`: other processes admit and die."""
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return
        self._woken.clear()

    async def claim(self, limit: int) -> list[Claimed]:
        """Take up to `limit` runs: those whose worker is gone, and of each free thread the first that is due."""
        async with self._database.session() as session:
            if (await session.execute(_ANY)).first() is None:
                return []
            seen = await self._seen(session, limit)
        claimed: list[Claimed] = []
        threads = set()
        for run in seen:
            if run.checkpoint_key not in threads and len(claimed) < limit:
                # Only the first of a thread: when it cannot be had, those behind it must not pass it.
                threads.add(run.checkpoint_key)
                mine = await self._claim(run)
                if mine is not None:
                    claimed.append(mine)
        return claimed

    @staticmethod
    async def _seen(session: AsyncSession, limit: int) -> list[Run]:
        """Runs that may be had, those first that came first; several of a thread among them."""
        moment = now()
        due = and_(RunRow.status == RunStatus.PENDING.value, RunRow.not_before <= moment)
        abandoned = and_(RunRow.status == RunStatus.RUNNING.value, RunRow.leased_until < moment)
        free = or_(ThreadRow.writer.is_(None), ThreadRow.writer == RunRow.id, ThreadRow.writer_until < moment)
        query = (
            select(RunRow)
            .join(
                ThreadRow,
                and_(
                    ThreadRow.tenant == RunRow.tenant,
                    ThreadRow.owner == RunRow.owner,
                    ThreadRow.id == RunRow.thread_id,
                ),
            )
            .where(or_(due, abandoned), free)
            .order_by(RunRow.created_at, RunRow.position)
            .limit(4 * limit)
        )
        return [Run.of(row) for row in await session.scalars(query)]

    async def _claim(self, run: Run) -> Claimed | None:
        started, moment = monotonic(), now()
        async with self._database.session() as session:
            writer = (
                update(ThreadRow)
                .where(
                    thread_at(run.owner, run.thread_id),
                    or_(ThreadRow.writer.is_(None), ThreadRow.writer == run.id, ThreadRow.writer_until < moment),
                )
                .values(writer=run.id, writer_until=None, version=ThreadRow.version + 1)
                .returning(ThreadRow.id)
                .execution_options(synchronize_session=False)
            )
            if await session.scalar(writer) is None:
                return None
            lost = and_(RunRow.status == RunStatus.RUNNING.value, RunRow.leased_until < moment)
            mine = (
                update(RunRow)
                .where(
                    RunRow.tenant == run.tenant,
                    RunRow.id == run.id,
                    RunRow.attempt == run.attempt,
                    or_(RunRow.status == RunStatus.PENDING.value, lost),
                )
                .values(
                    status=RunStatus.RUNNING.value,
                    worker=self.worker,
                    leased_until=moment + timedelta(seconds=self.seconds),
                    attempt=RunRow.attempt + 1,
                    updated_at=moment,
                )
                .returning(RunRow)
                .execution_options(synchronize_session=False, populate_existing=True)
            )
            row = await session.scalar(mine)
            if row is None:
                await session.rollback()
                return None
            taken = Run.of(row)
        lease = Lease(self.seconds)
        lease.extend(started + self.seconds)
        return Claimed(taken, Held(taken.tenant, taken.id, self.worker, taken.attempt), lease)

    async def renew(self, carried: Sequence[Claimed]) -> None:
        """Hold these runs for another lease; one that this worker has dropped is left to run out."""
        if not carried:
            return
        started = monotonic()
        async with self._database.session() as session:
            kept = await session.execute(
                update(RunRow)
                .where(
                    RunRow.worker == self.worker,
                    RunRow.status == RunStatus.RUNNING.value,
                    RunRow.id.in_([each.run.id for each in carried]),
                )
                .values(leased_until=now() + timedelta(seconds=self.seconds))
                .returning(RunRow.tenant, RunRow.id, RunRow.attempt)
                .execution_options(synchronize_session=False)
            )
            still = {(tenant, id_, attempt) for tenant, id_, attempt in kept}
        for each in carried:
            if (each.run.tenant, each.run.id, each.held.attempt) in still:
                each.lease.extend(started + self.seconds)

    async def asked_to_stop(self) -> dict[tuple[str, str], str]:
        """Which of this worker's runs (tenant, id) shall stop, and how."""
        query = select(RunRow.tenant, RunRow.id, RunRow.cancel).where(
            RunRow.worker == self.worker, RunRow.status == RunStatus.RUNNING.value, RunRow.cancel.is_not(None)
        )
        async with self._database.session() as session:
            return {(row.tenant, row.id): str(row.cancel) for row in await session.execute(query)}

    async def begin(self, claimed: Claimed, base: str) -> None:
        """Note the thread's newest checkpoint before the run's first step."""
        async with self._database.session() as session:
            await session.execute(_this(claimed).values(base=base), execution_options={"synchronize_session": False})

    async def finish(
        self,
        claimed: Claimed,
        status: RunStatus,
        event: tuple[str, bytes],
        *,
        output: bytes | None = None,
        reason: str | None = None,
        thread: ThreadStatus | None,
    ) -> bool:
        """End the run. False when another worker has it."""
        run, held = claimed.run, claimed.held
        async with self._database.session() as session:
            await take(session, run.owner, run.thread_id)
            return await end(
                session,
                run,
                status,
                event,
                output=output,
                reason=reason,
                thread=thread,
                worker=(held.worker, held.attempt),
            )

    async def release(self, claimed: Claimed) -> None:
        """Give the run back as it is, for whoever comes next."""
        async with self._database.session() as session:
            await _let_go(session, claimed)

    async def recover(self) -> None:
        """Take the runs of dead processes at once, where this process is known to be the only one."""
        past = now() - timedelta(seconds=1)
        async with self._database.session() as session:
            running = update(RunRow).where(RunRow.status == RunStatus.RUNNING.value)
            await session.execute(running.values(leased_until=past), execution_options={"synchronize_session": False})
            # Whatever this process has taken since it began is held for longer than what the dead one left.
            turns = update(ThreadRow).where(ThreadRow.writer_until <= self._made + HELD)
            await session.execute(turns.values(writer=None, writer_until=None))


def _this(claimed: Claimed) -> Update:
    held = claimed.held
    return update(RunRow).where(
        RunRow.tenant == held.tenant,
        RunRow.id == held.run_id,
        RunRow.worker == held.worker,
        RunRow.attempt == held.attempt,
    )


async def _let_go(session: AsyncSession, claimed: Claimed) -> None:
    past = now() - timedelta(seconds=1)
    await session.execute(_this(claimed).values(leased_until=past), execution_options={"synchronize_session": False})
